"""Arms: what is measured beside what. One arm is one model state under the same audit."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from sanilens.atomic import write_file, write_text
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.summary import RateTable, verdict_frame
from sanilens.errors import RunError

ArmName = Literal[
    "before", "after", "edits_only", "repair_only", "random_units", "base", "reference", "lookalike"
]
ARMS: tuple[ArmName, ...] = get_args(ArmName)

TITLES: dict[ArmName, str] = {
    "before": "Before",
    "after": "After (this plan)",
    "edits_only": "Edits without repair",
    "repair_only": "Repair only",
    "random_units": "Random units + repair",
    "base": "Base model",
    "reference": "Reference: never saw them",
    "lookalike": "Look-alikes, before",
}


class Arm(BaseModel):
    """One arm's figures.

    extraction: rate, n and interval by kind (memory only); by_label the same by label.
    repeated: spans whose value stands in their prefix: said and in all.
    perplexity_unseen: on all tokens of the unseen notes; perplexity_neutral: on the non-sensitive
    tokens of at most 64 records of the corpus, evenly spaced. None where there was
    nothing to measure on.
    """

    # An infinite perplexity is a figure; as null it would read as "not measured".
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    arm: ArmName
    extraction: RateTable
    by_label: RateTable
    by_subject: RateTable
    repeated: RateTable
    perplexity_unseen: float | None
    perplexity_neutral: float | None
    seconds: float


def save_arm(folder: Path, arm: Arm, verdicts: Sequence[SpanVerdict]) -> None:
    """Write an arm's table, then its summary: the summary's presence means that it is done."""
    frame = verdict_frame(verdicts)
    write_file(folder / f"{arm.arm}.parquet", lambda path: frame.to_parquet(path, index=False))
    write_text(folder / f"{arm.arm}.json", arm.model_dump_json(indent=1))


def load_arm(folder: Path, name: ArmName) -> Arm | None:
    """An arm's summary; None if the run has not come to it.

    Raises:
        RunError: if the file was changed into something else.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    try:
        return Arm.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(f"{path.name} is damaged. Delete it and resume the run.") from error


def load_verdicts(folder: Path, name: ArmName) -> pd.DataFrame:
    """An arm's table: one row a span, without text."""
    return pd.read_parquet(folder / f"{name}.parquet")


def load_arms(folder: Path, names: Iterable[ArmName] = ARMS) -> dict[ArmName, Arm]:
    """The arms that a run has measured so far, in the order in which they are shown."""
    return {name: arm for name in names if (arm := load_arm(folder, name))}
