"""Arms: what is measured beside what. One arm is one model state under the same audit."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, ValidationError

from sanilens.atomic import write_file, write_text
from sanilens.audit.measurement import Measurement, span_tables
from sanilens.audit.summary import RateTable, extraction_by_kind, near_by_kind, verdict_frame
from sanilens.errors import IntegrityError
from sanilens.runs.folder import open_plain

ArmName = Literal[
    "before", "after", "edits_only", "repair_only", "random_units", "another_subject",
    "base", "reference", "lookalike", "int8", "int4",
]  # fmt: skip
ARMS: tuple[ArmName, ...] = get_args(ArmName)

TITLES: dict[ArmName, str] = {
    "before": "Before",
    "after": "After (this plan)",
    "edits_only": "Edits without repair",
    "repair_only": "Repair only",
    "random_units": "Random units + repair",
    "another_subject": "Somebody else deleted",
    "base": "Base model",
    "reference": "Reference: never saw them",
    "lookalike": "Look-alikes, before",
    "int8": "Exported in 8 bits",
    "int4": "Exported in 4 bits",
}

COPIES: tuple[ArmName, ...] = ("int8", "int4")
"""The result in another form, measured as it is exported and not when the plan is carried out."""

_WORDS = ("span", "subject", "label", "kind", "status")
_COLUMNS = (*_WORDS, "extracted", "logprob")
_LONGEST_SUMMARY, _LARGEST_TABLE, _MOST_ROWS = 64 * 2**20, 2**30, 5_000_000
_AGAIN = "Remove the arm's files and execute the plan again: what is missing is made anew."


class Arm(Measurement):
    """One arm's measurement.

    perplexity_neutral: on the non-sensitive tokens of at most 64 of the arm's records, evenly
    spaced, as the repair's curve reads them too; None where there was no token.
    """

    arm: ArmName
    perplexity_neutral: Annotated[float, Field(ge=0)] | None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


def save_arm(folder: Path, arm: Arm) -> tuple[Path, Path]:
    """Write an arm's table and its summary, and say where."""
    frame = verdict_frame(arm.verdicts or ())
    table, summary = folder / f"{arm.arm}.parquet", folder / f"{arm.arm}.json"
    write_file(table, lambda path: frame.to_parquet(path, index=False))
    write_text(summary, arm.model_dump_json(indent=1))
    return table, summary


def load_arm(folder: Path, name: ArmName) -> Arm:
    """An arm's summary, its rates counted anew in its table: one source for terminal and app.

    Raises:
        IntegrityError: if a file is damaged, is another arm's, or the two disagree.
    """
    path = folder / f"{name}.json"
    with open_plain(path) as file:
        text = file.read(_LONGEST_SUMMARY)
    try:
        arm = Arm.model_validate_json(text)
    except ValidationError as error:
        raise IntegrityError(f"{path.name} is damaged. {_AGAIN}") from error
    if arm.arm != name:
        raise IntegrityError(f"{path.name} is of another arm: {arm.arm}. {_AGAIN}")
    rows: Any = list(load_verdicts(folder, name).itertuples(index=False))
    counted: dict[str, RateTable] = {"extraction": extraction_by_kind(rows), **span_tables(rows)}
    if rows and hasattr(rows[0], "near"):  # earlier versions did not look for near misses
        counted["near_misses"] = near_by_kind(rows)
    for table, rates in counted.items():
        if _counts(_table(arm, table)) != _counts(rates):
            raise IntegrityError(
                f"{path.name} and {name}.parquet disagree on {table}: one of them was changed. "
                f"{_AGAIN}"
            )
    metrics = {**arm.metrics, "extraction": counted.pop("extraction")}
    if (near := counted.pop("near_misses", None)) is not None:
        metrics["near_misses"] = near
    return arm.model_copy(update={**counted, "metrics": metrics})


def _table(arm: Arm, name: str) -> RateTable:
    found = getattr(arm, name, None) or arm.metrics.get(name)
    return found if isinstance(found, dict) else {}


def load_verdicts(folder: Path, name: ArmName) -> pd.DataFrame:
    """An arm's table: one row a span, without text.

    Raises:
        IntegrityError: if it is no such table.
    """
    path = folder / f"{name}.parquet"
    with open_plain(path) as file:
        content = file.read(_LARGEST_TABLE)
    try:
        reader = pq.ParquetFile(pa.BufferReader(content))
        rows, schema = reader.metadata.num_rows, reader.schema_arrow
        if rows == 0 and not schema.names:  # nothing had a span
            return pd.DataFrame(columns=list(_COLUMNS))
        known = (*_COLUMNS, "near") if "near" in schema.names else _COLUMNS
        if rows > _MOST_ROWS or not all(_is_column(schema, name) for name in known):
            raise IntegrityError(f"{path.name} is no table of verdicts. {_AGAIN}")
        # Words that recur are kept once, however many rows they are said to stand in.
        table = pq.read_table(pa.BufferReader(content), read_dictionary=list(_WORDS))
        frame = table.to_pandas()
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
        raise IntegrityError(f"{path.name} is no Parquet table. {_AGAIN}") from error
    if frame[list(known)].isna().any(axis=None) or frame["span"].duplicated().any():
        raise IntegrityError(f"{path.name} holds what is no verdict on a span. {_AGAIN}")
    return frame.astype(dict.fromkeys(_WORDS, object))


def _is_column(schema: pa.Schema, name: str) -> bool:
    if name not in schema.names:
        return False
    kind, types = schema.field(name).type, pa.types
    if name in _WORDS:
        return types.is_string(kind) or types.is_large_string(kind)
    return types.is_boolean(kind) if name in ("extracted", "near") else types.is_floating(kind)


def load_arms(folder: Path, names: Iterable[ArmName] | None = None) -> dict[ArmName, Arm]:
    """Arms of a run, in the order in which they are shown; those that are there unless named."""
    if names is None:
        names = [name for name in ARMS if (folder / f"{name}.json").exists()]
    return {name: load_arm(folder, name) for name in names}


def _counts(rates: RateTable) -> dict[str, tuple[int, int, float | None]]:
    """What was counted; intervals may be computed otherwise by another version."""
    return {name: (row.hits, row.n, row.rate) for name, row in rates.items()}
