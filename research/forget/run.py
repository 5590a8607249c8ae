"""All parts of the bench, each row set kept as soon as it is measured."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from research.forget.by_hand import UnitsRow, UnitsRows, rewritten_units
from research.forget.everyone import everyone_arms
from research.forget.methods import request_methods
from research.forget.requests import Asking, RequestRow, RequestRows, in_turn, one_each
from research.kept import Kept, decided_sha256, read_kept
from research.sanitise.case import Case
from research.sanitise.run import bench_sanitise
from research.sequential_methods import Method
from sanilens.atomic import write_text
from sanilens.audit.methods_table import SanitiseResult
from sanilens.progress import Progress, unheard

Part = Literal["one", "five", "hand", "everyone", "twenty"]
PARTS: tuple[Part, ...] = get_args(Part)
# How many people: each alone, in turn, and those for whom units are chosen.
ONE, FIVE, TWENTY, HAND = 3, 5, 20, 1
# Of twenty in turn the curve is shown of these alone.
_CURVES = ("rewrite", "first curvature", "reference")

Meeting = Callable[[Asking, Method, Callable[[], None]], RequestRows]
"""One method's rows; hears of each request that was met."""


class ForgetResult(BaseModel):
    """The parts that were measured; `sha256` is of all that a seed decides: rows without times.

    Attributes:
        one: people who ask alone, each of the untouched model.
        five, twenty: so many, one after the other.
        hand: a few neurons, rewritten for one person.
        everyone: all at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    model_sha256: str
    seeds: tuple[int, ...]
    one: tuple[RequestRow, ...]
    five: tuple[RequestRow, ...]
    twenty: tuple[RequestRow, ...]
    hand: tuple[UnitsRow, ...]
    everyone: SanitiseResult | None
    sha256: str


def bench_forget(
    case: Case,
    parts: Sequence[Part],
    seeds: Sequence[int],
    folder: Path,
    *,
    methods: Sequence[str] = (),
    progress: Progress = unheard,
) -> ForgetResult:
    """Measure the parts, in the order of `PARTS`.

    Args:
        case: what leaks.
        parts: which.
        seeds: of who asks, and of all that methods draw.
        folder: where rows and curvature are kept, so that a cut run goes on.
        methods: the only ones measured where people ask, and where everyone is forgotten the only
            rows beside the given models; none: all.
        progress: hears of requests met, and of rows.

    Raises:
        RunError: if `folder` holds something else.
        PlanError: if the case has too few subjects of whom something is said.
    """
    wanted = [m for m in request_methods(folder / "curvature") if m.name in (methods or {m.name})]
    curves = [m for m in wanted if m.name in _CURVES]

    def requests(
        part: Part, rows_of: Meeting, own: Sequence[Method], count: int
    ) -> tuple[RequestRow, ...]:
        return _requests(case, part, rows_of, own, count, seeds, folder, progress)

    one = requests("one", one_each, wanted, ONE) if "one" in parts else ()
    five = requests("five", in_turn, wanted, FIVE) if "five" in parts else ()
    hand = _units(case, seeds, folder, progress) if "hand" in parts else ()
    everyone = None
    if "everyone" in parts:
        arms = [
            a for a in everyone_arms() if not methods or a.group == "given" or a.name in methods
        ]
        everyone = bench_sanitise(case, arms, seeds, kept=folder, progress=progress)
    twenty = requests("twenty", in_turn, curves, TWENTY) if "twenty" in parts else ()
    return ForgetResult(
        case=case.name,
        model_sha256=case.model.fingerprint,
        seeds=tuple(seeds),
        one=one,
        five=five,
        twenty=twenty,
        hand=hand,
        everyone=everyone,
        sha256=decided_sha256(
            [*one, *five, *twenty, *hand, *(everyone.rows if everyone else ())],
            {"seconds", "prepared_seconds", "cost"},
        ),
    )


def _requests(
    case: Case,
    part: Part,
    rows_of: Meeting,
    methods: Sequence[Method],
    count: int,
    seeds: Sequence[int],
    folder: Path,
    progress: Progress,
) -> tuple[RequestRow, ...]:
    """A part in which people ask: every method under every seed, the quickest method first."""
    asking = {seed: Asking(case, count, seed) for seed in seeds}
    of = len(methods) * len(seeds) * count
    rows: list[RequestRow] = []
    for number, (method, seed) in enumerate(product(methods, seeds)):
        said = f"{part}, {method.name}, seed {seed}"
        met = iter(range(number * count, of + 1))

        def told(met: Iterator[int] = met, said: str = said) -> None:
            progress(next(met), of, said)

        told()
        made = _kept(
            folder / f"{_slug(case, part, count, method.name, seed)}.json",
            RequestRows,
            lambda method=method, seed=seed, told=told: rows_of(asking[seed], method, told),
        )
        rows += made.rows
    progress(of, of, f"{part}, done")
    return tuple(rows)


def _units(
    case: Case, seeds: Sequence[int], folder: Path, progress: Progress
) -> tuple[UnitsRow, ...]:
    """The part in which units are chosen: person by person."""
    curvature, rows = folder / "curvature", []
    wanted = [(seed, number) for number in range(1, HAND + 1) for seed in seeds]
    asking = {seed: Asking(case, ONE, seed) for seed in seeds}
    for done, (seed, number) in enumerate(wanted):
        progress(done, len(wanted), f"hand, person {number}, seed {seed}")
        made = _kept(
            folder / f"{_slug(case, 'hand', number, seed)}.json",
            UnitsRows,
            lambda seed=seed, number=number: rewritten_units(
                asking[seed], number, curvature / str(seed)
            ),
        )
        rows += made.rows
    progress(len(wanted), len(wanted), "hand, done")
    return tuple(rows)


def _kept(path: Path, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
    rows = read_kept(path, kind)
    if rows is None:
        rows = make()
        write_text(path, rows.model_dump_json())
    return rows


def _slug(case: Case, *what: str | int) -> str:
    """Of the model too: rows of another one are not taken for this one's."""
    words = "-".join(str(own).replace(" ", "-") for own in what)
    return f"{case.name}-{case.model.fingerprint[:8]}-{words}"
