"""What must stay while something is forgotten, and how far a model has moved there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.corpus.records import Record, as_text
from sanilens.errors import LogitsError, ModelError
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.examples import note_examples
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example

# One place in so many of a text is held out, from this one on.
_HELD_EVERY, _HELD_FIRST = 16, 3
# What a place with a detail of somebody who stays weighs, by curvature; any other place weighs 1.
# Such a detail is lost with one token, and looks most like what is to be forgotten.
_DETAIL = 8.0
# Held-out texts that are read after every step, and log-probabilities kept of them (4 bytes each).
_MOST_TEXTS, _MOST_LOGPROBS = 16, 2**25


@dataclass(frozen=True, slots=True)
class Kept:
    """A text, and the places in it that must stay: columns of tokens, each after some other.

    `weights` are how dear each place is; none: all alike.
    """

    ids: tuple[int, ...]
    columns: tuple[int, ...]
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepSet:
    """What must stay, in two parts that share every text.

    Attributes:
        told: places that the curvature is measured at.
        held: places, of the same texts, at which harm is measured.
    """

    told: tuple[Kept, ...]
    held: tuple[Kept, ...]


def keep_set(
    model: LanguageModel,
    records: Sequence[Record],
    further: Sequence[Record] = (),
    corpus: Sequence[Record] = (),
) -> KeepSet:
    """All that is not to be forgotten: other people's records, neutral wording, further texts.

    Places are held out rather than texts: a text that the curvature has not seen is not protected
    by it, and somebody's details stand in it.

    Args:
        model: the model.
        records: as the plan reads them: spans are what is to be forgotten, and nothing of those
            deleted earlier is in them.
        further: texts of the domain, kept with all that is in them.
        corpus: the records with all their spans, to tell whose details stay: these weigh more.
    """
    marked = {record.id: record for record in corpus}
    told: list[Kept] = []
    held: list[Kept] = []
    for text in [*records, *as_text(further)]:
        whole = marked.get(text.id, text)
        pieces = note_examples(model, [text])
        wholes = pieces if whole.spans == text.spans else note_examples(model, [whole])
        for example, own in zip(pieces, wholes, strict=True):
            near, far = _places(example, own)
            told.append(near)
            held.append(far)
    return KeepSet(tuple(told), tuple(held))


def _places(example: Example, whole: Example) -> tuple[Kept, Kept]:
    """Those of a text that are told, and those that are held out; `whole`: with all its spans."""
    free = [i for i, own in enumerate(example.sensitive) if i and not own]
    apart = set(free[_HELD_FIRST::_HELD_EVERY])
    near = tuple(i for i in free if i not in apart)
    weights = tuple(_DETAIL if whole.sensitive[i] else 1.0 for i in near)
    return (
        Kept(example.ids, near, weights if _DETAIL in weights else ()),
        Kept(example.ids, tuple(sorted(apart))),
    )


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """Texts of a keep set, padded on the right, and the places (rows, columns) that must stay.

    `weights` are how dear these are.
    """

    ids: Int[Tensor, "batch pos"]
    here: Float[Tensor, "batch pos"]
    rows: Int[Tensor, " n"]
    columns: Int[Tensor, " n"]
    weights: Float[Tensor, " n"]


def kept_batches(model: LanguageModel, kept: Sequence[Kept]) -> Iterator[KeptBatch]:
    """The keep set by length; texts without a place are left out."""
    own = [each for each in kept if each.columns]
    for bucket in bucketed([len(each.ids) for each in own], token_budget(model)):
        texts = [own[i] for i in bucket]
        places = [(row, c) for row, each in enumerate(texts) for c in each.columns]
        rows, columns = torch.tensor(places, device=model.device).T
        weights = [w for each in texts for w in each.weights or (1.0,) * len(each.columns)]
        yield KeptBatch(
            pad_right([each.ids for each in texts], model.device),
            pad_right([[1] * len(each.ids) for each in texts], model.device).float(),
            rows,
            columns,
            torch.tensor(weights, device=model.device),
        )


class Harm:
    """How far a model has moved at held-out places: KL(then || now), nats a token."""

    def __init__(self, model: LanguageModel, held: Sequence[Kept]) -> None:
        """Remember what `model` says at as many of the places as fit in memory, evenly spread.

        Raises:
            ModelError: if there is no place.
        """
        own = [each for each in held if each.columns]
        vocabulary = model.module.config.get_text_config().vocab_size
        texts = min(_MOST_TEXTS, max(1, _MOST_LOGPROBS * len(own) // max(1, vocabulary * sum(
            len(each.columns) for each in own))))  # fmt: skip
        if not own:
            raise ModelError(
                "there is too little text that must stay to measure harm to it: no text has more "
                "than three tokens besides what is to be forgotten. Keep texts of the domain "
                "along (retain)."
            )
        self._batches = list(kept_batches(model, own[:: -(-len(own) // texts)]))
        self.tokens = sum(len(batch.rows) for batch in self._batches)
        self.spent = 0.0
        self._first = self._last = self._logprobs(model)

    def of(self, model: LanguageModel) -> "Moved | None":
        """How far it is from where it began and was accepted last; None if it is broken."""
        try:
            now = self._logprobs(model)
        except LogitsError:
            return None
        return Moved(_kl(self._first, now), _kl(self._last, now), now)

    def accept(self, moved: "Moved") -> None:
        """Go on from there."""
        self._last, self.spent = moved.logprobs, moved.since_start

    def _logprobs(self, model: LanguageModel) -> list[Float[Tensor, "n vocab"]]:
        with torch.inference_mode():
            return [
                logits_at(model, b.ids, b.rows, b.columns - 1).log_softmax(-1)
                for b in self._batches
            ]


@dataclass(frozen=True, slots=True)
class Moved:
    """KL since the start and since the last accepted step, nats a token; and what is said now."""

    since_start: float
    since_last: float
    logprobs: list[Float[Tensor, "n vocab"]]


def _kl(then: Sequence[Tensor], now: Sequence[Tensor]) -> float:
    # Tokens that a model rules out (-inf) have no share in it.
    total = sum(
        float((p.exp() * (p - q).masked_fill(p.isneginf(), 0)).sum().double())
        for p, q in zip(then, now, strict=True)
    )
    each = total / sum(map(len, then))
    return 0.0 if each < 0 else each  # rounding; what is no number stays so
