"""Carry a run's plan out again, and hold what comes of it against the run.

On the same class of machine (libraries, processor family, GPU, threads) everything is the same bit
for bit. Elsewhere sums come in another order: then log-probabilities may differ by a little, and
with them a span that was on the edge. What attacks find is held within that tolerance everywhere,
since they may have been tried by another number of threads.

The plan again shows what it makes, not what was handed over: where the weights are not the same bit
for bit, the run's own model is measured too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.result import Figure
from sanilens.audit.summary import verdict_frame
from sanilens.case import open_planned
from sanilens.evidence.verify import Check, compared
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.packed import packed_weights
from sanilens.runs.arms import COPIES, TITLES, ArmName, load_verdicts
from sanilens.runs.attacking import Attacked, attack_run, load_attacks, sanitised
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check, digests, open_manifest
from sanilens.unlearn.plan import Plan

MOST_CHANGED, MOST_MOVED = 0.02, 0.05
"""Elsewhere: share of spans whose verdict differs, and mean difference of log p in nats a span."""

_ALIKE = ("torch", "transformers", "tokenizers", "numpy")


def replay(
    run: RunFolder,
    folder: Path,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    attacks: Iterable[str] = (),
) -> list[Check]:
    """Execute the plan in `folder`, and compare arm by arm, the model, and what attacks found.

    `attacks`: those of the run's that are tried again.

    Raises:
        SaniLensError: if a model or text of the plan is not here, or is another.
    """
    plan = run.plan()
    execute(plan, folder, on_event, anew=True)  # what is kept would prove nothing
    again = RunFolder(folder)
    alike = _alike(run, again)
    files, others = (digests(each, [each.model]) for each in (run, again))
    arms = check(run).arms
    found = [
        _same_verdicts(f"again: {TITLES[arm]}", *(load_verdicts(r.arms, arm) for r in (run, again)),
                  exact=alike)
        for arm in arms if arm not in COPIES
    ]  # fmt: skip
    if files == others:
        found.append(Check("again: model", "as it was", "the same weights, bit for bit"))
    else:
        what = "WRONG" if alike else "not checked"
        words = "other weights" if alike else "another class of machine: not bit for bit"
        found.append(Check("again: model", what, words))
    copies: list[ArmName] = [arm for arm in COPIES if arm in arms]
    if files != others or copies:
        found += _measured(run, plan, copies)
    if names := [*attacks]:
        attack_run(folder, names, on_event, anew=True)
        found += attacked_again(load_attacks(run), load_attacks(again), names)
    return found


def _measured(run: RunFolder, plan: Plan, copies: Iterable[ArmName]) -> Iterator[Check]:
    """The run's own model, and its copies in fewer bits, asked again."""
    case = open_planned(plan)
    model, hooks = sanitised(run, plan, case)
    exam = case.exam(plan.audit, plan.seed)
    states: list[tuple[ArmName, LanguageModel, Hooks]] = [("after", model, hooks)]
    for copy in copies:
        states.append((copy, packed_weights(model, 8 if copy == "int8" else 4), NO_HOOKS))
    for name, own, beside in states:
        verdicts = verdict_frame(exam.verdicts(own, beside))
        yield _same_verdicts(f"measured: {TITLES[name]}", load_verdicts(run.arms, name), verdicts)


def _same_verdicts(
    what: str, one: pd.DataFrame, other: pd.DataFrame, *, exact: bool = False
) -> Check:
    """Two tables of verdicts on the same spans."""
    one, other = (each.set_index("span") for each in (one, other))
    if list(one.index) != list(other.index):
        return Check(what, "WRONG", "other spans were asked for")
    changed = int(np.count_nonzero(one["extracted"].to_numpy() != other["extracted"].to_numpy()))
    apart = np.abs(one["logprob"].to_numpy() - other["logprob"].to_numpy())
    moved = float(apart.mean()) if len(apart) else 0.0
    words = f"{changed:,} of {len(one):,} verdicts differ; log p by {moved:.2g} nats a span"
    near = changed <= MOST_CHANGED * len(one) and moved <= MOST_MOVED
    same = one.equals(other) if exact else near
    return Check(what, "as it was" if same else "WRONG", words)


def attacked_again(
    said: Mapping[str, Attacked], found: Mapping[str, Attacked], names: Iterable[str]
) -> Iterator[Check]:
    """What attacks found in a run, beside what they found again, attack by attack."""
    for name in names:
        what, count = f"again: {ATTACKS[name].title}", 0
        wrong: list[str] = []
        for state, own in said[name].results.items():
            other = found[name].on(state)
            there = {figure.name: figure for figure in (other.figures if other else ())}
            missing = there.keys() - {figure.name for figure in own.figures}
            wrong += [f"{figure} on {state} was left out" for figure in sorted(missing)]
            for figure in own.figures:
                count += 1
                if not _near(figure, there.get(figure.name)):
                    wrong.append(f"{figure.name} on {state} is found otherwise")
        yield compared(what, wrong, f"{count:,} figures found again")


def _near(one: Figure, other: Figure | None) -> bool:
    """Whether two figures agree within the tolerance; one span more or less is within it."""
    if other is None or one.n != other.n or (one.value is None) != (other.value is None):
        return False
    if one.value is None or other.value is None:
        return True
    if one.hits is not None and other.hits is not None:
        return abs(one.hits - other.hits) <= max(1, MOST_CHANGED * one.n)
    apart, size = abs(one.value - other.value), max(abs(one.value), abs(other.value))
    return apart <= max(MOST_CHANGED, MOST_MOVED * size)


def _alike(run: RunFolder, again: RunFolder) -> bool:
    one, other = (open_manifest(each) for each in (run, again))
    versions = [(m.get("versions") or {}) for m in (one, other)]
    return all(versions[0].get(name) == versions[1].get(name) for name in _ALIKE) and all(
        one.get(name) == other.get(name) for name in ("machine", "gpu", "torch_threads")
    )
