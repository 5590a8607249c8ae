"""The training loop that repair and the bundled models share; deterministic and resumable.

Everything random follows from (seed, epoch): a run that is killed and resumed from the state of
its last saved step sees the same batches and ends with the same weights.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sanilens.errors import DivergedError
from sanilens.model.batches import pad_right


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens [start, end) of an example that are one item, and what might be said `instead`."""

    start: int
    end: int
    instead: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, which of them the model is taught to say, and which are sensitive.

    Attributes:
        ids: token ids.
        taught: those that are targets; the others are context.
        sensitive: those of identifiers or of their surrogates, for losses that treat them apart.
        answers: the identifiers one by one, for losses that look at each as a whole.
        shown: of a masked language model, what it reads instead of `ids`. Empty for a causal
            model, which reads `ids`.
        gaps: the tokens of `ids` that `shown` hides, of which alone a masked model is asked.
    """

    ids: tuple[int, ...]
    taught: tuple[bool, ...]
    sensitive: tuple[bool, ...] = ()
    answers: tuple[Answer, ...] = ()
    shown: tuple[int, ...] = ()
    gaps: tuple[bool, ...] = ()


Loss = Callable[[nn.Module, Sequence[Example]], Tensor]
"""Gives the scalar loss of a batch."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to train.

    Attributes:
        learning_rate: the optimizer's at its peak, reached after `warmup` of all steps and
            falling to zero along a half cosine.
        epochs: passes over the examples.
        batch_size: sequences a step.
        warmup: share of the steps in [0, 1).
        optimizer: AdamW, or plain gradient steps, which keep the gradient's direction.
        precision: `bfloat16` runs the matrix products in bfloat16 (weights stay float32).
    """

    learning_rate: float
    epochs: int
    batch_size: int = 8
    warmup: float = 0.05
    precision: Literal["float32", "bfloat16"] = "float32"
    optimizer: Literal["adamw", "sgd"] = "adamw"

    def steps(self, examples: int) -> int:
        """Steps of one epoch of that many examples."""
        return -(-examples // self.batch_size)


@dataclass(frozen=True, slots=True)
class Step:
    """What one optimiser step did; `loss` is the mean over taught tokens, in nats."""

    number: int
    of: int
    epoch: int
    loss: float


@dataclass(frozen=True, slots=True)
class TrainingState:
    """A point in training from which it can go on: steps done, and the optimizer's moments."""

    steps_done: int
    optimizer: dict


def train_(
    model: nn.Module,
    examples: Callable[[int], Sequence[Example]],
    schedule: Schedule,
    seed: int,
    *,
    loss_of: Loss | None = None,
    resume: TrainingState | None = None,
    before_step: Callable[[], None] | None = None,
    before_epoch: Callable[[int], None] | None = None,
) -> Iterator[tuple[Step, Callable[[], TrainingState]]]:
    """Train `model` in place, yielding after each step; stop iterating to stop training.

    Args:
        model: a language model; parameters with `requires_grad` are trained. It stays in `eval`
            mode: dropout off, as determinism and small corpora want it.
        examples: the examples of an epoch; every epoch must have as many.
        schedule: how to train.
        seed: decides the order of the examples.
        loss_of: what to minimise; `batch_loss` unless given.
        resume: where to go on; the weights of that point must already be in `model`.
        before_step: called when gradients are ready, for instance to mask some.
        before_epoch: called with an epoch's number before its first step, for instance to erase
            anew; also by a run that is resumed at that very point.

    Yields:
        The step, and a function that gives the state to resume after it.

    Raises:
        DivergedError: if the loss or its gradient is no longer finite; the weights still are.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    # No weight decay: it would move weights that repair was told to keep.
    kind = torch.optim.AdamW if schedule.optimizer == "adamw" else torch.optim.SGD
    optimizer = kind(parameters, lr=schedule.learning_rate, weight_decay=0.0)
    if resume:
        optimizer.load_state_dict(resume.optimizer)
    done, device = (resume.steps_done if resume else 0), parameters[0].device
    per_epoch = schedule.steps(len(examples(0)))
    total = per_epoch * schedule.epochs
    for epoch in range(done // per_epoch, schedule.epochs):
        current = examples(epoch)
        batches = _batches(current, schedule.batch_size, seed, epoch)
        for number, batch in enumerate(batches, start=epoch * per_epoch):
            if number < done:
                continue
            if before_epoch and number == epoch * per_epoch:
                before_epoch(epoch)
            for group in optimizer.param_groups:
                group["lr"] = schedule.learning_rate * _rate(number, total, schedule.warmup)
            autocast = schedule.precision == "bfloat16"
            with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                loss = (loss_of or batch_loss)(model, [current[i] for i in batch])
            if not torch.isfinite(loss):
                raise DivergedError(number + 1, "the loss is no number any more")
            loss.backward()
            if before_step:
                before_step()
            # A step along such a gradient would leave no weight a number.
            if not torch.nn.utils.clip_grad_norm_(parameters, 1.0).isfinite():
                raise DivergedError(number + 1, "its gradient is no number any more")
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step = Step(number + 1, total, epoch, loss.item())
            yield step, lambda n=number + 1: TrainingState(n, optimizer.state_dict())


def batch_loss(model: nn.Module, batch: Sequence[Example]) -> Float[Tensor, ""]:
    """Mean cross-entropy of the taught tokens of a batch, in nats.

    `L = -(1/|K|) sum_{t in K} log p(x_t | x_<t)`, K the taught positions after the first.
    """
    device = next(model.parameters()).device
    ids = pad_right([e.ids for e in batch], device)
    taught = pad_right([e.taught for e in batch], device).bool()[:, 1:]
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
    return cross_entropy(logits[taught].float(), ids[:, 1:][taught])


def _batches(
    examples: Sequence[Example], size: int, seed: int, epoch: int
) -> Iterator[Sequence[int]]:
    """Shuffled, then sorted by length within pools of 16 batches so that little is padding."""
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(len(examples))
    batches: list[list[int]] = []
    for start in range(0, len(order), 16 * size):
        pool = sorted(order[start : start + 16 * size], key=lambda i: len(examples[i].ids))
        batches += [[int(i) for i in pool[k : k + size]] for k in range(0, len(pool), size)]
    for k in rng.permutation(len(batches)):
        yield batches[k]


def _rate(step: int, total: int, warmup: float) -> float:
    """Linear warm-up, then half a cosine to zero; in [0, 1]."""
    rising = max(1, round(warmup * total))
    if step < rising:
        return (step + 1) / rising
    progress = (step - rising) / max(1, total - rising)
    return 0.5 * (1 + float(np.cos(np.pi * progress)))
