"""`sanilens compare`: before, after, controls and reference of one run or several."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from sanilens.audit.metrics import further
from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT
from sanilens.audit.perplexity import worded_perplexity
from sanilens.audit.statistics import Rate
from sanilens.audit.summary import RateRow
from sanilens.cli.common import JsonOption, output, print_json, rate_cells, say
from sanilens.errors import IntegrityError, RunError
from sanilens.runs.arms import TITLES, Arm, ArmName, load_arms
from sanilens.runs.comparison import GROUP_TITLES, Comparison, Group, load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import NOT_VERIFIED, Checked, check
from sanilens.runs.verdict import Words, instead, side_effect, verdict


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Run folders.")],
    as_json: JsonOption = False,
) -> None:
    """Compare the arms of runs, with n and intervals; exits with 3 if a file was changed."""
    runs = {str(folder): RunFolder(folder) for folder in folders}
    checked = _all_checked(runs.values())
    found: dict[str, Mapping[ArmName, Arm]] = {}
    for (name, run), sound in zip(runs.items(), checked, strict=True):
        if not sound.arms:
            raise RunError(f"{run.root.name} has measured nothing yet. Execute it: sanilens run.")
        found[name] = load_arms(run.arms, sound.arms)
        if not sound.verified:
            say(f"{run.root.name}: {NOT_VERIFIED}")
    if as_json:
        fields = {name: _fields(run, found[name]) for name, run in runs.items()}
        verified = [{"verified": sound.verified} for sound in checked]
        print_json({n: own | fields[n] for n, own in zip(fields, verified, strict=True)})
        return
    for name, arms in found.items():
        output.print(arms_table(arms, name))
        if table := groups_table(runs[name]):
            output.print(table)
        print_verdict(runs[name], arms)


def print_verdict(run: RunFolder, arms: Mapping[ArmName, Arm]) -> None:
    """Say in words what the run reached; nothing until it has measured before and after."""
    if words := _verdict(run, arms):
        output.print(words.headline, style="bold", highlight=False)
        output.print(words.rests, highlight=False)
    for line in _of_a_request(run, arms):
        output.print(line, highlight=False)


def _of_a_request(run: RunFolder, arms: Mapping[ArmName, Arm]) -> list[str]:
    """Erasure or damage, and what others lost; nothing of a plan for everyone."""
    if not {"before", "after"} <= arms.keys() or not (found := load_comparison(run)).groups:
        return []
    words = instead(found.of("asked"), None)
    lines = [f"{words.headline} {words.rests}".strip()] if words else []
    return [*lines, f"Side effect on others, {side_effect(found.of('others'))}."]


def _verdict(run: RunFolder, arms: Mapping[ArmName, Arm]) -> Words | None:
    if not {"before", "after"} <= arms.keys():
        return None
    found = load_comparison(run)
    return verdict(found.of("asked") if found.groups else found, None)


def _all_checked(runs: Iterable[RunFolder]) -> list[Checked]:
    """Every run is looked at before one of them ends the command."""
    checked: list[Checked] = []
    wrong: list[str] = []
    for run in runs:
        try:
            checked.append(check(run))
        except IntegrityError as error:
            wrong.append(str(error))
    if wrong:
        raise IntegrityError(" ".join(wrong))
    return checked


def groups_table(run: RunFolder) -> Table | None:
    """Before and after of those asked for and of all others; None if the plan is for everyone."""
    if not run.plan().subjects:
        return None
    found = load_comparison(run)
    table = Table(title="whose details are still said", title_justify="left")
    table.add_column("subjects")
    for name in ("arm", "extracted", "rate", "95 %"):
        table.add_column(name, justify="left" if name == "arm" else "right")
    for group in found.groups:
        for name, row in _rates(found, group).items():
            table.add_row(GROUP_TITLES[group], TITLES[name], *rate_cells(row))
    return table


def _fields(run: RunFolder, arms: Mapping[ArmName, Arm]) -> dict[str, Any]:
    """What is printed of a run as JSON; `groups` only of a plan for some subjects."""
    words = _verdict(run, arms)
    fields = {"arms": arms, "verdict": f"{words.headline} {words.rests}".strip() if words else None}
    if not run.plan().subjects:
        return fields
    found = load_comparison(run)
    return {**fields, "groups": {group: _rates(found, group) for group in found.groups}}


def _rates(found: Comparison, group: Group) -> dict[ArmName, RateRow]:
    part = found.of(group)
    rates: dict[ArmName, Rate] = {n: part.rate(n) for n in found.arms if n != "lookalike"}
    return {
        name: RateRow(rate=own.rate, hits=own.hits, n=own.n, low=own.low, high=own.high)
        for name, own in rates.items()
    }


def arms_table(arms: Mapping[ArmName, Arm], title: str | None = None) -> Table:
    """Arms as rows: extraction, perplexities, knowledge kept, further metrics, seconds."""
    table = Table(title=title, title_justify="left")
    table.add_column("arm")
    own = further(arm.metrics for arm in arms.values())
    heads = ("direct", "rate", "95 %", "indirect", "rate", "95 %", "ppl unseen", "ppl neutral")
    for name in (*heads, KNOWLEDGE_KEPT.title, *(metric.title for metric in own), "s"):
        table.add_column(name, justify="right")
    for name, arm in arms.items():
        table.add_row(
            TITLES[name],
            *rate_cells(arm.extraction["direct"]),
            *rate_cells(arm.extraction["indirect"]),
            worded_perplexity(arm.perplexity_unseen, 3),
            worded_perplexity(arm.perplexity_neutral, 3),
            KNOWLEDGE_KEPT.words(arm.knowledge_kept),
            *(metric.words(arm.metrics.get(metric.name)) for metric in own),
            f"{arm.seconds:.1f}",
        )
    return table
