"""Numbers as a person reads them; the same words in report, letter, card and terminal."""

import math

from sanilens.audit.perplexity import worded_perplexity
from sanilens.evidence.evidence import Reading, Unit
from sanilens.unlearn.plan import Plan

NOT_MEASURED = "not measured"


def number(value: float | None, unit: Unit) -> str:
    """One number in its unit: `4.3 %`, `+1.2 points`, `3.05`."""
    if value is None:
        return NOT_MEASURED
    match unit:
        case "share":
            return f"{100 * value:.1f} %"
        case "points":
            return f"{100 * value:+.1f} points".replace("-", "−")
        case "percent":
            return f"{value:+.1f} %".replace("-", "−")
        case "perplexity":
            return worded_perplexity(value, 3)
        case "count" | "tokens" | "layer":
            return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
        case _:
            return f"{value:.3f}".replace("-", "−")


def figure(reading: Reading | None) -> str:
    """A figure: `0 of 13 (0.0 %)`, a number, or that it is not measured."""
    if reading is None or not reading.measured:
        return NOT_MEASURED
    if reading.infinite:
        return worded_perplexity(math.inf)
    said = number(reading.value, reading.unit)
    if reading.hits is None:
        return said
    return f"{reading.hits:,} of {reading.n:,} ({said})"


def interval(reading: Reading | None) -> str:
    """Its 95 % interval: `0.0 to 22.8 %`; empty where it has none."""
    if reading is None or reading.low is None or reading.high is None:
        return ""
    scale, mark = {"share": (100, " %"), "points": (100, " points")}.get(reading.unit, (1, ""))
    digits = 1 if scale == 100 else 3
    low, high = (f"{scale * bound:.{digits}f}".replace("-", "−") for bound in
                 (reading.low, reading.high))  # fmt: skip
    return f"{low} to {high}{mark}"


def with_interval(reading: Reading | None) -> str:
    """Both: `0 of 13 (0.0 %, 95 % interval 0.0 to 22.8 %)`."""
    said, found = figure(reading), interval(reading)
    if not found:
        return said
    if said.endswith(")"):
        return f"{said[:-1]}, 95 % interval {found})"
    return f"{said} (95 % interval {found})"


def plan_words(plan: Plan) -> str:
    """What a plan does, for a person: `460 units: reset; then 2 epochs of surrogate repair`."""
    done: list[str] = []
    if plan.keep < 1:
        done.append(f"{100 * plan.keep:g} % of what fine-tuning changed was kept")
    way = "all weights were rewritten along the direction that moves least of the rest"
    if plan.rewrites_all == "first":
        done.append(way)
    for operation in sorted({edit.operation for edit in plan.edits}):
        count = sum(edit.operation == operation for edit in plan.edits)
        done.append(f"{count:,} unit{'s' * (count != 1)}: {operation}")
    if plan.repair.trains:
        epochs = plan.repair.epochs
        name = plan.repair.method
        done.append(f"{epochs} epoch{'s' * (epochs != 1)} of {name} repair")
    if plan.rewrites_all == "afterwards":
        done.append(f"where anything was still said, {way}")
    return "; then ".join(done) if done else "nothing was changed"


def people(names: tuple[str, ...], most: int = 5) -> str:
    """`p-005`, `p-001 and p-005`, `7 persons`."""
    if len(names) > most:
        return f"{len(names):,} persons"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
