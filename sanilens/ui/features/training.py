"""Training an autoencoder in the app: its settings, its job, its loss as it falls."""

import hashlib
import re

import streamlit as st

from sanilens.dictionaries.sae.train import SaeSettings
from sanilens.dictionaries.site import POINTS
from sanilens.model.units import SAE_ID
from sanilens.runs.workspace import job, new_sae_folder
from sanilens.ui.commands import training_arguments
from sanilens.ui.job import job_panel
from sanilens.ui.opened import Opened
from sanilens.ui.saes import sae_ids

_DEFAULT = SaeSettings("")
_NOTE = "In a process of its own; it goes on when this page is closed. Minutes on a small model."


def training_panel(opened: Opened) -> None:
    """The settings, and the job."""
    one, two, three = st.columns(3)
    layers = opened.model.sites.n_layers
    layer = one.selectbox("Layer", range(layers), index=layers // 2, key="sae-layer")
    point = two.selectbox("Point", POINTS, key="sae-point")
    architecture = three.selectbox(
        "Architecture", ["topk", "batchtopk", "jumprelu", "standard"], key="sae-architecture"
    )
    one, two, three, four = st.columns(4)
    width = one.selectbox("Features per dimension", [4, 8, 16, 32], index=1, key="sae-width")
    k = two.number_input("k, firing at a token", 1, 512, 32, key="sae-k")
    steps = three.number_input("Steps", 100, 100_000, _DEFAULT.steps, 500, key="sae-steps")
    name = four.text_input("Id", f"layer-{layer}", key="sae-id")
    if not re.fullmatch(SAE_ID, name or ""):
        st.warning("An id is small letters, digits, - and _.")
        return
    if name in sae_ids(opened):
        st.caption(f"sae.{name} exists already; choose another id to train one more.")
        return
    arguments = [
        "sae", "train", *training_arguments(opened.ref), "--site", f"blocks.{layer}.{point}",
        "--width", str(width), "--k", str(int(k)),
        "--architecture", str(architecture), "--steps", str(int(steps)),
        "--out", str(new_sae_folder(name)), "--json",
    ]  # fmt: skip
    key = hashlib.sha256(f"sae|{opened.key}|{name}".encode()).hexdigest()
    job_panel(job("sae", key), arguments, "Train", _NOTE, key="sae")
