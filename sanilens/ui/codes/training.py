"""Training a codebook in the app: its settings, its job, its loss as it falls."""

import hashlib
import re

import streamlit as st

from sanilens.dictionaries.codebook.train import CodebookSettings
from sanilens.model.units import SAE_ID
from sanilens.runs.workspace import codebooks_folder, job, known_saes
from sanilens.ui.codes.codebooks import codebook_ids
from sanilens.ui.commands import training_arguments
from sanilens.ui.job import job_panel
from sanilens.ui.opened import Opened
from sanilens.ui.saes import sae_of

_DEFAULT = CodebookSettings("")
_POINTS = {"hook_attn_out": "attention's output", "hook_mlp_out": "MLP's output"}
_NONE = "the activation itself"
_NOTE = "In a process of its own; it goes on when this page is closed. Minutes on a small model."


def training_panel(opened: Opened) -> None:
    """The settings, and the job."""
    one, two, three = st.columns(3)
    layers = opened.model.sites.n_layers
    # What is deleted at the last layer nothing behind it can say after all.
    layer = one.selectbox("Layer", range(layers), index=layers - 1, key="codes-layer")
    point = two.selectbox("Point", list(_POINTS), format_func=_POINTS.__getitem__,
                          key="codes-point")  # fmt: skip
    site = f"blocks.{layer}.{point}"
    saes = {s: source for s, source in known_saes(opened.model).items()
            if (own := sae_of(opened, s)) and str(own.site) == site}  # fmt: skip
    under = three.selectbox(
        "What is quantised",
        [_NONE, *saes],
        format_func=lambda name: name if name == _NONE else f"features of sae.{name}",
        help="Features take an autoencoder of this very site: train one on the page Features.",
        key="codes-sae",
    )
    one, two, three, four = st.columns(4)
    size = one.selectbox("Codes", [256, 512, 1024, 2048, 4096], index=2, key="codes-size")
    k = two.number_input("k, codes of a token", 1, 64, _DEFAULT.k, key="codes-k")
    steps = three.number_input("Steps through the model", 0, 10_000, _DEFAULT.steps, 50,
                               key="codes-steps")  # fmt: skip
    name = four.text_input("Id", f"codes-{layer}", key="codes-id")
    if not re.fullmatch(SAE_ID, name or ""):
        st.warning("An id is small letters, digits, - and _.")
        return
    if name in codebook_ids(opened):
        st.caption(f"{name} exists already; choose another id to train one more.")
        return
    arguments = [
        "codes", "train", *training_arguments(opened.ref), "--site", site,
        "--codes", str(size), "--k", str(int(k)), "--steps", str(int(steps)),
        "--out", str(codebooks_folder() / name), "--json",
    ]  # fmt: skip
    if under in saes:
        arguments += ["--sae", saes[under]]
    key = hashlib.sha256(f"codes|{opened.key}|{name}".encode()).hexdigest()
    job_panel(job("codes", key), arguments, "Train", _NOTE, key="codes")
