"""`sanilens bench sequential`: requests for deletion one after another, and the harm to others."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from research.sanitise.case import open_case
from research.sequential import SequentialResult, bench_sequential
from research.sequential_methods import all_methods
from sanilens.audit.summary import RateRow
from sanilens.cli.common import JsonOption, output, print_json, progress
from sanilens.errors import PlanError

_HEADS = (
    "seed", "request", "said", "just before", "had another", "earlier", "others", "perplexity", "s",
)  # fmt: skip


def sequential(
    requests: Annotated[int, typer.Option(min=1, help="How many subjects ask, in turn.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, …")] = 1,
    method: Annotated[list[str] | None, typer.Option(help="Only this one; repeatable.")] = None,
    retain: Annotated[
        int, typer.Option(min=0, help="Records of others that each request reads too.")
    ] = 36,
    out: Annotated[
        Path | None,
        typer.Option(help="Keep each method in this folder; an interrupted run continues."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Requests one by one: what is still extracted of whom, the harm to others, and the cost."""
    methods = [each for each in all_methods() if not method or each.name in method]
    if missing := set(method or ()) - {each.name for each in methods}:
        known = ", ".join(each.name for each in all_methods())
        raise PlanError(f"there is no method {min(missing)!r}; there are {known}.")
    if out:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with progress("meeting requests") as report:
        found = bench_sequential(
            open_case("clinic"), methods, requests=requests, retain=retain, seeds=range(seeds),
            kept=out, progress=report,
        )  # fmt: skip
    if as_json:
        print_json(found.model_dump())
        return
    output.print(_table(found))


def _table(found: SequentialResult) -> Table:
    table = Table(
        title=f"{found.case}: spans still said after each request; "
        f"{found.retain} records of others read along",
        title_justify="left",
    )
    table.add_column("method", min_width=max(len(row.method) for row in found.rows))
    for head in _HEADS:
        table.add_column(head, justify="right")
    for row in found.rows:
        ratio = row.perplexity / row.perplexity_untouched
        table.add_row(
            row.method, str(row.seed), str(row.request),
            f"{row.extracted.hits} / {row.extracted_untouched.hits}",
            str(row.extracted_before.hits),
            str(row.other_instead.hits) if row.other_instead else "–",
            _cell(row.earlier), f"{row.others.hits} / {row.others_untouched.hits}",
            f"× {ratio:.3f}", f"{row.seconds:.1f}",
        )  # fmt: skip
    once = [f"{name} {own:.0f} s" for name, own in found.setup_seconds.items() if own >= 1]
    table.caption = "said and others: of those said before any request; had another: of the same "
    table.caption += "subject, had another one been deleted first; earlier: of all their spans"
    table.caption += f"; once, before: {', '.join(once)}" if once else ""
    return table


def _cell(row: RateRow) -> str:
    return f"{row.hits} / {row.n}" if row.n else "–"
