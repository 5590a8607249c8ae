"""How far a model's log-probabilities of the spans are from the reference model's.

The two-sample test of Kolmogorov and Smirnov: `sup_x |F(x) - G(x)|`, F and G the shares of spans
whose log-probability is at most x.
"""

from scipy.stats import ks_2samp

from sanilens.audit.metrics.metric import Metric, Trial
from sanilens.audit.summary import memory


def _apart(trial: Trial) -> tuple[float, float] | None:
    """The distance and its p; None where no span can be asked for."""
    exam, reference = trial.exam, trial.exam.reference
    assert reference is not None  # it is needed
    held = memory(exam.once("reference's verdicts", lambda: exam.verdicts(reference)))
    own = memory(trial.verdicts)
    if not (own and held):
        return None
    found = ks_2samp([v.logprob for v in own], [v.logprob for v in held])
    return float(found.statistic), float(found.pvalue)  # pyright: ignore[reportAttributeAccessIssue]


def _distance(trial: Trial) -> float | None:
    return found[0] if (found := _apart(trial)) else None


def _p(trial: Trial) -> float | None:
    return found[1] if (found := _apart(trial)) else None


KS_DISTANCE = Metric(
    name="ks_distance",
    title="KS distance",
    meaning="Between its and the reference's span log-probabilities; 0: one distribution.",
    unit="distance",
    better="lower",
    measure=_distance,
    needs=("reference",),
)
KS_P = Metric(
    name="ks_p",
    title="KS p",
    meaning="Least p over seeds that span log-probabilities are the reference's.",
    unit="p",
    better="higher",
    measure=_p,
    needs=("reference",),
)
