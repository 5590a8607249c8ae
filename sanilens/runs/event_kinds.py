"""The kinds of event that a run's log may hold, and what each of them says.

A log can have been made by anybody: a valid chain of hashes says that nothing was changed in part,
not that the events make sense. Events of earlier versions lack the fields that have defaults.
"""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sanilens.runs.arms import ArmName

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0, lt=2**53)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


def _within_the_folder(name: str) -> str:
    path = PurePosixPath(name)
    if str(path) != name or path.is_absolute() or ".." in path.parts or not path.name:
        raise ValueError("a file of a run is named from its folder on")
    return name


Files = dict[Annotated[str, AfterValidator(_within_the_folder)], Sha256]
"""SHA-256 of files by their paths within the run's folder."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    n: _Count
    time: _Seconds


class _OfArm(_Event):
    arm: ArmName


class _Started(_Event):
    event: Literal["started"]
    plan: Sha256
    files: Files = {}


class _Opening(_Event):
    event: Literal["opening"]
    tokens: list[_Count]


class _Arms(_Event):
    event: Literal["arms"]
    names: list[ArmName]


class _Measuring(_OfArm):
    event: Literal["measuring"]


class _Measured(_OfArm):
    event: Literal["measured"]
    seconds: _Seconds
    files: Files = {}


class _Edited(_OfArm):
    event: Literal["edited"]
    units: _Count
    hook_only: _Count


class _AtStep(_OfArm):
    event: Literal["resumed", "stopped_early", "rolled_back"]
    step: _Count


class _Checkpoint(_OfArm):
    event: Literal["checkpoint"]
    step: _Count
    good: bool
    files: Annotated[Files, Field(min_length=1, max_length=1)]


class _Step(_OfArm):
    event: Literal["step"]
    step: _Count
    of: _Count
    loss: _Finite


class _Curve(_OfArm):
    event: Literal["curve"]
    step: _Count
    said: _Count
    of: _Count
    perplexity: Annotated[float, Field(ge=0)]  # infinite where it overflows; never NaN


class _Diverged(_OfArm):
    event: Literal["diverged"]
    step: _Count
    reason: Annotated[str, Field(max_length=1000)]


class _Exported(_Event):
    event: Literal["exported"]
    hook_only: _Count
    arm: ArmName = "after"
    files: Files = {}


class _Ended(_Event):
    event: Literal["cancelled", "finished"]


_EVENT: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        _Started
        | _Opening
        | _Arms
        | _Measuring
        | _Measured
        | _Edited
        | _AtStep
        | _Checkpoint
        | _Step
        | _Curve
        | _Diverged
        | _Exported
        | _Ended,
        Field(discriminator="event"),
    ]
)


def nonsense(event: dict[str, Any]) -> str | None:
    """What is wrong with an event, in words that hold none of its values; None if it makes sense.

    Its hash is the chain's own matter.
    """
    try:
        _EVENT.validate_python({name: value for name, value in event.items() if name != "hash"})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"].startswith("union_tag"):
            return "an event that this version does not know"
        # The name of a field that is none is a word of whoever made the log.
        where = first["loc"][1:2] if first["type"] != "extra_forbidden" else ()
        return f"{where[0] if where else 'the event'} makes no sense"
    if event["event"] == "curve" and not event["said"] <= event["of"]:
        return "said makes no sense"
    return None
