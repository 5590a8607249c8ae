"""Timing two ways of doing one thing in turn, so that a machine's drift hits both alike."""

import statistics
import time
from collections.abc import Callable


def paired_seconds(
    first: Callable[[], object], second: Callable[[], object], runs: int
) -> tuple[list[float], list[float]]:
    """Seconds of each run of both, after one run of each that does not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for function, seconds in zip((first, second), taken, strict=True):
            started = time.perf_counter()
            function()
            if run:
                seconds.append(time.perf_counter() - started)
    return taken


def median_ratio(first: list[float], second: list[float]) -> float:
    """Median over the pairs of second / first."""
    return statistics.median(b / a for a, b in zip(first, second, strict=True))
