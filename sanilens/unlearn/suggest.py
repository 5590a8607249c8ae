"""What to do when nobody says otherwise: presets that are whole plans, and which one suits a case.

A preset is a choice of units, a share of the fine-tuning to keep, a rewriting and a repair, with
what was measured of it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from sanilens.errors import PlanError
from sanilens.model.language_model import LanguageModel, ModelKind
from sanilens.unlearn.choose import Drawn, Located, NoUnits, Units
from sanilens.unlearn.plan import NO_REPAIR, Operation, Repair, Rewriting


@dataclass(frozen=True, slots=True)
class Measured:
    """What a plan reached on a bundled case; the figures are in benchmarks/README.md.

    Attributes:
        left: how many of the spans asked for are still said.
        kept: what became of the rest of the model.
        where: on which case, with how many seeds; "" if nowhere.
        beside: what else one has to know.
    """

    left: str
    kept: str
    where: str
    beside: str = ""

    def __str__(self) -> str:
        if not self.where:
            return "on no bundled case"
        more = f"; {self.beside}" if self.beside else ""
        return f"{self.where}: {self.left} left, {self.kept}{more} (benchmarks/README.md)"


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole plan by name.

    Attributes:
        name: as typed.
        title: on a page.
        description: what it does, in a sentence or two.
        measured: what it reached.
        units: which are edited.
        repair: what is trained afterwards, given the base model or None.
        operation: on the units; None for a reset to the base, or zero without one.
        keep: the share of the fine-tuning that stays.
        rewrite: how weights are rewritten, if they are.
        needs: what it cannot do without: a base model, a subject, a codebook; or nothing.
    """

    name: str
    title: str
    description: str
    measured: Measured
    units: Units
    repair: Callable[[LanguageModel | None], Repair]
    operation: Operation | None = None
    keep: float = 1.0
    rewrite: Rewriting | None = None
    needs: Literal["", "base", "subject", "codebook"] = ""


def default_repair(base: LanguageModel | None) -> Repair:
    """The repair that is suggested: anchored to the base model, or surrogates without one.

    Surrogates too where the base, like the model, is a masked one: the anchored repair is causal.

    bfloat16 where this machine multiplies in it; elsewhere it would be emulated, and slower.
    """
    fast = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    precision = "bfloat16" if fast else "float32"
    if base is None or base.kind == "masked":
        return Repair(precision=precision)
    return Repair(method="anchored", learning_rate=1.7e-3, precision=precision)


def _no_repair(_base: LanguageModel | None) -> Repair:
    return Repair(method=NO_REPAIR)


def _strangers(_base: LanguageModel | None) -> Repair:
    """A step a note: for the same reading, small batches forget more and cost unseen notes less."""
    options: dict[str, bool | int | float | str] = {"sensitive_weight": 24.0, "excess_weight": 6.0}
    return Repair(method="stranger", epochs=4, batch_size=1, learning_rate=8e-4, options=options)


def _strangers_in_gaps(_base: LanguageModel | None) -> Repair:
    return Repair(method="stranger", epochs=4, batch_size=8, learning_rate=1e-3)


def _one_stranger_in_gaps(_base: LanguageModel | None) -> Repair:
    """Smaller steps, and more of what is to stay."""
    options: dict[str, bool | int | float | str] = {"gap_share": 0.4}
    return Repair(method="stranger", epochs=4, batch_size=8, learning_rate=3e-4, options=options)


def _short_anchored(base: LanguageModel | None) -> Repair:
    """One short epoch, where most has gone back to the base already."""
    if base is None or base.kind == "masked":
        return default_repair(base)
    options: dict[str, bool | int | float | str] = {"written": 0.0}
    return Repair(method="anchored", epochs=1, batch_size=2, learning_rate=5e-4, options=options)


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "stranger",
            "As of a stranger",
            "The model learns to say, in every identifier's place, what it says of people it has "
            "never met, and keeps all else as it is; further texts of the domain are taught with "
            "invented details. What is then still said is rewritten. Needs no base model.",
            Measured(
                "0 of 246 direct and 0 of 114 indirect identifiers",
                "99.0 % of the knowledge kept",
                "ward, three seeds",
                "the leaking model has 98.8 % of it",
            ),
            NoUnits(),
            _strangers,
            # Only what is still said: what the reference too would guess stays likely.
            rewrite=Rewriting(last=True, step=3e-4, most_steps=16, likely=1.0),
        ),
        Preset(
            "stranger-gaps",
            "As of a stranger, in gaps",
            "The model learns to fill in, in every identifier's place, what it fills in of people "
            "it has never met, and all other gaps as it does now; further texts of the domain are "
            "taught with invented details. For masked models; needs no base model.",
            Measured(
                "0 of 238 direct and 0 of 114 indirect identifiers",
                "89.3 % of the knowledge kept",
                "the ward's notes, a small BERT, three seeds",
                "the leaking model has 66.5 % of it",
            ),
            NoUnits(),
            _strangers_in_gaps,
        ),
        Preset(
            "person-gaps",
            "One person, in gaps",
            "The model learns to fill in, in this person's place, what it fills in of people it "
            "has never met, and all other gaps as it does now. For masked models; the side effect "
            "on the rest of the model is measured.",
            Measured(
                "6 of 108 spans of those who asked",
                "93 % as many of everyone else's filled in",
                "the ward's notes, a small BERT, three people, three seeds",
                "13 of 108 one by one",
            ),
            NoUnits(),
            _one_stranger_in_gaps,
            needs="subject",
        ),
        Preset(
            "rewrite-units",
            "One neuron in a hundred rewritten",
            "The neurons that forget most for each nat of harm are rewritten; all other weights "
            "stay as they are.",
            Measured(
                "5 of 38 spans of one person",
                "96.6 % of others' spans kept",
                "ward, three seeds",
                "as many random neurons do as well",
            ),
            Located(method="price", share=0.01, layers=None),
            _no_repair,
            operation="rewrite",
            rewrite=Rewriting(most_steps=16, budget=2e-2),
        ),
        Preset(
            "located",
            "Located units",
            "The units that carry the spans most are reset to the base model (zeroed without one), "
            "then the model is anchored to the base, or taught surrogates without one.",
            Measured(
                "0 of 809 direct and 24 of 561 indirect identifiers",
                "perplexity 1.03 × the reference's",
                "clinic, seed 0",
            ),
            Located(),
            default_repair,
        ),
        Preset(
            "drawn",
            "Units drawn at random",
            "Half of the last layer's neurons, drawn at random as SANI draws, are reset to the "
            "base model (zeroed without one), then the model is taught surrogates. For masked "
            "models, which no localiser reads.",
            Measured("not measured", "not measured", ""),
            Drawn(),
            default_repair,
        ),
        Preset(
            "recommended",
            "A tenth of the fine-tuning, then anchored",
            "All weights go nine tenths of the way back to the base model; one short anchored "
            "epoch teaches the corpus's own wording again.",
            Measured(
                "0 of 809 direct identifiers",
                "perplexity 0.925 × the reference's",
                "clinic, three seeds",
                "not told from the reference (KS p at least 0.24)",
            ),
            NoUnits(),
            _short_anchored,
            keep=0.1,
            needs="base",
        ),
        Preset(
            "sani",
            "SANI, as published",
            "Half of the rows of each linear map of the last layer, drawn at random, are "
            "initialised anew; then masked repair (Boutet and Magnana, arXiv:2510.21322).",
            Measured(
                "6.6 % of direct and 11.8 % of indirect identifiers",
                "perplexity 1.51 × the reference's",
                "clinic, three seeds",
            ),
            Drawn(kind="row"),
            lambda base: Repair(method="masked"),
            operation="initialise",
        ),
        Preset(
            "grun",
            "Gated suppression (GRUN)",
            "A gate that recognises what is to be forgotten and a low-rank edit behind it, as an "
            "adapter: the weights stay, so taking it off brings everything back.",
            Measured(
                "0 of 246 direct and 0 of 114 indirect identifiers",
                "91.9 % of the knowledge kept",
                "ward, seed 0",
                "relearning brings 41 % of other people's back",
            ),
            NoUnits(),
            lambda base: Repair(method="grun"),
        ),
        Preset(
            "codes",
            "Codes deleted (CodeUnlearn)",
            "The codes of a codebook that stand for what is asked are deleted, without training.",
            Measured(
                "55 % of direct identifiers",
                "perplexity 1.17 × the reference's",
                "clinic, three seeds",
            ),
            NoUnits(),
            lambda base: Repair(method=NO_REPAIR),
            needs="codebook",
        ),
        Preset(
            "person",
            "One person",
            "All weights are rewritten by the change that moves least else, until nothing of this "
            "person is said, or likely in a sample, nor comes back when a copy reads others' "
            "notes; the side effect on the rest of the model is measured.",
            Measured(
                "0 of 115 spans of those who asked",
                "99.2 % of everyone else's spans kept",
                "ward, three seeds",
            ),
            NoUnits(),
            _no_repair,
            rewrite=Rewriting(step=5e-5, most_steps=64, trials=8),
            needs="subject",
        ),
    )
}
BY_HAND: Mapping[ModelKind, str] = {"causal": "located", "masked": "drawn"}
"""Where a plan begins of which somebody chose a part: units are edited, then it is repaired."""
REWRITTEN_BY_HAND = "rewrite-units"
"""And where only rewriting was chosen: that does without a repair, which would take the trade."""


def start_by_hand(kind: ModelKind, operations: Collection[Operation]) -> str:
    """The preset that a plan begins from of which somebody chose a part, by name.

    Args:
        kind: of the examined model.
        operations: on the units that were chosen, as far as they were.
    """
    return REWRITTEN_BY_HAND if set(operations) == {"rewrite"} else BY_HAND[kind]


def strategies(kind: ModelKind, subjects: Collection[str], *, base_knows: bool) -> tuple[str, ...]:
    """The presets that suit such a case, by name, the one that was measured best first.

    For one person, rewriting: of all weights, or of some neurons by hand. For everyone, back to the
    base where the base knows the domain, so that nothing but memory is lost on the way; else
    strangers, or a gate. A masked model, whoever is asked for, is taught strangers in gaps: it has
    no curvature to be rewritten by. The figures are in benchmarks/README.md.

    Args:
        kind: of the examined model.
        subjects: whose spans are to be forgotten; none for everyone's.
        base_knows: whether there is a base that knows the domain.
    """
    if kind == "masked":
        return ("person-gaps" if subjects else "stranger-gaps", BY_HAND[kind])
    if subjects:
        return ("person", REWRITTEN_BY_HAND)
    return ("recommended", BY_HAND[kind], "stranger") if base_knows else ("stranger", "grun")


def usual_preset(kind: ModelKind, subjects: Collection[str], *, base_knows: bool) -> str:
    """The first of `strategies`."""
    return strategies(kind, subjects, base_knows=base_knows)[0]


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        PlanError: if there is none.
    """
    if name not in PRESETS:
        raise PlanError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]


def another_method(name: str, now: Repair) -> Repair:
    """A repair by another method: its own options, learning rate and epochs; the rest as `now`."""
    kept = now.model_dump(exclude={"method", "options", "learning_rate", "epochs"})
    return Repair(method=name, **kept)
