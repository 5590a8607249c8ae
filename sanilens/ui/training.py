"""Training an autoencoder or a codebook in the app: the settings, and the job."""

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Literal

import streamlit as st

from sanilens.case import Case
from sanilens.dictionaries.codebook.train import CodebookSettings
from sanilens.dictionaries.sae.train import SaeSettings
from sanilens.dictionaries.site import POINTS
from sanilens.glossary import meaning
from sanilens.model.units import SAE_ID
from sanilens.runs.workspace import (
    codebooks_folder,
    job,
    known_codebooks,
    known_saes,
    new_sae_folder,
)
from sanilens.ui.commands import training_arguments
from sanilens.ui.job import job_panel
from sanilens.ui.numbers import number, watched, why_not
from sanilens.ui.saes import sae_ids, sae_of

_CODEBOOK, _SAE = CodebookSettings(""), SaeSettings("")
_CODE_POINTS = {"hook_attn_out": "attention's output", "hook_mlp_out": "MLP's output"}
_PLAIN = "the activation itself"
_NOTE = "Minutes on a small model. You can close this page; it carries on."


def train_sae_panel(opened: Case) -> None:
    """Draw the settings of an autoencoder, and its job."""
    one, two, three = st.columns(3)
    layers = opened.model.sites.n_layers
    layer = one.selectbox("Layer", range(layers), index=layers // 2, key="sae-layer")
    point = two.selectbox("Point", POINTS, key="sae-point")
    architecture = three.selectbox(
        "Architecture", ["topk", "batchtopk", "jumprelu", "standard"], key="sae-architecture"
    )
    one, two, three, four = st.columns(4, vertical_alignment="bottom")
    width = one.selectbox("Features per dimension", [4, 8, 16, 32], index=1, key="sae-width")
    with watched() as wrong:
        k = number(two, "k, active per token", 1, 512, 32, key="sae-k", help=meaning("k"))
        steps = number(three, "Steps", 100, 100_000, _SAE.steps, step=500, key="sae-steps")
    name = four.text_input("Id", f"layer-{layer}", key="sae-id") or ""
    why_not(wrong)
    if _free(name, sae_ids(opened)) and not wrong:
        settings = [
            "--site", f"blocks.{layer}.{point}", "--width", str(width), "--k", str(int(k)),
            "--architecture", str(architecture), "--steps", str(int(steps)),
            "--out", str(new_sae_folder(name)),
        ]  # fmt: skip
        _job(opened, "sae", name, settings)


def train_codebook_panel(opened: Case) -> None:
    """Draw the settings of a codebook, and its job."""
    one, two, three = st.columns(3)
    layers = opened.model.sites.n_layers
    # What is deleted at the last layer no later layer can restore.
    layer = one.selectbox("Layer", range(layers), index=layers - 1, key="codes-layer")
    point = two.selectbox(
        "Point", list(_CODE_POINTS), format_func=_CODE_POINTS.__getitem__, key="codes-point"
    )
    site = f"blocks.{layer}.{point}"
    saes = {
        name: source
        for name, source in known_saes(opened.model).items()
        if (own := sae_of(opened, name)) and str(own.site) == site
    }
    under = three.selectbox(
        "What is quantised",
        [_PLAIN, *saes],
        format_func=lambda name: name if name == _PLAIN else f"features of sae.{name}",
        help="Features need an autoencoder of this very site; train one on the page Features.",
        key="codes-sae",
    )
    one, two, three, four = st.columns(4, vertical_alignment="bottom")
    size = one.selectbox("Codes", [256, 512, 1024, 2048, 4096], index=2, key="codes-size")
    with watched() as wrong:
        k = number(two, "k, active per token", 1, 64, _CODEBOOK.k, key="codes-k", help=meaning("k"))
        steps = number(three, "Steps", 0, 10_000, _CODEBOOK.steps, step=50, key="codes-steps")
    name = four.text_input("Id", f"codes-{layer}", key="codes-id") or ""
    why_not(wrong)
    if _free(name, known_codebooks(opened.model)) and not wrong:
        settings = [
            "--site", site, "--codes", str(size), "--k", str(int(k)), "--steps", str(int(steps)),
            "--out", str(codebooks_folder() / name),
        ]  # fmt: skip
        _job(opened, "codes", name, settings + (["--sae", saes[under]] if under in saes else []))


def _free(name: str, taken: Collection[str]) -> bool:
    """Whether the id can be used; says why not."""
    if not re.fullmatch(SAE_ID, name):
        st.warning("An id consists of small letters, digits, - and _.")
        return False
    if name in taken:
        st.caption(f"{name} already exists; choose another id to train one more.")
        return False
    return True


def _job(opened: Case, kind: Literal["sae", "codes"], name: str, settings: Sequence[str]) -> None:
    key = hashlib.sha256(f"{kind}|{opened.key}|{name}".encode()).hexdigest()
    arguments = [kind, "train", *training_arguments(opened.sources), *settings, "--json"]
    job_panel(job(kind, key), arguments, "Train", _NOTE, key=kind)
