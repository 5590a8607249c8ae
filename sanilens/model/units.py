"""Canonical unit names: `mlp.12.345` is neuron 345 of layer 12, `head.2.1` head 1 of layer 2,
`sae.<id>.88` feature 88 of the sparse autoencoder of that id, `code.<id>.88` code 88 of the
codebook of that id; `row.2.out.7` is row 7 of a linear projection of layer 2, which a plan can edit
like a unit though it has no activation of its own to look at.

Knows the grammar only: whether layer 12 exists is the caller's question.
"""

import re
from dataclasses import dataclass
from typing import Literal

from sanilens.errors import PlanError

_NUMBER = r"(0|[1-9][0-9]{0,8})"
_NEURON = re.compile(rf"mlp\.{_NUMBER}\.{_NUMBER}")
_HEAD = re.compile(rf"head\.{_NUMBER}\.{_NUMBER}")
# Letters that are safe in a URL and in a file name; no dot, so that the parts stay apart.
SAE_ID = r"[a-z0-9][a-z0-9_-]{0,63}"
_FEATURE = re.compile(rf"sae\.({SAE_ID})\.{_NUMBER}")
PARTS = ("q", "k", "v", "qkv", "o", "gate", "in", "out")
"""TransformerLens's names of a layer's linear projections."""
_ROW = re.compile(rf"row\.{_NUMBER}\.({'|'.join(PARTS)})\.{_NUMBER}")
_CODE = re.compile(rf"code\.({SAE_ID})\.{_NUMBER}")

UnitKind = Literal["mlp", "head"]
"""The kinds of unit that every layer has: MLP neurons and attention heads."""


@dataclass(frozen=True, slots=True, order=True)
class Neuron:
    """One coordinate of the input of a layer's MLP output projection."""

    layer: int
    index: int

    def __str__(self) -> str:
        return f"mlp.{self.layer}.{self.index}"


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """One head's slice of the input of a layer's attention output projection (`hook_z`)."""

    layer: int
    index: int

    def __str__(self) -> str:
        return f"head.{self.layer}.{self.index}"


@dataclass(frozen=True, slots=True, order=True)
class Feature:
    """One latent of a sparse autoencoder; which one, `sae` says by its id."""

    sae: str
    index: int

    def __str__(self) -> str:
        return f"sae.{self.sae}.{self.index}"


@dataclass(frozen=True, slots=True, order=True)
class Code(Feature):
    """One code of a codebook; which one, `sae` says by its id."""

    def __str__(self) -> str:
        return f"code.{self.sae}.{self.index}"


@dataclass(frozen=True, slots=True, order=True)
class ProjectionRow:
    """One output of a linear projection of a layer: a row of its weight, and its bias."""

    layer: int
    part: str
    index: int

    def __str__(self) -> str:
        return f"row.{self.layer}.{self.part}.{self.index}"


LayerUnit = Neuron | Head
"""A unit of the model itself: it has weights that a plan can reset."""

Unit = Neuron | Head | Feature

Editable = Unit | ProjectionRow
"""What a plan can edit."""


def parse_unit(text: str) -> Unit:
    """Invert `str` for every unit: `parse_unit(str(u)) == u`.

    >>> parse_unit("mlp.3.217")
    Neuron(layer=3, index=217)
    >>> str(parse_unit("sae.attn-4.88"))
    'sae.attn-4.88'

    Raises:
        PlanError: if the text is not exactly one unit's name.
    """
    # fullmatch, and no leading zeros: two spellings of one unit would hash to two plans.
    if found := _NEURON.fullmatch(text):
        return Neuron(*map(int, found.groups()))
    if found := _HEAD.fullmatch(text):
        return Head(*map(int, found.groups()))
    if found := _FEATURE.fullmatch(text):
        return Feature(found[1], int(found[2]))
    if found := _CODE.fullmatch(text):
        return Code(found[1], int(found[2]))
    raise PlanError(
        f"{text[:40]!r} is not a unit: expected 'mlp.<layer>.<neuron>', 'head.<layer>.<head>', "
        "'sae.<id>.<feature>' or 'code.<id>.<code>'"
    )


def parse_editable(text: str) -> Editable:
    """The same for everything that a plan can edit: rows of projections too.

    Raises:
        PlanError: if the text is not exactly one unit's, or one row's, name.
    """
    if found := _ROW.fullmatch(text):
        return ProjectionRow(int(found[1]), found[2], int(found[3]))
    return parse_unit(text)


def layer_unit(kind: UnitKind, layer: int, index: int) -> LayerUnit:
    """The unit of that kind and place."""
    return Neuron(layer, index) if kind == "mlp" else Head(layer, index)


def kind_of(unit: LayerUnit) -> UnitKind:
    """Whether it is a neuron or a head."""
    return "mlp" if isinstance(unit, Neuron) else "head"
