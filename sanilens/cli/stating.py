"""Options by which somebody states what no file can show; of report and export."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from sanilens.errors import SaniLensError
from sanilens.evidence.build import today
from sanilens.evidence.evidence import Statement
from sanilens.evidence.plain_yaml import read_plain_yaml

StatementOption = Annotated[
    Path | None,
    typer.Option(
        "--statement",
        help="YAML of by, role, organisation, purpose, domain, licence, receivers, means, "
        "assessment, retention, monitoring, leaking_copies.",
    ),
]
ByOption = Annotated[str, typer.Option("--by", help="Who answers for it: name.")]
KeyOption = Annotated[
    Path | None, typer.Option("--key", help="Sign with this private key (sanilens keys).")
]


def read_statement(path: Path | None, by: str) -> Statement:
    """What was stated, of today; `by` goes before the file's.

    Raises:
        SaniLensError: naming the field that makes no sense.
    """
    fields = (read_plain_yaml(path, SaniLensError) or {}) if path else {}
    if not isinstance(fields, dict):
        raise SaniLensError("A statement is a list of fields and values, such as `by: A. Person`.")
    try:
        return Statement.model_validate({"made": today(), **fields, **({"by": by} if by else {})})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # The name of a field that there is not may be anything.
        known = first["type"] != "extra_forbidden"
        where = ".".join(map(str, first["loc"])) if known else "a field that there is not"
        raise SaniLensError(f"The statement: {where}: {first['msg']}.") from error
