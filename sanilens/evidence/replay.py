"""Carry a run's plan out again, and hold what comes of it against the run.

On the same class of machine (libraries, processor family, GPU, threads) everything is the same bit
for bit. Elsewhere sums come in another order: then log-probabilities may differ by a little, and
with them a span that was on the edge.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sanilens.evidence.verify import Check
from sanilens.runs.arms import COPIES, TITLES, load_verdicts
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check, digests, open_manifest

MOST_CHANGED, MOST_MOVED = 0.02, 0.05
"""Elsewhere: share of spans whose verdict differs, and mean difference of log p in nats a span."""

_ALIKE = ("torch", "transformers", "tokenizers", "numpy")


def replay(
    run: RunFolder, folder: Path, on_event: Callable[[dict[str, Any]], None] | None = None
) -> list[Check]:
    """Execute the plan in `folder`, and compare arm by arm and the model.

    Raises:
        SaniLensError: if a model or text of the plan is not here, or is another.
    """
    execute(run.plan(), folder, on_event, anew=True)  # what is kept would prove nothing
    again = RunFolder(folder)
    alike = _alike(run, again)
    found: list[Check] = []
    for arm in check(run).arms:
        if arm in COPIES:
            continue  # of no plan, but of whoever exported it
        one, other = (load_verdicts(each.arms, arm).set_index("span") for each in (run, again))
        if list(one.index) != list(other.index):
            found.append(Check(f"again: {TITLES[arm]}", "WRONG", "other spans were asked for"))
            continue
        changed = int(
            np.count_nonzero(one["extracted"].to_numpy() != other["extracted"].to_numpy())
        )
        apart = np.abs(one["logprob"].to_numpy() - other["logprob"].to_numpy())
        moved = float(apart.mean()) if len(apart) else 0.0
        words = f"{changed:,} of {len(one):,} verdicts differ; log p by {moved:.2g} nats a span"
        same = one.equals(other) if alike else (
            changed <= MOST_CHANGED * len(one) and moved <= MOST_MOVED)  # fmt: skip
        found.append(Check(f"again: {TITLES[arm]}", "as it was" if same else "WRONG", words))
    files, others = (digests(each, [each.model]) for each in (run, again))
    if files == others:
        found.append(Check("again: model", "as it was", "the same weights, bit for bit"))
    else:
        what = "WRONG" if alike else "not checked"
        words = "other weights" if alike else "another class of machine: not bit for bit"
        found.append(Check("again: model", what, words))
    return found


def _alike(run: RunFolder, again: RunFolder) -> bool:
    one, other = (open_manifest(each) for each in (run, again))
    versions = [(m.get("versions") or {}) for m in (one, other)]
    return all(versions[0].get(name) == versions[1].get(name) for name in _ALIKE) and all(
        one.get(name) == other.get(name) for name in ("machine", "gpu", "torch_threads")
    )
