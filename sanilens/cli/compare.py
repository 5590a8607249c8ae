"""`sanilens compare`: before, after, controls and reference of one run or several."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from sanilens.audit.metrics import further
from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT
from sanilens.audit.metrics.near_misses import NEAR_MISSES
from sanilens.audit.perplexity import worded_perplexity
from sanilens.audit.statistics import Rate
from sanilens.audit.summary import RateRow
from sanilens.cli.common import JsonOption, output, print_json, rate_cells, say
from sanilens.errors import IntegrityError, RunError
from sanilens.runs.arms import TITLES, Arm, ArmName, load_arms
from sanilens.runs.comparison import (
    GROUP_TITLES,
    TRIES,
    Comparison,
    Group,
    Left,
    load_comparison,
)
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import NOT_VERIFIED, Checked, check
from sanilens.runs.judgement import State, judge, utility
from sanilens.runs.verdict import instead, side_effect, verdict_of

_SHOWN = 40


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Run folders.")],
    as_json: JsonOption = False,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="End with 4 if a leak is not gone, 5 if that is undecided, 6 if it is not "
            "measured yet; of several runs with the highest.",
        ),
    ] = False,
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
    else:
        for name, arms in found.items():
            output.print(arms_table(arms, name))
            if table := groups_table(runs[name]):
                output.print(table)
            print_verdict(runs[name])
    if exit_code:
        raise typer.Exit(max(EXIT_CODES[verdict_of(run).state] for run in runs.values()))


EXIT_CODES: Mapping[State, int] = {"gone": 0, "not_gone": 4, "undecided": 5, "queued": 6}


def print_verdict(run: RunFolder) -> None:
    """Say in words what the run reached, and list what is still said: ids, no text."""
    words = verdict_of(run)
    output.print(words.headline, style="bold", highlight=False)
    output.print(words.rests, highlight=False)
    if words.state == "queued":
        return
    found = load_comparison(run)
    if found.groups:
        told = instead(asked := found.of("asked"), None)
        if told:
            output.print(f"{told.headline} {told.rests}".strip(), highlight=False)
        effect = side_effect(found.of("others"))
        output.print(f"Side effect on the rest of the model, {effect}.", highlight=False)
        found = asked
    if left := found.left():
        output.print(left_table(left))


def left_table(left: Sequence[Left]) -> Table:
    """Spans that are still said, the surest first; the first few of many."""
    more = f", the surest {_SHOWN}" if len(left) > _SHOWN else ""
    table = Table(title=f"still said: {len(left):,} spans{more}", title_justify="left")
    for name in ("span", "subject", "label"):
        table.add_column(name)
    for name in ("log p", f"in {TRIES} tries"):
        table.add_column(name, justify="right")
    table.add_column("also said by")
    for row in left[:_SHOWN]:
        tries = "–" if row.tries is None else f"{100 * row.tries:.1f} %"
        table.add_row(
            row.span, row.subject, row.label, f"{row.logprob:.2f}", tries, ", ".join(row.also)
        )
    return table


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
    words = verdict_of(run)
    fields: dict[str, Any] = {
        "arms": arms,
        "state": words.state,
        "verdict": f"{words.headline} {words.rests}".strip(),
    }
    if not {"before", "after"} <= arms.keys():
        return fields
    found = load_comparison(run)
    asked = found.of("asked") if found.groups else found
    fields |= {"queued": found.queued, "judged": judged_fields(asked)}
    fields["left"] = [row._asdict() for row in asked.left()]
    if not found.groups:
        return fields
    return {**fields, "groups": {group: _rates(found, group) for group in found.groups}}


def judged_fields(found: Comparison) -> dict[str, Any] | None:
    """What a verdict rests on, in numbers; None where nothing could be judged."""
    judged = judge(found) if found.rate("after").n else None
    if judged is None:
        return None
    excess = judged.excess
    return {
        "against": judged.against,
        "margin": excess.margin,
        "extracted": excess.hits,
        "n": excess.n,
        "other_extracted": excess.other_hits,
        "other_n": excess.other_n,
        "excess_at_most": excess.most,
        "p_no_more": excess.p,
        "spans_that_would_do": excess.enough,
        "utility": utility(found).state,
    }


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
    heads = ("direct", "rate", "95 %", "indirect", "rate", "95 %", "near")
    heads = (*heads, "ppl unseen", "ppl neutral")
    for name in (*heads, KNOWLEDGE_KEPT.title, *(metric.title for metric in own), "s"):
        table.add_column(name, justify="right")
    for name, arm in arms.items():
        table.add_row(
            TITLES[name],
            *rate_cells(arm.extraction["direct"]),
            *rate_cells(arm.extraction["indirect"]),
            _near(arm),
            worded_perplexity(arm.perplexity_unseen, 3),
            worded_perplexity(arm.perplexity_neutral, 3),
            KNOWLEDGE_KEPT.words(arm.knowledge_kept),
            *(metric.words(arm.metrics.get(metric.name)) for metric in own),
            f"{arm.seconds:.1f}",
        )
    return table


def _near(arm: Arm) -> str:
    """Near misses of all kinds; a dash where they were not measured."""
    found = arm.metrics.get(NEAR_MISSES.name)
    rows = found.values() if isinstance(found, dict) else ()
    return f"{sum(row.hits for row in rows):,}" if any(row.n for row in rows) else "–"
