"""The bench's rows as tables that people read: a line a method, over all people and seeds.

Spans are pooled and their 95 % interval is Wilson's; other figures are means over requests.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from research.forget.by_hand import UnitsRow
from research.forget.requests import DRAWS, RequestRow
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import RateRow

T = TypeVar("T")
# Requests in turn after which a line of the curve is shown.
_SHOWN = (1, 2, 3, 5, 10, 15, 20)


@dataclass(frozen=True, slots=True)
class Shown:
    """A table: the first `words` columns hold words, the others figures."""

    heads: tuple[str, ...]
    rows: list[list[str]]
    words: int = 1


def one_each(found: Iterable[RequestRow]) -> Shown:
    """People who ask alone."""
    heads = (
        "method", "still said", f"in {DRAWS} samples", "had another been deleted",
        "others' still said",
        "perplexity, unseen", "harm, nats a token", "s a request", "s before, once",
    )  # fmt: skip
    rows = []
    for method, own in _by(found, lambda r: r.method).items():
        instead = [r.other_instead for r in own if r.other_instead]
        rows.append(
            [method, _pooled(r.said for r in own), _drawn(own), _pooled(instead),
             _pooled(r.others for r in own), *_figures(own),
             f"{max(r.prepared_seconds for r in own):.0f}"]
        )  # fmt: skip
    return Shown(heads, rows)


def in_turn(found: Iterable[RequestRow]) -> Shown:
    """All who asked, after the last request."""
    heads = (
        "method", "all who asked, still said", f"in {DRAWS} samples", "after relearning",
        "others' still said",
        "perplexity, unseen", "harm, nats a token", "s a request", "s before each",
    )  # fmt: skip
    rows = []
    for method, own in _by(found, lambda r: r.method).items():
        last = [r for r in own if r.relearnt]
        gone = [rate for r in last for rate in (r.said, r.earlier)]
        every = _figures(own)
        rows.append(
            [method, _pooled(gone), _drawn(last), _pooled(r.relearnt for r in last if r.relearnt),
             _pooled(r.others for r in last), *_figures(last)[:2], every[2],
             f"{fmean(r.prepared_seconds for r in own):.0f}"]
        )  # fmt: skip
    return Shown(heads, rows)


def curve(found: Iterable[RequestRow]) -> Shown:
    """Requests in turn, after the first, a few and the last."""
    heads = (
        "method", "requests", "all who asked, still said", "others' still said",
        "perplexity, unseen", "harm, nats a token", "s a request",
    )  # fmt: skip
    grouped = _by(found, lambda r: (r.method, r.request))
    rows = [
        [method, str(request), _pooled(rate for r in own for rate in (r.said, r.earlier)),
         _pooled(r.others for r in own), *_figures(own)]
        for (method, request), own in grouped.items() if request in _SHOWN
    ]  # fmt: skip
    return Shown(heads, rows)


def by_hand(found: Iterable[UnitsRow]) -> Shown:
    """Chosen and random units."""
    heads = (
        "neurons rewritten", "budget, nats", "chosen", "still said", "others' still said",
        "perplexity, unseen", "harm, nats a token", "s",
    )  # fmt: skip
    grouped = _by(found, lambda r: (r.units, -r.budget, r.choice, r.of))
    rows = [
        [f"{units} of {of:,}", f"{-budget:g}", "by price" if choice == "price" else "at random",
         _pooled(r.said for r in own), _pooled(r.others for r in own), *_figures(own)]
        for (units, budget, choice, of), own in sorted(grouped.items())
    ]  # fmt: skip
    return Shown(heads, rows, words=3)


def _by(rows: Iterable[T], key: Callable[[T], object]) -> dict:
    found: dict = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _drawn(rows: Sequence[RequestRow]) -> str:
    shares = [r.drawn for r in rows if r.drawn is not None]
    return f"{100 * fmean(shares):.1f} %" if len(shares) == len(rows) else "not measured"


def _figures(rows: Sequence[RequestRow | UnitsRow]) -> list[str]:
    # Of a model that is broken there is no mean.
    harms = [r.harm for r in rows]
    harm = "–" if None in harms else f"{fmean(h for h in harms if h is not None):.4f}"
    return [
        f"× {fmean(r.perplexity for r in rows):.3f}", harm,
        f"{fmean(r.seconds for r in rows):.1f}",
    ]  # fmt: skip


def _pooled(rates: Iterable[RateRow]) -> str:
    own = list(rates)
    found = wilson(sum(r.hits for r in own), sum(r.n for r in own))
    if found.low is None or found.high is None:
        return "–"
    return f"{found.hits} / {found.n} ({100 * found.low:.1f} to {100 * found.high:.1f} %)"
