"""Which localiser finds neurons that are known to carry a memory: the INJ protocol, with controls.

A localiser sees the injected model only. Whether it picks over the whole model or the same number
in each layer, and the settings of the learned masks, are chosen on injections of their own
(development) and then held on all others. Memories are taught to what neurons write, to what they
read and to both, and are asked for at rest and after further tuning (inspect/injection.py). Nobody
knows how a real memory was taught, so choices and recommendation go by the worst of these. One
that is also given the model before the injection is listed apart, since the difference of the
weights gives the answer away.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

import numpy as np
import torch

from sanilens.audit.targets import Targets, find_targets
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.locate.injection import (
    CONDITIONS,
    Condition,
    Injected,
    Injector,
    chosen,
    memories,
    recall,
)
from sanilens.inspect.locate.localisers import LOCALISERS, Settings
from sanilens.inspect.locate.localisers.hard_concrete import HardConcrete, hard_concrete
from sanilens.inspect.locate.localisers.slimming import Slimming, slimming
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import read_weights, write_weights
from sanilens.progress import Progress, unheard

# Memories to try for each that is wanted, before a share of neurons counts as too small to hold;
# so many are tried before it is given up, if they hold more seldom than that.
_TRIES, _PATIENCE = 8, 100
# Other people's texts that must stay, for what asks for a price.
_KEPT = 32
# Recalls on a handful of injections that differ by less are alike.
_ALIKE = 0.02
# Whose deletion curves are drawn, beside the recommended one's.
CURVES = (
    "alignment",
    "two-sided-alignment",
    "gradient-activation-plain",
    "hard-concrete",
    "slimming",
    "price",
    "balanced-subnet",
)


# What the learned masks are tuned over.
SLIM = tuple(
    Slimming(learning_rate=rate, penalty=penalty)
    for rate in (1e-2, 3e-2)
    for penalty in (0.001, 0.003, 0.01)
)
GATES = tuple(
    HardConcrete(learning_rate=rate, penalty=penalty, beta=0.33, steps=600)
    for rate in (1e-2, 3e-2)
    for penalty in (0.001, 0.003)
)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to score: a localiser, with one setting of it."""

    name: str
    setting: str
    score: Callable[[Targets, Settings], UnitScores]


@dataclass(frozen=True, slots=True)
class Recall:
    """Mean recall over the test injections of one condition, with a bootstrapped 95 % interval."""

    recall: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class LocaliserRecall:
    """A localiser's recall under each condition, by name.

    `picked` says how units were picked; both it and `setting` were chosen on development.
    `seconds` is the median time of one scoring. `worst` names the condition of the least recall.
    """

    conditions: dict[str, Recall]
    worst: str
    picked: str
    setting: str
    seconds: float

    @property
    def least(self) -> Recall:
        """Recall under the worst condition: all that can be relied on."""
        return self.conditions[self.worst]


@dataclass(frozen=True, slots=True)
class InjResult:
    """Recall of every localiser on neurons; heads were not measured.

    Attributes:
        share: of all neurons, injected and predicted.
        recommended: the localiser whose worst condition is best on development.
        candidates: those within 0.02 of it there; the deletion curve decides between them.
        localisers: test recall by name, the controls among them.
        given_the_original: of those that also saw the model before the injection.
        development: how many injections of each condition the choices were made on.
        tried, held: by condition the memories tried, and those that were extracted afterwards.
    """

    share: float
    recommended: str
    candidates: tuple[str, ...]
    localisers: dict[str, LocaliserRecall]
    given_the_original: dict[str, LocaliserRecall]
    development: int
    tried: dict[str, int]
    held: dict[str, int]


def bench_inj(
    model: LanguageModel,
    records: Sequence[Record],
    *,
    count: int = 8,
    development: int = 2,
    seed: int = 0,
    progress: Progress = unheard,
) -> InjResult:
    """Inject memories of `records` into 1 % of the neurons, or 5 % where 1 % cannot hold them.

    Args:
        model: a model that has not seen `records`.
        records: whose spans are injected, one model each, and which are tuned on further.
        count: test injections of each condition.
        development: further injections of each condition, for the choices.
        seed: of everything drawn.
        progress: hears of the progress.

    Raises:
        PlanError: if not even 5 % of the neurons hold enough of them.
    """
    # A narrow model may not hold a span in 1 % of its neurons. A run at the larger share starts
    # anew, since recalls at different shares cannot be averaged.
    for share in (0.01, 0.05):
        if result := _Bench(model, records, share, count, development, seed, progress).run():
            return result
    raise PlanError(
        f"{model.name}: fewer than {count + development} memories could be injected into 5 % of "
        "its neurons. Give a corpus with more spans of three to six tokens."
    )


def contestants() -> list[Contestant]:
    """Every localiser; the learned masks in each setting that is tuned over."""
    fixed = [
        Contestant(name, "", each.score)
        for name, each in LOCALISERS.items()
        if name not in ("slimming", "hard-concrete")
    ]
    slim = [Contestant("slimming", _named(how), partial(slimming, how=how)) for how in SLIM]
    gates = [
        Contestant("hard-concrete", _named(how), partial(hard_concrete, how=how)) for how in GATES
    ]
    return [*fixed, Contestant("write-norm", "", _write_norm), *slim, *gates]


def _named(how: Slimming | HardConcrete) -> str:
    return f"lr {how.learning_rate:g}, lambda {how.penalty:g}, {how.steps} steps"


@dataclass
class _Trial:
    """Recalls and seconds of one contestant, by how it picks and by condition."""

    recalls: dict[str, dict[Condition, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    seconds: list[float] = field(default_factory=list)

    def best(self) -> tuple[float, str]:
        """The way to pick whose worst condition is best, and its recall there."""
        return max(
            (min(map(fmean, by_condition.values())), picked)
            for picked, by_condition in self.recalls.items()
        )


class _TooFew(Exception):
    """This share of the neurons is too small to hold the memories."""


class _Bench:
    """One run at one share."""

    def __init__(
        self,
        model: LanguageModel,
        records: Sequence[Record],
        share: float,
        count: int,
        development: int,
        seed: int,
        progress: Progress,
    ) -> None:
        self._texts = memories(model, records, seed)
        self._injector = Injector(model, share, seed, records)
        self._records = records
        self._share, self._count, self._development = share, count, development
        self._seed, self._progress = seed, progress
        self._tried: dict[str, int] = dict.fromkeys(map(str, CONDITIONS), 0)
        self._held: dict[str, int] = dict.fromkeys(map(str, CONDITIONS), 0)

    def run(self) -> InjResult | None:
        """Choose on some injections of every condition, then test on others."""
        everybody = contestants()
        trials = [_Trial() for _ in everybody]
        streams = {condition: self._injections(condition) for condition in CONDITIONS}
        try:
            for condition, injected in self._next(streams, self._development):
                for contestant, trial in zip(everybody, trials, strict=True):
                    self._try(injected, condition, contestant, trial)
            kept = _choose(everybody, trials)
            apart = _Trial()
            for condition, injected in self._next(streams, self._count):
                for contestant, picked, trial in kept:
                    self._try(injected, condition, contestant, trial, (picked,))
                _note(apart, "whole model", condition, _difference(injected), injected)
        except _TooFew:
            return None
        best = {c.name: 0.0 for c in everybody}
        for contestant, trial in zip(everybody, trials, strict=True):
            best[contestant.name] = max(best[contestant.name], trial.best()[0])
        recommended = max(best, key=lambda name: best[name])
        rows = {c.name: _row(trial, picked, c.setting, self._seed) for c, picked, trial in kept}
        return InjResult(
            share=self._share,
            recommended=recommended,
            candidates=tuple(n for n in best if best[n] >= best[recommended] - _ALIKE),
            localisers=rows,
            given_the_original={
                "weight-difference": _row(apart, "whole model", "", self._seed),
            },
            development=self._development,
            tried=self._tried,
            held=self._held,
        )

    def _try(
        self,
        injected: Injected,
        condition: Condition,
        contestant: Contestant,
        trial: _Trial,
        ways: Sequence[str] = ("whole model", "each layer"),
    ) -> None:
        targets = find_targets(injected.model, [injected.record])
        others = [r for r in self._records if r.subject != injected.record.subject]
        keep = others[:: -(-len(others) // _KEPT)] if others else ()
        started = time.perf_counter()
        scores = contestant.score(targets, Settings(seed=self._seed, keep=keep)).values
        trial.seconds.append(time.perf_counter() - started)
        for picked in ways:
            _note(trial, picked, condition, scores, injected)

    def _next(
        self, streams: dict[Condition, Iterator[Injected]], count: int
    ) -> Iterator[tuple[Condition, Injected]]:
        """`count` injections of each condition, in turns: they share one model."""
        for _ in range(count):
            for condition, stream in streams.items():
                yield condition, next(stream)
                wanted = (self._count + self._development) * len(streams)
                self._progress(sum(self._held.values()), wanted)

    def _injections(self, condition: Condition) -> Iterator[Injected]:
        """The injections that hold: the same memories in each condition, in neurons of its own."""
        name, first = str(condition), CONDITIONS.index(condition) * len(self._texts)
        for number, memory in enumerate(self._texts):
            self._tried[name] += 1
            injected = self._injector.inject(memory, first + number, condition)
            if injected is not None:
                self._held[name] += 1
                yield injected
            elif self._tried[name] >= _PATIENCE and self._held[name] * _TRIES < self._tried[name]:
                break  # hardly any holds
        raise _TooFew


def _choose(
    all_of_them: Sequence[Contestant], trials: Sequence[_Trial]
) -> list[tuple[Contestant, str, _Trial]]:
    """For each name its best setting and way to pick, with an empty record for the test."""
    best: dict[str, tuple[float, str, Contestant]] = {}
    for contestant, trial in zip(all_of_them, trials, strict=True):
        value, picked = trial.best()
        if contestant.name not in best or value > best[contestant.name][0]:
            best[contestant.name] = (value, picked, contestant)
    return [(contestant, picked, _Trial()) for _, picked, contestant in best.values()]


def _note(
    trial: _Trial, picked: str, condition: Condition, scores: torch.Tensor, injected: Injected
) -> None:
    predicted = chosen(scores, len(injected.neurons), per_layer=picked == "each layer")
    trial.recalls[picked][condition].append(recall(predicted, injected.neurons))


def _row(trial: _Trial, picked: str, setting: str, seed: int) -> LocaliserRecall:
    found = {str(c): _summary(values, seed) for c, values in trial.recalls[picked].items()}
    worst = min(found, key=lambda name: found[name].recall)
    seconds = float(np.median(trial.seconds)) if trial.seconds else 0.0
    return LocaliserRecall(found, worst, picked, setting, seconds)


def _summary(recalls: Sequence[float], seed: int) -> Recall:
    values = np.array(recalls)
    drawn = np.random.default_rng(seed).choice(values, (10_000, len(values))).mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Recall(float(values.mean()), float(low), float(high), len(values))


def _write_norm(targets: Targets, settings: Settings) -> UnitScores:
    """The control: ||w_n|| alone, which a norm-keeping injection leaves as it was."""
    model = targets.model
    layers = range(model.sites.n_layers)
    norms = torch.stack([write_weights(model, "mlp", i).norm(dim=1).cpu() for i in layers])
    return UnitScores("write-norm", "mlp", norms, targets.spans)


def _difference(injected: Injected) -> torch.Tensor:
    """||w_n - w_n before|| of both sides: only somebody with both models can know it."""
    mine, theirs = injected.model, injected.original
    return torch.stack(
        [
            torch.cat(
                [
                    read_weights(mine, i) - read_weights(theirs, i),
                    write_weights(mine, "mlp", i) - write_weights(theirs, "mlp", i),
                ],
                dim=1,
            ).norm(dim=1)
            for i in range(mine.sites.n_layers)
        ]
    ).cpu()
