"""The plan that is suggested when nobody has chosen units yet."""

from collections.abc import Sequence

import torch

from sanilens.audit.extraction import Progress
from sanilens.corpus.records import Record
from sanilens.inspect.localisers import Settings, find_localiser, ignored
from sanilens.inspect.targets import find_targets
from sanilens.model.subject import SubjectModel
from sanilens.unlearn.choose import random_share
from sanilens.unlearn.plan import Operation, Repair, UnitEdit

# Share of all neurons that the suggested plan resets; chosen on the bundled case, see benchmarks/.
DEFAULT_SHARE = 0.3
# Of a request for few people; fewer units could hardly be told from noise.
_LEAST_SHARE = 0.01


def suggested_share(corpus: Sequence[Record], asked: Sequence[Record]) -> float:
    """DEFAULT_SHARE, less in proportion where only some of the corpus's spans are asked for.

    Resetting as many units for one person as for everybody would harm everybody else. The
    proportion is our choice; it was not tuned.
    """
    every, own = (sum(len(record.spans) for record in records) for records in (corpus, asked))
    return max(_LEAST_SHARE, DEFAULT_SHARE * own / every) if own < every else DEFAULT_SHARE


def default_edits(
    subject: SubjectModel,
    base: SubjectModel | None,
    records: Sequence[Record],
    seed: int = 0,
    *,
    share: float = DEFAULT_SHARE,
    progress: Progress | None = None,
) -> tuple[UnitEdit, ...]:
    """The units that carry the corpus's spans most, reset to the base model, else zeroed.

    A reset without a base would put noise where text was learnt; zero does less harm. Of a masked
    model, which no localiser reads yet, it is SANI's random half of the last layer.
    """
    operation: Operation = "reset" if base else "zero"
    if subject.kind == "masked":
        drawn = random_share(subject.sites, "mlp", seed=seed)
        return tuple(UnitEdit(unit=str(unit), operation=operation) for unit in drawn)
    settings = Settings(seed=seed, progress=progress or ignored)
    scores = find_localiser("gradient-activation").score(find_targets(subject, records), settings)
    count = max(1, round(share * scores.values.numel()))
    return tuple(UnitEdit(unit=str(n), operation=operation) for n in scores.units(count))


def default_repair(base: SubjectModel | None) -> Repair:
    """The repair that is suggested: anchored to the base model, or surrogates without one.

    Surrogates too where the base, like the model, is a masked one: the anchored repair is causal.

    bfloat16 where this machine multiplies in it; elsewhere it would be emulated, and slower.
    """
    fast = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    precision = "bfloat16" if fast else "float32"
    if base is None or base.kind == "masked":
        return Repair(precision=precision)
    return Repair(method="anchored", learning_rate=1.7e-3, precision=precision)
