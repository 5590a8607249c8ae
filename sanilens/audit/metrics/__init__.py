"""The metrics and attacks by name, in the order of tables.

A new one is a file in this folder, beside its definition a `Metric`, and a name in the list below.
It is then measured by `bench sanitise` and by runs whose plan names it, and stands in the tables of
both, in the terminal and in the app.
"""

from collections.abc import Iterable

from sanilens.audit.metrics.exposure import EXPOSURE
from sanilens.audit.metrics.extraction import EXTRACTION
from sanilens.audit.metrics.facts import FACTS_KEPT
from sanilens.audit.metrics.four_bit import FOUR_BIT
from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT
from sanilens.audit.metrics.membership import MEMBERSHIP, MEMBERSHIP_TEXT
from sanilens.audit.metrics.metric import Metric
from sanilens.audit.metrics.near_misses import NEAR_MISSES
from sanilens.audit.metrics.reference import KS_DISTANCE, KS_P
from sanilens.audit.metrics.relearning import RELEARNT
from sanilens.audit.metrics.restoration import RESTORED
from sanilens.audit.metrics.sampled import SAMPLED
from sanilens.audit.metrics.utility import PERPLEXITY_RETAINED, PERPLEXITY_UNSEEN
from sanilens.errors import PlanError

METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        EXTRACTION, NEAR_MISSES, SAMPLED, EXPOSURE, MEMBERSHIP, MEMBERSHIP_TEXT, KS_DISTANCE, KS_P,
        RELEARNT, FOUR_BIT, KNOWLEDGE_KEPT, FACTS_KEPT, PERPLEXITY_UNSEEN, PERPLEXITY_RETAINED,
        RESTORED,
    )
}  # fmt: skip
# Measured wherever a model is: they cost little.
QUICK = (
    EXTRACTION.name,
    PERPLEXITY_UNSEEN.name,
    KNOWLEDGE_KEPT.name,
    FACTS_KEPT.name,
)
# Measured of every arm of a run: pages and verdicts rest on them.
USUAL = (*QUICK, NEAR_MISSES.name)
# Of these the ones that no table of arms is without.
_ALWAYS_SHOWN = (
    EXTRACTION.name,
    NEAR_MISSES.name,
    PERPLEXITY_UNSEEN.name,
    KNOWLEDGE_KEPT.name,
)


def find_metrics(names: Iterable[str]) -> list[Metric]:
    """The metrics of these names, in the registry's order.

    Raises:
        PlanError: listing the names there are.
    """
    wanted = set(names)
    if unknown := wanted - set(METRICS):
        raise PlanError(f"no metric is called {min(unknown)!r}; there are {', '.join(METRICS)}.")
    return [metric for name, metric in METRICS.items() if name in wanted]


def further(measured: Iterable[Iterable[str]]) -> list[Metric]:
    """Metrics beside those that are always shown that any of several measurements has."""
    found = {name for each in measured for name in each}
    return [m for name, m in METRICS.items() if name in found and name not in _ALWAYS_SHOWN]
