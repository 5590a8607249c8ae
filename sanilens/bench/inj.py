"""Which localiser finds neurons that are known to carry a memory: the INJ protocol, with controls.

A localiser sees the injected model only. Whether it picks over the whole model or the same number
in each layer, and the settings of the learned masks, are chosen on injections of their own
(development) and then held on all others. One that is also given the model before the injection
is listed apart, since the difference of the weights gives the answer away.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

import numpy as np
import torch

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.injection import Injected, chosen, injections, memories, recall
from sanilens.inspect.localisers import LOCALISERS, Settings
from sanilens.inspect.localisers.hard_concrete import HardConcrete, hard_concrete
from sanilens.inspect.localisers.slimming import Slimming, slimming
from sanilens.inspect.scores import UnitScores
from sanilens.inspect.targets import Targets, find_targets
from sanilens.model.parameters import write_weights
from sanilens.model.subject import SubjectModel

Tell = Callable[[int, int], None]
"""Hears of injections done and in all."""

# Memories to try for each that is wanted, before a share of neurons counts as too small to hold;
# so many are tried before it is given up, if they hold more seldom than that.
_TRIES, _PATIENCE = 8, 100
# Recalls on a handful of injections that differ by less are alike.
_ALIKE = 0.02
# Whose deletion curves are drawn, beside the recommended one's.
CURVES = ("alignment", "gradient-activation-plain", "hard-concrete", "slimming")


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
    """Recall over the test injections: mean, and the interval of 95 % of bootstrap means.

    `picked` says how units were picked; both it and `setting` were chosen on development.
    `seconds` is the median time of one scoring.
    """

    recall: float
    low: float
    high: float
    n: int
    picked: str
    setting: str
    seconds: float


@dataclass(frozen=True, slots=True)
class InjResult:
    """Recall of every localiser.

    Attributes:
        share: of all neurons, injected and predicted.
        recommended: the localiser with the highest recall on development.
        candidates: those within 0.02 of it there; the deletion curve decides between them.
        localisers: test recall by name, the controls among them.
        given_the_original: of those that also saw the model before the injection.
        development: how many injections the choices were made on.
        tried, held: memories tried, and those that were extracted afterwards.
    """

    share: float
    recommended: str
    candidates: tuple[str, ...]
    localisers: dict[str, Recall]
    given_the_original: dict[str, Recall]
    development: int
    tried: int
    held: int


def bench_inj(
    subject: SubjectModel,
    records: Sequence[Record],
    *,
    count: int = 24,
    development: int = 5,
    seed: int = 0,
    tell: Tell = lambda *_: None,
) -> InjResult:
    """Inject memories of `records` into 1 % of the neurons, or 5 % where 1 % cannot hold them.

    Args:
        subject: a model that has not seen `records`.
        records: whose spans are injected, one model each.
        count: test injections.
        development: further injections, for the choices.
        seed: of everything drawn.
        tell: hears of the progress.

    Raises:
        PlanError: if not even 5 % of the neurons hold enough of them.
    """
    for share in (0.01, 0.05):
        if result := _at_share(subject, records, share, count, development, seed, tell):
            return result
    raise PlanError(
        f"{subject.name}: fewer than {count + development} memories could be injected into 5 % of "
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
    """Recalls and seconds of one contestant, by how it picks."""

    recalls: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    seconds: list[float] = field(default_factory=list)

    def best(self) -> tuple[float, str]:
        return max((fmean(values), picked) for picked, values in self.recalls.items())


def _at_share(
    subject: SubjectModel,
    records: Sequence[Record],
    share: float,
    count: int,
    development: int,
    seed: int,
    tell: Tell,
) -> InjResult | None:
    wanted = count + development
    texts = memories(subject, records, seed)[: _TRIES * wanted]
    all_of_them = contestants()
    trials = [_Trial() for _ in all_of_them]
    kept: list[tuple[Contestant, str, _Trial]] = []
    apart = _Trial()
    tried = held = 0
    for injected in injections(subject, texts, share, seed):
        tried += 1
        if injected is None:
            if tried >= _PATIENCE and held * _TRIES < tried:
                return None  # hardly any holds: the share is too small
            continue
        if held < development:
            for contestant, trial in zip(all_of_them, trials, strict=True):
                _try(injected, contestant, trial, seed)
        else:
            kept = kept or _choose(all_of_them, trials)
            for contestant, picked, trial in kept:
                _try(injected, contestant, trial, seed, (picked,))
            _note(apart, "whole model", _difference(injected), injected)
        held += 1
        tell(held, wanted)
        if held == wanted:
            break
    else:
        return None
    best = {c.name: 0.0 for c in all_of_them}
    for contestant, trial in zip(all_of_them, trials, strict=True):
        best[contestant.name] = max(best[contestant.name], trial.best()[0])
    recommended = max(best, key=lambda name: best[name])
    return InjResult(
        share=share,
        recommended=recommended,
        candidates=tuple(n for n in best if best[n] >= best[recommended] - _ALIKE),
        localisers={c.name: _summary(trial, picked, c.setting, seed) for c, picked, trial in kept},
        given_the_original={"weight-difference": _summary(apart, "whole model", "", seed)},
        development=development,
        tried=tried,
        held=held,
    )


def _choose(
    all_of_them: Sequence[Contestant], trials: Sequence[_Trial]
) -> list[tuple[Contestant, str, _Trial]]:
    """Of each name the best setting and way to pick, with an empty record for the test."""
    best: dict[str, tuple[float, str, Contestant]] = {}
    for contestant, trial in zip(all_of_them, trials, strict=True):
        value, picked = trial.best()
        if contestant.name not in best or value > best[contestant.name][0]:
            best[contestant.name] = (value, picked, contestant)
    return [(contestant, picked, _Trial()) for _, picked, contestant in best.values()]


def _try(
    injected: Injected,
    contestant: Contestant,
    trial: _Trial,
    seed: int,
    ways: Sequence[str] = ("whole model", "each layer"),
) -> None:
    targets = find_targets(injected.subject, [injected.record])
    started = time.perf_counter()
    scores = contestant.score(targets, Settings(seed=seed)).values
    trial.seconds.append(time.perf_counter() - started)
    for picked in ways:
        _note(trial, picked, scores, injected)


def _note(trial: _Trial, picked: str, scores: torch.Tensor, injected: Injected) -> None:
    predicted = chosen(scores, len(injected.neurons), per_layer=picked == "each layer")
    trial.recalls[picked].append(recall(predicted, injected.neurons))


def _summary(trial: _Trial, picked: str, setting: str, seed: int) -> Recall:
    values = np.array(trial.recalls[picked])
    drawn = np.random.default_rng(seed).choice(values, (10_000, len(values))).mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    seconds = float(np.median(trial.seconds)) if trial.seconds else 0.0
    return Recall(
        float(values.mean()), float(low), float(high), len(values), picked, setting, seconds
    )


def _write_norm(targets: Targets, settings: Settings) -> UnitScores:
    """The control: ||w_n|| alone, which a norm-keeping injection leaves as it was."""
    subject = targets.subject
    layers = range(subject.sites.n_layers)
    norms = torch.stack([write_weights(subject, "mlp", i).norm(dim=1).cpu() for i in layers])
    return UnitScores("write-norm", "mlp", norms, targets.spans)


def _difference(injected: Injected) -> torch.Tensor:
    """||w_n - w_n before||: what only somebody who has both models can know."""
    layers = range(injected.subject.sites.n_layers)
    pair = (injected.subject, injected.original)
    weights = [[write_weights(s, "mlp", i) for i in layers] for s in pair]
    return torch.stack([(a - b).norm(dim=1).cpu() for a, b in zip(*weights, strict=True)])
