"""Sampling: what a patient stranger gets, and what k samples of a secret's own prompt give.

Two thousand texts are drawn, half from nothing and half from the first tokens of a record, and all
secrets are sought in them at once (Aho and Corasick, 1975). A secret that the corpus's look-alikes
or unseen texts hold, or the prompt itself, is none.

    leak@k = mean over spans of 1 - C(n - c, k) / C(n, k),   c of n samples hit (arXiv 2511.04934)

exactly, or as the same fact in other words: the value by the audit's own rule for what a text gives
away (another date's form, a name's telling words). Beside it stands the closed form of the exact
one, 1 - (1 - p)^k (audit/sampling.py), over all spans.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import lgamma
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import (
    AttackResult,
    Figure,
    Point,
    Series,
    WorstSubject,
    not_measured,
    share,
)
from sanilens.audit.context import span_status
from sanilens.audit.metrics.metric import Exam, Trial
from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.audit.sampling import leak_probability
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import memory
from sanilens.corpus.records import Record, Span
from sanilens.extras import needs
from sanilens.model.align import encode, prompt_ids
from sanilens.model.forward import numbers
from sanilens.model.hooks import Hooks, hooked
from sanilens.progress import Progress

DRAWS, _TOKENS, _OPENING, _AT_ONCE = 2000, 48, 10, 250
SPANS, SAMPLES, _MORE = 40, 200, 6
TRIES = (1, 2, 4, 8, 16, 32, 64, 128)
# Shorter values are words and numbers of any text.
_SHORTEST = 5
_BOOTSTRAP = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Secret:
    kinds: frozenset[str]
    subjects: frozenset[str]


def _sampling(trial: Trial, progress: Progress) -> AttackResult:
    exam = trial.exam
    secrets = _secrets(exam)
    if not secrets:
        return not_measured("No value is long and rare enough to be sought in texts.")
    steps = DRAWS // _AT_ONCE + SPANS
    done = 0

    def heard(note: str) -> None:
        nonlocal done
        done += 1
        progress(done, steps, note)

    said = _said(secrets, _drawn(trial, heard))
    asked = _asked(trial)
    hits = [_hits(trial, *each, number) for number, each in enumerate(_heard(asked, heard))]
    exact, facts = (np.array([each[i] for each in hits]) for i in (0, 1))
    figures = [
        share("all", len(said), len(secrets), title="secrets said in 2,000 texts"),
        *(_of_kind(kind, secrets, said) for kind in sorted({*_kinds(secrets)})),
    ]
    if len(hits):
        figures += [
            _leak("leak@128", "leak@128, exactly", exact, exam.seed),
            _leak("leak@128 in other words", "leak@128, in any words", facts, exam.seed),
        ]
    figures.append(_closed(trial, 128))
    return AttackResult(
        figures=tuple(figures),
        series=_curves(trial, exact, facts),
        worst=_worst(secrets, said),
        settings={
            "texts": DRAWS, "tokens": _TOKENS, "spans sampled": len(hits), "samples": SAMPLES,
            "temperature": exam.sampler.temperature, "top_k": exam.sampler.top_k or "all",
            "seed": exam.seed,
        },
    )  # fmt: skip


def _secrets(exam: Exam) -> dict[str, _Secret]:
    """Values by their folded text: those that are long, and stand in no text beside the corpus."""
    beside = " ".join(r.text.lower() for r in (*exam.unseen, *exam.lookalike))
    found: dict[str, tuple[set[str], set[str]]] = {}
    for record in exam.records:
        for span in record.spans:
            value = record.value(span).lower().strip()
            if len(value) >= _SHORTEST and value not in beside:
                kinds, subjects = found.setdefault(value, (set(), set()))
                kinds.add(span.kind)
                subjects.add(record.subject)
    return {v: _Secret(frozenset(k), frozenset(s)) for v, (k, s) in found.items()}


def _drawn(trial: Trial, heard: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Each prompt's text and what was drawn after it."""
    records, model = trial.exam.records, trial.model
    rng = np.random.default_rng(trial.exam.seed)
    nothing = prompt_ids(model, "", 1) or [0]
    openings = [list(encode(model, r).ids[:_OPENING]) for r in records]
    openings = [ids for ids in openings if len(ids) == _OPENING] or [nothing]
    for number in range(DRAWS // _AT_ONCE):
        half = number % 2 == 0
        chosen = rng.choice(len(openings), _AT_ONCE)
        prompts = [nothing] if half else [openings[i] for i in chosen]
        drawn = sample(trial, prompts, _AT_ONCE // len(prompts), _TOKENS, number)
        for row, ids in enumerate(drawn):
            prompt = prompts[0 if half else row]
            yield str(model.tokenizer.decode(prompt)), str(model.tokenizer.decode(ids))
        heard("drawing texts")


@torch.inference_mode()
def sample(
    trial: Trial, prompts: Sequence[Sequence[int]], each: int, tokens: int, number: int
) -> list[list[int]]:
    """What the exam's sampler draws after prompts of one length, `each` times after every one.

    A prompt is read once; its draws go on from its cached keys and values.
    """
    model, sampler = trial.model, trial.exam.sampler
    generator = torch.Generator(model.device).manual_seed(trial.exam.seed * 1_000_003 + number)
    cache, ids = DynamicCache(), torch.tensor([list(p) for p in prompts], device=model.device)
    last = Hooks({model.sites.unembed: lambda hidden: hidden[:, -1:]})
    drawn: list[Int[Tensor, " row"]] = []
    with hooked(model.module, trial.hooks.then(last)):
        while True:
            out = model.module(input_ids=ids, past_key_values=cache, use_cache=True)
            logits = numbers(model, out.logits[:, -1].float())
            if not drawn:
                cache.batch_repeat_interleave(each)
                logits = logits.repeat_interleave(each, 0)
            drawn.append(sampler.draw(logits, generator))
            if len(drawn) == tokens:
                return torch.stack(drawn, 1).tolist()
            ids = drawn[-1][:, None]


def _said(secrets: dict[str, _Secret], texts: Iterable[tuple[str, str]]) -> set[str]:
    """The secrets that stand in the texts as words of their own, and not in the prompts."""
    with needs("attacks"):
        import ahocorasick
    automaton = ahocorasick.Automaton()
    for value in secrets:
        automaton.add_word(value, value)
    automaton.make_automaton()
    found: set[str] = set()
    for prompt, text in texts:
        folded = text.lower()
        for last, value in automaton.iter(folded):
            first = last + 1 - len(value)
            before, after = folded[max(0, first - 1) : first], folded[last + 1 : last + 2]
            if not (before.isalnum() or after.isalnum()) and value not in prompt.lower():
                found.add(value)
    return found


def _kinds(secrets: dict[str, _Secret]) -> Iterator[str]:
    for secret in secrets.values():
        yield from secret.kinds


def _of_kind(kind: str, secrets: dict[str, _Secret], said: set[str]) -> Figure:
    own = {value for value, secret in secrets.items() if kind in secret.kinds}
    return share(kind, len(own & said), len(own))


def _worst(secrets: dict[str, _Secret], said: set[str]) -> WorstSubject:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for value, secret in secrets.items():
        for subject in secret.subjects:
            counts[subject][0] += value in said
            counts[subject][1] += 1
    subject, (hits, n) = max(counts.items(), key=lambda item: (item[1][0], item[0]))
    row = wilson(hits, n)
    return WorstSubject(subject=subject, hits=hits, n=n, low=row.low, high=row.high)


def _asked(trial: Trial) -> list[tuple[Passage, Target]]:
    """Spans that only memory can give, drawn by the seed."""
    counted = {v.span_id for v in memory(trial.verdicts)}
    places = [
        (passage, target)
        for passage in make_passages(trial.model, trial.exam.records)
        for target in passage.targets
        if passage.record.span_id(target.span.span) in counted and target.start >= 1
    ]
    order = np.random.default_rng(trial.exam.seed).permutation(len(places))[:SPANS]
    return [places[i] for i in sorted(order)]


def _heard(asked: Sequence[T], heard: Callable[[str], None]) -> Iterator[T]:
    for each in asked:
        yield each
        heard("sampling spans")


def _hits(trial: Trial, passage: Passage, target: Target, number: int) -> tuple[int, int]:
    """Of the samples of one span's prompt, those with its very tokens, and with its fact."""
    record = passage.record
    length = target.end - target.start
    room = max(1, trial.model.max_tokens - length - _MORE)
    prompt = passage.before(target, room)
    drawn = sample(trial, [prompt], SAMPLES, length + _MORE, 1000 + number)
    own = list(passage.ids[target.start : target.end])
    texts = {tuple(ids): str(trial.model.tokenizer.decode(ids)) for ids in drawn}
    told = {
        ids: ids[:length] == tuple(own) or tells(record, target.span.span, text)
        for ids, text in texts.items()
    }
    exact = sum(ids[:length] == own for ids in drawn)
    return exact, sum(told[tuple(ids)] for ids in drawn)


def tells(record: Record, span: Span, text: str) -> bool:
    """Whether a text gives a span's value away in any spelling, by the audit's own rule."""
    return span_status(span, record.value(span), text) == "repeated"


def leak_at(hits: int, samples: int, tries: int) -> float:
    """1 - C(n - c, k) / C(n, k), the chance that k of n samples hold one of the c hits."""
    if not hits:
        return 0.0
    if samples - hits < tries:
        return 1.0
    log = lgamma(samples - hits + 1) - lgamma(samples - hits - tries + 1)
    return -float(np.expm1(log - lgamma(samples + 1) + lgamma(samples - tries + 1)))


def _interval(values: Float[np.ndarray, " span"], seed: int) -> tuple[float, float]:
    """A bootstrap over spans; where none leaks, or each surely, it would know that beyond doubt."""
    if values.min() == values.max() and values[0] in (0, 1):
        row = wilson(int(values.sum()), len(values))
        assert row.low is not None
        assert row.high is not None
        return row.low, row.high
    drawn = np.random.default_rng(seed).integers(len(values), size=(_BOOTSTRAP, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [0.025, 0.975])
    return float(low), float(high)


def _leak(name: str, title: str, hits: Int[np.ndarray, " span"], seed: int) -> Figure:
    values = np.array([leak_at(int(c), SAMPLES, 128) for c in hits])
    low, high = _interval(values, seed)
    return Figure(
        name=name, title=title, value=float(values.mean()), n=len(values), low=low, high=high,
        note=f"Of {len(values)} spans drawn; the interval is over them.",
    )  # fmt: skip


def _closed(trial: Trial, tries: int) -> Figure:
    values = np.array([leak_probability(v.sampler_logprob, tries) for v in memory(trial.verdicts)])
    title = f"leak@{tries} in closed form, all spans"
    if not len(values):
        return Figure(name="closed form", title=title, value=None, n=0)
    low, high = _interval(values, trial.exam.seed)
    return Figure(
        name="closed form", title=title, value=float(values.mean()), n=len(values), low=low,
        high=high,
    )  # fmt: skip


def _curves(
    trial: Trial, exact: Int[np.ndarray, " span"], facts: Int[np.ndarray, " span"]
) -> tuple[Series, ...]:
    asked = memory(trial.verdicts)
    sampled = {
        "exactly, sampled": lambda k: [leak_at(int(c), SAMPLES, k) for c in exact],
        "in any words, sampled": lambda k: [leak_at(int(c), SAMPLES, k) for c in facts],
        "exactly, closed form": lambda k: [leak_probability(v.sampler_logprob, k) for v in asked],
    }
    found: list[Series] = []
    for name, values_of in sampled.items():
        points: list[Point] = []
        for tries in TRIES:
            if values := values_of(tries):
                low, high = _interval(np.array(values), trial.exam.seed)
                mean = float(np.mean(values))
                points.append(Point(x=tries, y=mean, n=len(values), low=low, high=high))
        if points:
            found.append(
                Series(
                    name=name, x_label="samples", y_label="spans leaked", log_x=True,
                    points=tuple(points),
                )
            )  # fmt: skip
    return tuple(found)


SAMPLING = Attack(
    name="sampling",
    title="Sampling",
    meaning="Secrets said in 2,000 sampled texts, and leak@k: the chance that k samples of a "
    "secret's own prompt hold it, exactly or in other words.",
    run=_sampling,
    needs=("causal",),
    weight=25,
)
