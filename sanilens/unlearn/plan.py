"""The plan: everything that decides a run, as canonical JSON with a SHA-256.

The app builds one, the engine executes one, an auditor replays one. Knows nothing of tensors.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sanilens.atomic import write_text
from sanilens.errors import PlanError
from sanilens.model.units import SAE_ID, Feature, Unit, parse_unit

SaeId = Annotated[str, Field(pattern=f"^{SAE_ID}$")]
Operation = Literal["reset", "zero", "mean", "clamp", "cap", "bake"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
_SUITABLE: dict[str, tuple[Operation, ...]] = {
    "mlp": ("reset", "zero", "mean", "clamp", "cap"),
    "head": ("reset", "zero"),
    "sae": ("zero", "clamp", "bake"),
}
MAX_PLAN_BYTES = 64 * 2**20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(_Frozen):
    """A model folder, hub id, corpus file or bundled name, and the SHA-256 of its content."""

    source: Annotated[str, Field(min_length=1, max_length=4096)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def operations_of(unit: Unit) -> tuple[Operation, ...]:
    """The operations that suit a unit of its kind."""
    return _SUITABLE[str(unit).partition(".")[0]]


class UnitEdit(_Frozen):
    """One unit, one operation.

    reset: weights of the base model, or, without one, fresh from the initialiser.
    zero: a := 0. mean and clamp: a := value. cap: a := min(a, value).
    A feature's clamp sets it to value times the norm of the activations that it reads, since an
    absolute value means something else in every model; bake takes its direction out of the weights.
    """

    unit: str
    operation: Operation
    value: float | None = None

    @field_validator("unit")
    @classmethod
    def _is_a_unit(cls, text: str) -> str:
        try:
            parse_unit(text)
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
    def target(self) -> Unit:
        """The unit, parsed."""
        return parse_unit(self.unit)


class Repair(_Frozen):
    """The training after the edits.

    method: `surrogate` teaches every token of texts whose identifiers are replaced by fresh,
    consistent surrogates each epoch; `masked` (SANI) keeps the sensitive tokens as context and
    never teaches them; `anchored` teaches what the base model says at an identifier's
    place (see unlearn/anchored.py) and needs one; `none` leaves the edits alone.
    train: all weights, or those of the edited layers only.
    freeze_erased: keep the weights of edited units as the edit left them.
    precision: of the matrix products; the weights stay float32.
    max_perplexity_rise: stop after an epoch in which perplexity on unseen notes (or on the
    corpus's non-sensitive tokens, without unseen notes) stands this share above the lowest seen.
    """

    method: Literal["none", "masked", "surrogate", "anchored"] = "surrogate"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    epochs: Annotated[int, Field(ge=1, le=1000)] = 2
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 4
    train: Literal["all", "edited_layers"] = "all"
    freeze_erased: bool = False
    precision: Literal["float32", "bfloat16"] = "float32"
    max_perplexity_rise: Annotated[float, Field(gt=0)] | None = None


class AuditSettings(_Frozen):
    """How arms are measured: tokens of prefix (None: all), and the attacker's sampler."""

    prefix_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None
    temperature: Annotated[float, Field(gt=0)] = 1.0
    top_k: Annotated[int, Field(ge=1)] | None = 40


class Plan(_Frozen):
    """What a run does. `controls` adds the arms that give the result its meaning.

    `saes` names the autoencoders whose features are edited, by id.
    """

    schema_version: Literal[1] = 1
    model: Source
    base: Source | None = None
    reference: Source | None = None
    corpus: Source
    control: Source | None = None
    unseen: Source | None = None
    saes: dict[SaeId, Source] = {}
    edits: tuple[UnitEdit, ...] = ()
    repair: Repair = Repair()
    audit: AuditSettings = AuditSettings()
    controls: bool = True
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @model_validator(mode="after")
    def _each_unit_once(self) -> Self:
        units = [edit.unit for edit in self.edits]
        if len(set(units)) != len(units):
            twice = next(u for u in units if units.count(u) > 1)
            raise ValueError(f"unit {twice} is edited twice")
        return self

    @model_validator(mode="after")
    def _features_of_known_autoencoders(self) -> Self:
        units = [edit.target for edit in self.edits]
        missing = {u.sae for u in units if isinstance(u, Feature)} - set(self.saes)
        if missing:
            raise ValueError(
                f"features of autoencoder {min(missing)} are edited; saes must name it"
            )
        return self

    @model_validator(mode="after")
    def _anchored_to_a_base(self) -> Self:
        if self.repair.method == "anchored" and self.base is None:
            raise ValueError("an anchored repair needs a base model; give one, or use surrogate")
        return self

    def canonical(self) -> str:
        """The one JSON text of this plan: sorted keys, no spaces."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Hash of the canonical JSON; two plans that decide the same share it."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def read_plan(path: Path) -> Plan:
    """Read and validate a plan file.

    Raises:
        PlanError: naming file, field and remedy.
    """
    try:
        if path.stat().st_size > MAX_PLAN_BYTES:
            raise PlanError(f"{path.name}: larger than 64 MB; this is not a plan.")
        fields = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise PlanError(f"{path.name}: cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise PlanError(
            f"{path.name}: not valid JSON. Build a plan with `sanilens plan` or the Plan page."
        ) from error
    try:
        return Plan.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "plan"
        raise PlanError(f"{path.name}: {where}: {first['msg']}.") from None


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan readably; its hash is of the canonical form, whatever the layout."""
    write_text(path, json.dumps(plan.model_dump(mode="json"), indent=1, sort_keys=True) + "\n")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
