"""`sanilens bench grun`: gated suppression on the clinic case, and the two ways round it."""

from typing import Annotated

import typer
from rich.table import Table

from research.grun import ARMS, Case, bench_grun
from sanilens.bundled import BUNDLED
from sanilens.case import open_case
from sanilens.cli.common import JsonOption, output, print_json, progress
from sanilens.errors import PlanError
from sanilens.runs.adapters import gate_texts

_HEADS = ("", "seed", "direct", "indirect", "early", "begun", "forget", "retain", "look-alikes")


def grun(
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, …")] = 1,
    loss: Annotated[
        list[str] | None, typer.Option(help="Only these forget losses; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What an adapter of each loss still lets through, and when one goes round its gates."""
    arms = [arm for arm in ARMS if not loss or arm[0] in loss]
    if unknown := set(loss or ()) - {name for name, _ in ARMS}:
        raise PlanError(f"there is no loss {min(unknown)!r}; there are npo, gd, idk and rmu.")
    with progress("training adapters") as report:
        found = bench_grun(_case(), arms, seeds, report)
    if as_json:
        print_json(found)
        return
    table = Table(title="Gated suppression, clinic case", title_justify="left")
    for head in (*_HEADS, "ppl unseen", "s"):
        table.add_column(head, justify="right" if head else "left")
    rows = [{"loss": name, **row} for name, row in found["given"].items()] + found["rows"]
    for row in rows:
        table.add_row(
            " ".join(filter(None, (row["loss"], row.get("positions")))),
            str(row.get("seed", "")),
            *(_said(row, way, kind) for way, kind in _RATES),
            *(_gate(row.get(f"gate_{name}")) for name in ("forget", "retain", "lookalike")),
            f"{row['perplexity_unseen']:.3f}",
            f"{row.get('seconds', 0):.0f}",
        )
    output.print(table)
    output.print(
        f"early: the prompt ends {found['early_tokens']} tokens before the identifier; begun: it "
        "holds its first token. Direct identifiers in both."
    )


_RATES = (("asked", "direct"), ("asked", "indirect"), ("early", "direct"), ("begun", "direct"))


def _case() -> Case:
    case = open_case(BUNDLED["clinic"])
    notes = case.corpus.records
    assert case.reference is not None
    return Case(case.model, case.reference, notes, case.unseen, gate_texts(case, notes, 0))


def _said(row: dict, way: str, kind: str) -> str:
    found = row[way].get(kind)
    return f"{found['hits']} / {found['n']}" if found else "–"


def _gate(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
