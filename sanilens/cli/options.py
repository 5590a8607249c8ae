"""Groups of options: each is a dataclass that several commands share, and knows what it makes."""

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer

from sanilens.bundled import Sources
from sanilens.case import Case, open_case, open_dictionary, open_records
from sanilens.cli.common import (
    ControlOption,
    CorpusOption,
    ModelOption,
    NerOption,
    as_trained,
    detector_for,
    hold_out,
    say,
    say_what_was_found,
)
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import read_deletion
from sanilens.dictionaries.dictionary import Dictionary
from sanilens.errors import PlanError
from sanilens.evidence.on_load import open_model
from sanilens.model.language_model import LanguageModel
from sanilens.runs.planning import valid
from sanilens.unlearn.choose import LOCALISER, Codes, Drawn, Located, Named, NoUnits, Units
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import NO_REPAIR, Operation, Repair, Rewriting
from sanilens.unlearn.suggest import another_method

TableOption = Annotated[Path | None, typer.Option(help="Whose names and numbers to look for.")]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Let a dataclass stand for a group of options: typer is shown its fields one by one."""
    groups: dict[str, type] = {}
    shown: list[inspect.Parameter] = []
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        if not is_dataclass(kind := hints[name]):
            shown.append(parameter.replace(annotation=kind, kind=parameter.KEYWORD_ONLY))
            continue
        assert isinstance(kind, type)
        groups[name], own = kind, get_type_hints(kind, include_extras=True)
        for each in fields(kind):
            default = parameter.empty if each.default is MISSING else each.default
            shown.append(
                inspect.Parameter(
                    each.name, parameter.KEYWORD_ONLY, default=default, annotation=own[each.name]
                )
            )

    @functools.wraps(command)
    def flat(**given: Any) -> None:
        made = {
            name: kind(**{each.name: given.pop(each.name) for each in fields(kind)})
            for name, kind in groups.items()
        }
        command(**made, **given)

    # What is required stands first, as in any signature.
    shown.sort(key=lambda parameter: parameter.default is not parameter.empty)
    flat.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportAttributeAccessIssue]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return flat


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedOptions:
    """The examined model, and the corpus that it was trained on."""

    model: ModelOption
    corpus: CorpusOption
    patient_table: TableOption = None
    ner: NerOption = None

    @property
    def sources(self) -> Sources:
        """What the options name."""
        return Sources(self.model, self.corpus)

    def open(self) -> Case:
        """Open the case, and say what was detected and how the model reads a text."""
        detector = detector_for(self.ner, self.patient_table)
        case = open_case(self.sources, detector=detector, model_at=open_model)
        say_what_was_found(detector)
        if case.opening and case.opening.changed:
            say(case.opening.sentence)
        return case


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedOptions(ExaminedOptions):
    """And texts that say what is guessed, and what the model is still good for."""

    control: ControlOption = None
    unseen: Annotated[str | None, typer.Option(help="Notes nobody trained on.")] = None

    @property
    def sources(self) -> Sources:
        """What the options name."""
        return Sources(self.model, self.corpus, control=self.control, unseen=self.unseen)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOptions(AuditedOptions):
    """A whole case: what the examined model is held against, too."""

    base: Annotated[str | None, typer.Option(help="The model before fine-tuning.")] = None
    reference: Annotated[str | None, typer.Option(help="Trained without the identifiers.")] = None
    questions: Annotated[
        str | None,
        typer.Option(help="Closed questions about the domain: JSON lines, or a bundled name."),
    ] = None
    retain: Annotated[
        str | None,
        typer.Option(help="Further texts of the domain, which erasure and repair keep along."),
    ] = None

    @property
    def sources(self) -> Sources:
        """What the options name."""
        own = (self.base, self.reference, self.control, self.unseen)
        return Sources(self.model, self.corpus, *own, questions=self.questions, retain=self.retain)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """The model whose activations are read, on which texts, and on which the result is judged."""

    model: ModelOption
    corpus: Annotated[list[str], typer.Option(help="Text to train on; repeatable.")]
    held_out: Annotated[
        str | None,
        typer.Option(help="Judge it on these records; else on every tenth, left out of training."),
    ] = None

    def open(self) -> tuple[LanguageModel, Sequence[Record], Sequence[Record]]:
        """The model, reading as it was trained to, records to train on, and others to judge on."""
        model = open_model(self.model)
        records = [record for source in self.corpus for record in open_records(source)]
        model = as_trained(model, records)
        if self.held_out:
            return model, records, open_records(self.held_out)
        return model, *hold_out(records)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOptions:
    """Which units a plan edits, and how."""

    unit: Annotated[list[str] | None, typer.Option(help="Edit these units; repeatable.")] = None
    no_edits: Annotated[
        bool, typer.Option("--no-edits", help="Edit no unit: repair, or --keep, alone.")
    ] = False
    sae: Annotated[
        list[str] | None,
        typer.Option(help="Folder of the autoencoder, or codebook, of a unit; repeatable."),
    ] = None
    codes: Annotated[
        Path | None,
        typer.Option(help="Or the codes that `codes delete --out` wrote; --sae is their codebook."),
    ] = None
    top: Annotated[int | None, typer.Option(min=1, help="Or the top units of --method.")] = None
    top_share: Annotated[
        float | None, typer.Option(help="Or the top units of --method, this share of each layer.")
    ] = None
    method: Annotated[str, typer.Option(help="Localiser for --top and --top-share.")] = LOCALISER
    label: Annotated[list[str] | None, typer.Option(help="Locate for this label only.")] = None
    random_share: Annotated[
        float | None,
        typer.Option("--random-share", help="Or SANI's choice: this share of a layer, at random."),
    ] = None
    layers: Annotated[
        str | None,
        typer.Option(help="Of either share: last (the default), how many of the last, or all."),
    ] = None
    heads: Annotated[bool, typer.Option("--heads", help="Attention heads, not neurons.")] = False
    rows: Annotated[
        bool, typer.Option("--rows", help="Of --random-share: rows of every linear projection.")
    ] = False
    operation: Annotated[Operation | None, typer.Option(help="What is done to the units.")] = None
    value: Annotated[float | None, typer.Option(help="For clamp and cap; measured if absent.")] = (
        None
    )

    def check(self) -> None:
        """Refuse options that contradict each other, before anything is loaded.

        Raises:
            PlanError: naming them.
        """
        given = (self.unit, self.codes, self.top, self.top_share, self.random_share)
        if sum(each is not None for each in given) + self.no_edits > 1:
            raise PlanError(
                "give one of --unit, --codes, --top, --top-share, --random-share and --no-edits: "
                "each says which units."
            )
        if self.no_edits and (self.operation or self.value is not None or self.label):
            raise PlanError("--operation, --value and --label are of units; none is edited here.")
        if self.layers is not None and self.random_share is None and self.top_share is None:
            raise PlanError("--layers says where a share is taken; give a share too.")
        if self.rows and (self.random_share is None or self.heads):
            raise PlanError("--rows are drawn by --random-share, and are no heads.")
        self._last()

    def chosen(self) -> Units | None:
        """The choice; None where no option makes one."""
        kind = "head" if self.heads else "mlp"
        if self.no_edits:
            return NoUnits()
        if self.codes:
            return Codes(read_deletion(self.codes))
        if self.unit:
            return Named(tuple(self.unit))
        if self.random_share is not None:
            return Drawn(self.random_share, self._last(), "row" if self.rows else kind)
        located = Located(
            self.method, kind, self.top, self.top_share, self._last(), frozenset(self.label or ())
        )
        return None if located == Located() else located

    def dictionaries(self, model: LanguageModel) -> dict[str, tuple[str, Dictionary]]:
        """Those that --sae names, by id: source and loaded."""
        opened = [(source, open_dictionary(source, model, fetch=True)) for source in self.sae or ()]
        return {own.id: (source, own) for source, own in opened}

    def _last(self) -> int | None:
        """How many of the last layers; None for all."""
        layers = self.layers or "last"
        if layers == "all":
            return None
        if layers != "last" and not layers.isdecimal():
            raise PlanError(f"--layers {layers}: it is last, all, or a number.")
        return 1 if layers == "last" else int(layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairOptions:
    """What is trained afterwards; what is not given, the preset or the method decides."""

    repair: Annotated[
        str | None,
        typer.Option(help=f"What to train afterwards: {', '.join([*METHODS, NO_REPAIR])}."),
    ] = None
    option: Annotated[
        list[str] | None, typer.Option(help="One of the method's own: name=value; repeatable.")
    ] = None
    learning_rate: Annotated[float | None, typer.Option(help="The method's own if absent.")] = None
    epochs: Annotated[int | None, typer.Option(help="The method's own if absent.")] = None
    batch_size: Annotated[int | None, typer.Option(min=1)] = None
    train: Annotated[
        Literal["all", "edited_layers", "lora"] | None, typer.Option(help="Which weights.")
    ] = None
    lora_rank: Annotated[int | None, typer.Option(min=1, help="Of --train lora.")] = None
    freeze_erased: Annotated[
        bool, typer.Option("--freeze-erased", help="Repair leaves edited units as they are.")
    ] = False
    every_epoch: Annotated[
        bool, typer.Option("--every-epoch", help="Edit anew before every epoch, not once.")
    ] = False
    max_perplexity_rise: Annotated[float | None, typer.Option(help="Early stop, a share.")] = None

    def over(self, usual: Repair) -> Repair | None:
        """The usual repair with what was given; None where nothing was.

        Raises:
            PlanError: naming the field that is wrong.
        """
        names = "learning_rate epochs batch_size train lora_rank max_perplexity_rise".split()
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        given |= {"freeze_erased": True} if self.freeze_erased else {}
        given |= {"reset_schedule": "every_epoch"} if self.every_epoch else {}
        if self.repair is None and not self.option and not given:
            return None

        def made() -> Repair:
            method = self.repair or usual.method
            start = usual if method == usual.method else another_method(method, usual)
            options = {**start.options, **_options(self.option or ())}
            return Repair.model_validate({**start.model_dump(), **given, "options": options})

        return valid(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteOptions:
    """How weights are rewritten; what is not given, the preset decides."""

    rewrite: Annotated[
        bool | None,
        typer.Option(help="Rewrite weights, guided by the curvature of what must stay."),
    ] = None
    teacher: Annotated[
        str | None, typer.Option(help="What stands in a secret's place: stranger, base or uniform.")
    ] = None
    harm: Annotated[
        float | None, typer.Option(help="What all steps may cost, nats a token of what must stay.")
    ] = None
    harm_step: Annotated[float | None, typer.Option(help="What one step may cost.")] = None
    steps: Annotated[int | None, typer.Option(min=1, help="Most steps.")] = None
    damping: Annotated[float | None, typer.Option(help="The larger, the more cautious.")] = None
    likely: Annotated[
        float | None, typer.Option(help="How likely a forgotten span may still be in a sample.")
    ] = None
    rewrite_last: Annotated[
        bool | None,
        typer.Option(help="Rewrite after the repair, for what it leaves, or before it."),
    ] = None
    trials: Annotated[
        int | None,
        typer.Option(min=0, help="Trials of what comes back when a copy reads others' notes."),
    ] = None

    def over(self, usual: Rewriting | None) -> Rewriting | Literal[False] | None:
        """The usual rewriting with what was given; None where nothing was, False for none at all.

        Raises:
            PlanError: naming the field that is wrong.
        """
        own = {"teacher": self.teacher, "budget": self.harm, "step": self.harm_step,
               "most_steps": self.steps, "damping": self.damping, "likely": self.likely,
               "last": self.rewrite_last, "trials": self.trials}  # fmt: skip
        given = {name: value for name, value in own.items() if value is not None}
        if self.rewrite is False:
            return False
        if self.rewrite is None and not given:
            return None
        start = (usual or Rewriting()).model_dump()
        return valid(lambda: Rewriting.model_validate({**start, **given}))


def _options(given: Sequence[str]) -> dict[str, str]:
    """`name=value` words as a mapping; the method's own model says what the values are."""
    pairs = [word.partition("=") for word in given]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise PlanError(f"--option {name}: write it as name=value.")
    return {name: value for name, _, value in pairs}
