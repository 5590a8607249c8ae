"""What a model writes at every token or in the place of a span, and whose details are in it."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import GenerationConfig

from sanilens.audit.context import by_memory
from sanilens.audit.fill_in import filled_texts
from sanilens.audit.near import Neighbours, nearness
from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.detection.known_words import everyday_words
from sanilens.corpus.detection.words import COMMON_WORDS
from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, decoded, encode, token_texts
from sanilens.model.batches import bucketed, token_budget
from sanilens.model.forward import logits_at, numbers
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel

# Another model may need more tokens for a value of the same form.
_MORE_TOKENS = 6


def continue_spans(
    model: LanguageModel, record: Record, *, hooks: Hooks = NO_HOOKS
) -> dict[str, str]:
    """What the model writes in the place of each span of `record`, by span id.

    Every span is asked with the record's own text before it. The answer ends where the record
    goes on after the span (its next character), or after as many tokens as the span has. A masked
    model fills the span's own number of tokens in, with both sides shown.

    Raises:
        LogitsError: if its logits are no numbers.
    """
    if model.kind == "masked":
        return filled_texts(model, record, hooks)
    asked = [
        (passage, target)
        for passage in make_passages(model, [record])
        for target in passage.targets
        if target.start >= 1
    ]
    said: dict[str, str] = {}
    for batch in bucketed([target.start for _, target in asked], token_budget(model)):
        longest = max(asked[i][1].end - asked[i][1].start for i in batch)
        written = _continue(model, [asked[i] for i in batch], longest + _MORE_TOKENS, hooks)
        for i, ids in zip(batch, written, strict=True):
            target = asked[i][1]
            said[record.span_id(target.span.span)] = _cut(model, record, target, ids)
    return said


def near_missed(
    model: LanguageModel,
    records: Sequence[Record],
    verdicts: Iterable[SpanVerdict],
    prefix_tokens: int | None = None,
    hooks: Hooks = NO_HOOKS,
) -> set[str]:
    """Ids of the spans in whose place a causal model writes a near miss, by greedy decoding.

    Asked for are those that it does not say and only memory could; it writes as many tokens as the
    span has. (The likeliest token after each true one would not do: told the right beginning, a
    model that writes something else altogether comes near the end.)
    """
    left = {v.span_id for v in verdicts if not v.extracted and by_memory(v.status)}
    asked = [
        (passage, target)
        for passage in make_passages(model, records, prefix_tokens)
        for target in passage.targets
        if passage.record.span_id(target.span.span) in left and target.start >= 1
    ]
    near: set[str] = set()
    for batch in bucketed([target.end for _, target in asked], token_budget(model)):
        longest = max(asked[i][1].end - asked[i][1].start for i in batch)
        written = _continue(model, [asked[i] for i in batch], longest, hooks)
        for i, ids in zip(batch, written, strict=True):
            passage, target = asked[i]
            own = list(passage.ids[target.start : target.end])
            # Both as tokens: these may hold a character beside the span's own.
            said = decoded(model, ids[: len(own)])
            if nearness(decoded(model, own), said) != "different":
                near.add(passage.record.span_id(target.span.span))
    return near


@torch.inference_mode()
def _continue(
    model: LanguageModel, asked: Sequence[tuple[Passage, Target]], tokens: int, hooks: Hooks
) -> list[list[int]]:
    """Greedy continuations of a batch, padded on the left as `generate` wants it."""
    width = min(max(t.start for _, t in asked), max(1, model.max_tokens - tokens))
    kept = [list(passage.before(target, width)) for passage, target in asked]
    ids = torch.tensor([[0] * (width - len(p)) + p for p in kept], device=model.device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in kept])
    config = GenerationConfig(
        max_new_tokens=tokens, do_sample=False, eos_token_id=None, pad_token_id=0
    )

    def checked(_hidden: Tensor, logits: Tensor) -> Tensor:
        numbers(model, logits[:, -1].float())
        return logits

    watched = hooks.then(Hooks(outputs={model.sites.unembed: checked}))
    with hooked(model.module, watched):
        out = model.module.generate(  # pyright: ignore
            ids, attention_mask=mask.to(model.device), generation_config=config
        )
    return out[:, width:].tolist()


def _cut(model: LanguageModel, record: Record, target: Target, ids: list[int]) -> str:
    span, wanted = target.span.span, target.end - target.start
    own = _text(model, ids[:wanted])
    value = record.value(span)
    if own.strip() == value.strip():
        return value
    written = _text(model, ids).lstrip()
    following = record.text[span.end : span.end + 1]
    # A value may hold the character that follows it: "12.03.1961." ends at the third dot.
    pieces = written.split(following) if following and not following.isspace() else []
    inside = value.count(following) + 1 if following else 0
    if len(pieces) <= inside or following.isalnum():
        return own.strip() or written.strip()
    return following.join(pieces[:inside]).strip()


def _text(model: LanguageModel, ids: list[int]) -> str:
    return str(model.tokenizer.decode(ids, skip_special_tokens=True))


# Shorter values are words and numbers of any text: they count as whole words only.
_SHORT = 5
_PIECE = re.compile(r"[^\W\d_]{3,}|\d{4,}")
_LAST = re.compile(r"(?:[^\W\d_]+|\d+)?\Z")


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """Characters [start, end) of a text that are some subject's value of that label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Every sensitive value of a corpus, folded, with its label; built once, searched often.

    `ordered` are the values and their pieces, sorted; `neighbours` finds what is near a piece.
    """

    values: Mapping[str, str]
    lengths: tuple[int, ...]
    pieces: frozenset[str]
    ordered: tuple[str, ...]
    neighbours: Neighbours

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Identifiers":
        """Collect the values of all spans."""
        values: dict[str, str] = {}
        for record in records:
            for span in record.spans:
                values.setdefault(_folded(record.value(span)).strip(), span.label)
        values.pop("", None)
        pieces = {p for value in values for p in _PIECE.findall(value)} - COMMON_WORDS
        lengths = tuple(sorted({*map(len, values)}, reverse=True))
        ordered = tuple(sorted({*values, *pieces}))
        return cls(values, lengths, frozenset(pieces), ordered, Neighbours.of(pieces))

    def find(self, text: str) -> list[Leak]:
        """Values that stand in `text`, longest first where they overlap; in order."""
        folded = _folded(text)
        found: list[Leak] = []
        at = 0
        while at < len(folded):
            end = self._longest(folded, at)
            if end:
                found.append(Leak(at, end, self.values[folded[at:end]]))
            at = end or at + 1
        return found

    def telling(self, text: str) -> list[tuple[int, int]]:
        """Words and numbers of `text` that are part of some value or near one, as [start, end).

        An everyday word is near many a name and is none.
        """
        return [p.span() for p in _PIECE.finditer(_folded(text)) if self._tells(p[0])]

    def _tells(self, piece: str) -> bool:
        if piece in self.pieces:
            return True
        return not (piece in COMMON_WORDS or piece in everyday_words()) and self.neighbours.near(
            piece
        )

    def unfinished(self, text: str, shortest: int = 1) -> int:
        """Where a value, or a piece of one, may begin at the end of `text`; its length if nowhere.

        A beginning of fewer than `shortest` characters is not counted.
        """
        folded = _folded(text)
        longest = self.lengths[0] if self.lengths else 0
        starts = range(max(0, len(folded) - longest), len(folded) - shortest + 1)
        return next((at for at in starts if self._begins(folded[at:])), len(folded))

    def held_back(self, text: str) -> int:
        """From where on a text that goes on may not be shown yet.

        Beside what may become a value its last word or number: more letters may make it a near one.
        """
        last = _LAST.search(_folded(text))
        return min(self.unfinished(text), last.start() if last else len(text))

    def _begins(self, end: str) -> bool:
        # What follows `end` in the order is the first that could go on where it stops.
        at = bisect_right(self.ordered, end)
        return at < len(self.ordered) and self.ordered[at].startswith(end)

    def _longest(self, folded: str, at: int) -> int | None:
        for length in self.lengths:
            end = at + length
            if folded[at:end] in self.values and (length >= _SHORT or _is_word(folded, at, end)):
                return end
        return None


def _is_word(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    return not (before.isalnum() or after.isalnum())


def _folded(text: str) -> str:
    """Lower case, character by character, so that offsets stay those of `text`."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


@dataclass(frozen=True, slots=True)
class Reading:
    """A record's tokens under teacher forcing.

    Attributes:
        encoded: the record as tokens.
        texts: each token's characters.
        probabilities: p of each token given all before it; None for the first.
        ranks: 1 + how many tokens are likelier there; None for the first.
        best: the most likely token there, as text, and its probability; None for the first.
    """

    encoded: Encoded
    texts: tuple[str, ...]
    probabilities: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    best: tuple[tuple[str, float] | None, ...]


@torch.inference_mode()
def read_record(model: LanguageModel, record: Record, hooks: Hooks = NO_HOOKS) -> Reading:
    """Read a record token by token; one longer than the model's context is read up to it."""
    encoded = encode(model, record)
    ids = torch.tensor([encoded.ids[: model.max_tokens]], device=model.device)
    columns = torch.arange(1, ids.shape[1], device=model.device)
    texts = tuple(token_texts(model, encoded))
    rest = (None,) * (len(encoded.ids) - ids.shape[1])
    if not len(columns):
        return Reading(encoded, texts, (None, *rest), (None, *rest), (None, *rest))
    logits = logits_at(model, ids, torch.zeros_like(columns), columns - 1, hooks)
    probabilities = logits.softmax(-1)
    own = probabilities.gather(1, ids[0, 1:, None])
    ranks = (1 + (probabilities > own).sum(1)).tolist()
    best = probabilities.max(1)
    said = [decoded(model, [i]) for i in best.indices.tolist()]
    likeliest = list(zip(said, best.values.tolist(), strict=True))
    return Reading(
        encoded,
        texts,
        (None, *own[:, 0].tolist(), *rest),
        (None, *ranks, *rest),
        (None, *likeliest, *rest),
    )
