"""The plan: everything that decides a run, as canonical JSON with a SHA-256.

The app builds one, the engine executes one, an auditor replays one. Knows nothing of tensors.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from sanilens.atomic import write_text
from sanilens.errors import PlanError
from sanilens.files import open_file, parse_json
from sanilens.model.units import SAE_ID, Code, Editable, Feature, parse_editable

SaeId = Annotated[str, Field(pattern=f"^{SAE_ID}$")]
_Names = tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...]
Subjects = Annotated[_Names, AfterValidator(lambda names: tuple(sorted(set(names))))]
Operation = Literal[
    "reset", "initialise", "zero", "mean", "clamp", "cap", "rewrite",
    "bake", "refill", "drop", "renorm",
]  # fmt: skip
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
_SUITABLE: dict[str, tuple[Operation, ...]] = {
    "mlp": ("reset", "initialise", "zero", "mean", "clamp", "cap", "rewrite"),
    "head": ("reset", "initialise", "zero", "rewrite"),
    "row": ("reset", "initialise", "zero", "rewrite"),
    "sae": ("zero", "clamp", "bake"),
    "code": ("zero", "refill", "drop", "renorm"),
}
NO_REPAIR = "none"
OptionValue = bool | int | float | str
MAX_PLAN_BYTES = 64 * 2**20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(_Frozen):
    """A model or corpus: path, `hub:owner/name` or bundled name; and the SHA-256 of its content."""

    source: Annotated[str, Field(min_length=1, max_length=4096)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def operations_of(unit: Editable) -> tuple[Operation, ...]:
    """The operations that suit a unit of its kind."""
    return _SUITABLE[str(unit).partition(".")[0]]


class UnitEdit(_Frozen):
    """One unit, one operation.

    reset: weights of the base model, or, without one, as initialise.
    initialise: fresh weights from the module's own initialiser.
    zero: a := 0. mean and clamp: a := value. cap: a := min(a, value).
    A feature's clamp sets it to value times the norm of the activations that it reads, since an
    absolute value means something else in every model; bake takes its direction out of the weights.
    rewrite: the unit's own weights are solved anew, so that what is asked is forgotten with the
    least change elsewhere (`Plan.rewrite` says how).
    A code is taken out of its codebook: zero keeps what the codebook leaves out, as a feature's
    does; refill, drop and renorm let codes alone pass and differ in what takes its place.
    """

    unit: str
    operation: Operation
    value: float | None = None

    @field_validator("unit")
    @classmethod
    def _is_a_unit(cls, text: str) -> str:
        try:
            parse_editable(text)
        except PlanError as error:
            raise ValueError(str(error)) from None
        return text

    @model_validator(mode="after")
    def _has_a_value_where_needed(self) -> Self:
        if (self.operation in ("mean", "clamp", "cap")) != (self.value is not None):
            raise ValueError("mean, clamp and cap need a value; the others take none")
        return self

    @model_validator(mode="after")
    def _suits_the_unit(self) -> Self:
        kind = self.unit.partition(".")[0]
        if self.operation not in _SUITABLE[kind]:
            possible = ", ".join(_SUITABLE[kind])
            raise ValueError(f"{self.unit} cannot be edited by {self.operation}; by {possible}")
        return self

    @property
    def parsed(self) -> Editable:
        """The unit, or row, parsed."""
        return parse_editable(self.unit)


def _of_method(attribute: str) -> Callable[[dict[str, Any]], Any]:
    """A default that the repair's method decides; imported late, since methods import torch."""

    def default(known: dict[str, Any]) -> Any:
        from sanilens.unlearn.methods import METHODS

        # `none` trains nothing: any method's value will do.
        return getattr(METHODS.get(known["method"], METHODS["surrogate"]), attribute)

    return default


class Repair(_Frozen):
    """The training after the edits, or instead of them.

    method: what is taught, by its name in `sanilens.unlearn.methods`; `none` leaves the edits
    alone. Learning rate and epochs are the method's own where they are not given.
    train: all weights, those of the edited layers, or low-rank additions to every projection
    (`lora`, of rank `lora_rank`), which are added to the weights at the end.
    freeze_erased: keep the weights of edited units as the edit left them.
    reset_schedule: edit once, or anew before every epoch.
    precision: of the matrix products; the weights stay float32.
    max_perplexity_rise: stop after an epoch in which perplexity on unseen notes (or on the
    corpus's non-sensitive tokens, without unseen notes) stands this share above the lowest seen.
    options: the method's own; those that are left out get its defaults.
    """

    method: str = "surrogate"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(
        default_factory=_of_method("learning_rate")
    )
    epochs: Annotated[int, Field(ge=1, le=1000)] = Field(default_factory=_of_method("epochs"))
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 4
    train: Literal["all", "edited_layers", "lora"] = "all"
    lora_rank: Annotated[int, Field(ge=1, le=1024)] = 8
    freeze_erased: bool = False
    reset_schedule: Literal["once", "every_epoch"] = "once"
    precision: Literal["float32", "bfloat16"] = "float32"
    max_perplexity_rise: Annotated[float, Field(gt=0)] | None = None
    options: dict[str, OptionValue] = Field(default_factory=dict, validate_default=True)

    @field_validator("method")
    @classmethod
    def _is_a_method(cls, name: str) -> str:
        from sanilens.unlearn.methods import METHODS

        if name not in (NO_REPAIR, *METHODS):
            raise ValueError(f"there is {NO_REPAIR}, {', '.join(METHODS)}")
        return name

    @field_validator("options")
    @classmethod
    def _are_the_methods(
        cls, given: dict[str, OptionValue], info: ValidationInfo
    ) -> dict[str, OptionValue]:
        """Complete and canonical, so that plans that decide the same have the same hash."""
        from sanilens.unlearn.methods import METHODS, Options

        name = info.data.get("method")
        model = METHODS[name].options if name in METHODS else Options
        try:
            return model.model_validate(given).model_dump()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            known = ", ".join(model.model_fields) or "none"
            raise ValueError(f"{where}: {first['msg']} ({name} has {known})") from None

    @model_validator(mode="after")
    def _erased_weights_are_trained(self) -> Self:
        if self.train == "lora" and (self.freeze_erased or self.reset_schedule == "every_epoch"):
            raise ValueError(
                "low-rank additions lie beside the erased weights, so these can neither be frozen "
                "nor be reset again; train all weights, or the edited layers"
            )
        return self

    @property
    def trains(self) -> bool:
        """Whether there is any training."""
        return self.method != NO_REPAIR

    @property
    def needs_base(self) -> bool:
        """Whether the method, with these options, needs a base model."""
        from sanilens.unlearn.methods import METHODS

        if not self.trains:
            return False
        return METHODS[self.method].options.model_validate(self.options).needs_base


class Rewriting(_Frozen):
    """Curvature-guided erasure (unlearn/rewriting.py): of all weights, or of the units to rewrite.

    teacher: who says what stands in the place of a secret (model/teachers.py).
    damping: lam; the larger, the less a step trusts the curvature.
    step: KL that one step may cost what must stay, nats a token, measured.
    budget: the same of all steps together.
    likely: a span is forgotten once it is not said and no likelier than this, or than the teacher
        has it: one sample in a thousand.
    most_steps: after which it ends, whatever is still said.
    layers: whose weights may change; empty: all. Of chosen units it says nothing.
    last: after the repair, for what that leaves, rather than before it.
    trials: how often at most a copy reads on, once all is forgotten, and what it says again is
        pushed on (unlearn/reading_on.py). Only a plan for some people has others' notes to read.
    """

    teacher: str = "stranger"
    damping: Annotated[float, Field(gt=0, le=1)] = 1e-7
    step: Annotated[float, Field(gt=0, le=10)] = 1e-4
    budget: Annotated[float, Field(gt=0, le=10)] = 1e-2
    likely: Annotated[float, Field(gt=0, le=1)] = 1e-3
    most_steps: Annotated[int, Field(ge=1, le=1000)] = 32
    layers: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...],
        Field(max_length=1024),
        AfterValidator(lambda layers: tuple(sorted(set(layers)))),
    ] = ()
    last: bool = False
    trials: Annotated[int, Field(ge=0, le=100)] = 0

    @field_validator("teacher")
    @classmethod
    def _is_a_teacher(cls, name: str) -> str:
        from sanilens.model.teachers import TEACHERS  # late: it imports torch

        if name not in TEACHERS:
            raise ValueError(f"there is {', '.join(TEACHERS)}")
        return name


class AuditSettings(_Frozen):
    """How arms are measured: tokens of prefix (None: all), and the attacker's sampler.

    `metrics` are measured beside the usual ones; each may take as long as the run itself.
    `attacks` are tried at the run's end, on the model before and after, the reference and the base.
    """

    prefix_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None
    temperature: Annotated[float, Field(gt=0)] = 1.0
    top_k: Annotated[int, Field(ge=1)] | None = 40
    metrics: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()

    @field_validator("attacks")
    @classmethod
    def _are_attacks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from sanilens.audit.attacks import find_attacks  # late: attacks import torch

        try:
            return tuple(attack.name for attack in find_attacks(names))
        except PlanError as error:
            raise ValueError(str(error)) from None

    @field_validator("metrics")
    @classmethod
    def _are_metrics(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """In the registry's order, so that plans that measure the same have the same hash."""
        from sanilens.audit.metrics import USUAL, find_metrics  # late: metrics import torch

        try:
            return tuple(m.name for m in find_metrics(names) if m.name not in USUAL)
        except PlanError as error:
            raise ValueError(str(error)) from None


# Fields that plans did not have at first, and what JSON has where a plan says nothing of them.
_ADDED: dict[str, Any] = {
    "subjects": [],
    "earlier": [],
    "opening": None,
    "questions": None,
    "retain": None,
    "rewrite": None,
    "rewrite.trials": 0,
    "audit.metrics": [],
    "audit.attacks": [],
}


def without_added(fields: dict[str, Any]) -> dict[str, Any]:
    """A plan's JSON without what plans did not have at first and this one says nothing of."""
    kept = {name: dict(own) if isinstance(own, dict) else own for name, own in fields.items()}
    for name, unset in _ADDED.items():
        part, _, last = name.rpartition(".")
        where = kept.get(part) if part else kept
        if isinstance(where, dict) and where.get(last) == unset:
            where.pop(last, None)
    return kept


class Plan(_Frozen):
    """What a run does. `controls` adds the arms that give the result its meaning.

    `retain`: further texts of the domain, which erasure and repair keep along.
    `questions`: closed questions about the domain, which every arm answers.
    `saes` names the autoencoders whose features, and the codebooks whose codes, are edited, by id.
    `keep` is the share of the fine-tuning that stays, before the edits: 0 is the base model.
    `subjects`: whose spans are to be forgotten (none: everyone's); all others' stay, as text.
    `earlier` were deleted before: their records are not read, only measured.
    `rewrite`: curvature-guided erasure of all weights, or of the units whose edit is `rewrite`.
    `opening`: the tokens before every text, instead of those that the tokenizer puts there.
    """

    schema_version: Literal[1] = 1
    model: Source
    base: Source | None = None
    reference: Source | None = None
    corpus: Source
    control: Source | None = None
    unseen: Source | None = None
    retain: Source | None = None
    questions: Source | None = None
    saes: dict[SaeId, Source] = {}
    subjects: Subjects = ()
    earlier: Subjects = ()
    opening: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=8)] | None = None
    keep: Annotated[float, Field(ge=0, le=1)] = 1.0
    edits: tuple[UnitEdit, ...] = ()
    rewrite: Rewriting | None = None
    repair: Repair = Field(default_factory=Repair)
    audit: AuditSettings = AuditSettings()
    controls: bool = True
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @model_validator(mode="after")
    def _reference_is_another_model(self) -> Self:
        if self.reference and self.reference.sha256 == self.model.sha256:
            raise ValueError("the reference is the examined model itself, which saw everything")
        return self

    @model_validator(mode="after")
    def _earlier_subjects_are_others(self) -> Self:
        if self.earlier and (not self.subjects or {*self.earlier} & {*self.subjects}):
            raise ValueError("earlier subjects are others than those asked for now, if any are")
        return self

    @model_validator(mode="after")
    def _each_unit_once(self) -> Self:
        units = [edit.unit for edit in self.edits]
        if len(set(units)) != len(units):
            twice = next(u for u in units if units.count(u) > 1)
            raise ValueError(f"unit {twice} is edited twice")
        return self

    @model_validator(mode="after")
    def _features_of_known_autoencoders(self) -> Self:
        edited = {e.parsed.sae for e in self.edits if isinstance(e.parsed, Feature)}
        if missing := edited - set(self.saes):
            raise ValueError(f"features of sae {min(missing)} are edited; saes must name it")
        return self

    @model_validator(mode="after")
    def _codes_of_a_codebook_in_one_way(self) -> Self:
        ways: dict[str, Operation] = {}
        for edit in self.edits:
            if not isinstance(unit := edit.parsed, Code):
                continue
            if (first := ways.setdefault(unit.sae, edit.operation)) != edit.operation:
                raise ValueError(
                    f"codes of {unit.sae} are deleted by {first} and by {edit.operation}; a "
                    "codebook's codes are all deleted in one way"
                )
        return self

    @model_validator(mode="after")
    def _has_the_base_that_is_needed(self) -> Self:
        if self.base is None and self.repair.needs_base:
            raise ValueError(f"repair {self.repair.method} needs a base model; give one")
        if self.base is None and self.keep < 1:
            raise ValueError("only a part of the fine-tuning is kept; that needs a base model")
        return self

    @model_validator(mode="after")
    def _says_how_units_are_rewritten(self) -> Self:
        units = next((e.unit for e in self.edits if e.operation == "rewrite"), None)
        if units and self.rewrite is None:
            raise ValueError(f"unit {units} is to be rewritten; rewrite must say how")
        if self.rewrite and self.rewrite.teacher == "base" and self.base is None:
            raise ValueError("the base model is the teacher of rewrite; give one")
        return self

    @model_validator(mode="after")
    def _rewrites_what_it_measures(self) -> Self:
        if self.rewrite and self.rewrite.last and self.repair.trains:
            from sanilens.unlearn.methods import find_method  # late: it imports torch

            if find_method(self.repair.method).adapter:
                raise ValueError(
                    f"repair {self.repair.method} trains an adapter, under which no weights can be "
                    "rewritten afterwards; rewrite before it"
                )
        return self

    @property
    def changes_nothing(self) -> bool:
        """Whether the result would be the examined model."""
        changed = self.edits or self.rewrite or self.repair.trains
        return not changed and self.keep == 1

    @property
    def rewrites_all(self) -> Literal["first", "afterwards"] | None:
        """When all weights are rewritten: afterwards is where the repair leaves anything."""
        if self.rewrite is None or any(edit.operation == "rewrite" for edit in self.edits):
            return None
        return "afterwards" if self.rewrite.last and self.repair.trains else "first"

    @property
    def leans_on_base(self) -> bool:
        """Whether something becomes what the base model has, which should then know the domain."""
        if self.base is None:
            return False
        resets = any(edit.operation == "reset" for edit in self.edits)
        taught = self.rewrite is not None and self.rewrite.teacher == "base"
        return resets or taught or self.keep < 1 or self.repair.needs_base

    def canonical(self) -> str:
        """The one JSON text: sorted keys, no spaces; without what plans did not have at first."""
        fields = without_added(self.model_dump(mode="json"))
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Hash of the canonical JSON; two plans that decide the same share it."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def read_plan(path: Path) -> Plan:
    """Read and validate a plan file.

    Raises:
        PlanError: naming file, field and remedy.
    """
    remedy = "Build a plan with `sanilens plan` or the Plan page."
    try:
        with open_file(path, PlanError, remedy=remedy, most=MAX_PLAN_BYTES) as file:
            fields = parse_json(file.read())
    except (OSError, ValueError) as error:
        raise PlanError(f"{path.name} is not valid JSON. {remedy}") from error
    try:
        return Plan.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "plan"
        raise PlanError(f"{path.name}: {where}: {first['msg']}.") from None


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan readably; its hash is of the canonical form, whatever the layout."""
    write_text(path, json.dumps(plan.model_dump(mode="json"), indent=1, sort_keys=True) + "\n")
