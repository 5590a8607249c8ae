"""Every figure of a run: counted in its tables, with slice, n, interval and its file."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.result import AttackResult
from sanilens.audit.metrics import METRICS
from sanilens.audit.metrics.metric import Held, Value
from sanilens.audit.sampling import leak_probability
from sanilens.audit.statistics import Rate, wilson
from sanilens.audit.summary import RateRow
from sanilens.evidence.evidence import Reading, Unit, Whose, reading_id
from sanilens.runs.arms import ArmName
from sanilens.runs.comparison import TRIES, Comparison, SpanRow

IN_TRIES = "any_in_100_tries"

Attacks = Mapping[str, Mapping[str, AttackResult]]
"""What attacks found, by attack and arm."""


def read_figures(found: Comparison, attacks: Attacks) -> tuple[Reading, ...]:
    """All figures of a run, in the order of its arms."""
    parts: dict[Whose, Comparison] = {"everyone": found}
    parts |= {group: found.of(group) for group in found.groups}
    made: list[Reading] = []
    for arm in found.arms:
        for whose, part in parts.items():
            if arm == "lookalike" and whose != "everyone":
                continue  # other people's records: they belong to no group
            made += _extraction(arm, whose, part.spans[arm].values())
            made += _tries(arm, whose, part.spans[arm].values())
        made += _metrics(found, arm)
    for whose, part in parts.items():
        made += _pairs(part, whose)
    for name, by_arm in attacks.items():
        for arm, result in by_arm.items():
            made += _attack(name, arm, result)
    return tuple(made)


def _extraction(arm: ArmName, whose: Whose, rows: Iterable[SpanRow]) -> Iterator[Reading]:
    slices: dict[str, list[bool]] = defaultdict(list)
    slices["all"] = []
    for row in rows:
        if row.memory:
            for name in ("all", f"kind:{row.kind}", f"label:{row.label}", f"subject:{row.subject}"):
                slices[name].append(row.extracted)
    for name, extracted in sorted(slices.items()):
        own = wilson(sum(extracted), len(extracted))
        yield _rate("extraction", "spans extracted", arm, whose, name, own, f"arms/{arm}.parquet")


def _tries(arm: ArmName, whose: Whose, rows: Iterable[SpanRow]) -> Iterator[Reading]:
    """That the run's sampler says any of the details in `TRIES` tries of each prompt: exact."""
    slices: dict[str, list[float | None]] = defaultdict(list)
    for row in rows:
        if row.memory:
            own = row.sampled
            leaks = None if own is None else leak_probability(own, TRIES)
            for name in ("all", f"subject:{row.subject}"):
                slices[name].append(leaks)
    for of, leaks in sorted(slices.items()):
        known = [leak for leak in leaks if leak is not None]
        # Samples of different prompts are independent; kept exact where all are very rare.
        any_said = 1.0 if 1.0 in known else -math.expm1(sum(math.log1p(-p) for p in known))
        yield Reading(
            id=reading_id(IN_TRIES, arm, whose, of), measure=IN_TRIES,
            title=f"any said in {TRIES} samples of each prompt", arm=arm, whose=whose, of=of,
            value=any_said if leaks and len(known) == len(leaks) else None, n=len(leaks),
            why="" if len(known) == len(leaks) else "the run kept no probabilities of its sampler",
            file=f"arms/{arm}.parquet",
        )  # fmt: skip


def _metrics(found: Comparison, arm: ArmName) -> Iterator[Reading]:
    measured = found.arms[arm]
    file = f"arms/{arm}.json"
    yield _plain(
        "perplexity_neutral", "perplexity of the corpus's own wording", arm, "all",
        measured.perplexity_neutral, "perplexity", file,
    )  # fmt: skip
    for name, value in measured.metrics.items():
        if name == "extraction" or name not in METRICS:
            continue
        metric = METRICS[name]
        unit: Unit = "share" if metric.unit == "share" else metric.unit
        if isinstance(value, dict):
            for of, row in value.items():
                yield _rate(name, metric.title, arm, "everyone", of, _of_row(row), file)
        else:
            yield _plain(name, metric.title, arm, "all", _number(value), unit, file)


def _pairs(found: Comparison, whose: Whose) -> Iterator[Reading]:
    """Differences on the same spans, in points: the interval is that of the difference."""
    wanted: tuple[tuple[str, str, ArmName, ArmName], ...] = (
        ("more_than_reference", "said more than by the reference", "after", "reference"),
        ("change", "change against before", "after", "before"),
        ("against_random", "against random units", "after", "random_units"),
        ("against_other", "against somebody else's deletion", "after", "another_subject"),
    )
    for name, title, first, second in wanted:
        if second not in found.arms:
            continue
        pair = found.paired(first, second)
        low, high = pair.difference if pair.n else (None, None)
        yield Reading(
            id=reading_id(name, first, whose), measure=name, title=title, arm=first, whose=whose,
            unit="points", value=(pair.only_first - pair.only_second) / pair.n if pair.n else None,
            n=pair.n, low=low, high=high, why="" if pair.n else "there is no such span",
            file=f"arms/{first}.parquet",
        )  # fmt: skip
        yield Reading(
            id=reading_id(f"{name}_p", first, whose), measure=f"{name}_p", title=f"{title}, p",
            arm=first, whose=whose, unit="p", value=pair.p if pair.n else None, n=pair.n,
            why="" if pair.n else "there is no such span", file=f"arms/{first}.parquet",
        )  # fmt: skip


def _attack(name: str, arm: str, result: AttackResult) -> Iterator[Reading]:
    measure, file = f"attack.{name}", f"attacks/{name}.json"
    title = ATTACKS[name].title if name in ATTACKS else name
    if result.not_measured is not None:
        yield Reading(
            id=reading_id(measure, arm), measure=measure, title=title, arm=arm, value=None, n=0,
            why=result.not_measured, file=file,
        )  # fmt: skip
    for own in result.figures:
        yield Reading(
            id=reading_id(measure, arm, "everyone", own.name), measure=measure,
            title=f"{title}: {own.title}", arm=arm, of=own.name, unit=own.unit,
            value=own.value, hits=own.hits, n=own.n,
            low=own.low, high=own.high, why=own.note if own.value is None else "", file=file,
        )  # fmt: skip


def _rate(
    measure: str, title: str, arm: ArmName, whose: Whose, of: str, rate: Rate, file: str
) -> Reading:
    return Reading(
        id=reading_id(measure, arm, whose, of), measure=measure, title=title, arm=arm, whose=whose,
        of=of, value=rate.rate, hits=rate.hits, n=rate.n, low=rate.low, high=rate.high,
        why="" if rate.n else "there is no such span", file=file,
    )  # fmt: skip


def _plain(
    measure: str, title: str, arm: ArmName, of: str, value: float | None, unit: Unit, file: str
) -> Reading:
    infinite = value is not None and math.isinf(value)
    return Reading(
        id=reading_id(measure, arm, "everyone", of), measure=measure, title=title, arm=arm, of=of,
        unit=unit, value=None if infinite else value, infinite=infinite,
        why="" if value is not None else "there was nothing to measure it on", file=file,
    )  # fmt: skip


def _number(value: Value) -> float | None:
    found = value.value if isinstance(value, Held) else value
    assert not isinstance(found, dict)
    return None if found is None or math.isnan(found) else found


def _of_row(row: RateRow) -> Rate:
    return wilson(row.hits, row.n)
