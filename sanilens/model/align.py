"""From characters to tokens: what the model reads, and which tokens carry a sensitive span.

Whatever tokenises a text for a model does it here, so that all texts open alike. Works on the
tokenizer's own character offsets, so a token that straddles a span's edge, and the several tokens
of one byte-encoded character, belong to the span.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from sanilens.corpus.records import Record, Span
from sanilens.errors import CorpusError
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """Token positions [start, end) of a span in its record."""

    span: Span
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """A record as tokens.

    Attributes:
        record: the record.
        ids: token ids, the tokenizer's own special tokens included.
        opening: how many of the first tokens come before the text, such as a start token.
        offsets: each token's characters [start, end); an empty range for special tokens.
        spans: the record's spans as token positions, in order.
    """

    record: Record
    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    spans: tuple[TokenSpan, ...]
    opening: int = 0

    def tokens(self, number: int) -> tuple[int, ...]:
        """The places of a span's tokens, counted from its first."""
        return tuple(range(self.spans[number].end - self.spans[number].start))

    def first_tokens(self) -> tuple[int, ...]:
        """The first token that is each span's own: one at the edge of two is the first's."""
        found: list[int] = []
        done = 0
        for span in self.spans:
            found.append(max(span.start, done))
            done = max(done, span.end)
        return tuple(found)

    def window(self, first: int, end: int) -> tuple[int, ...]:
        """Tokens [first, end) of the text read by themselves, after the same opening."""
        return (*self.ids[: self.opening], *self.ids[max(first, self.opening) : end])


def encode(model: LanguageModel, record: Record) -> Encoded:
    """Tokenise a record and align its spans.

    Raises:
        CorpusError: if a span covers no token (the tokenizer dropped its characters).
    """
    ids, offsets, opening, _ = _coded(model, record.text)
    spans = []
    # Tokens of no characters, such as a start token, belong to no span.
    own = [i for i, (a, b) in enumerate(offsets) if a < b]
    starts, ends = [offsets[i][0] for i in own], [offsets[i][1] for i in own]
    for span in record.spans:
        # Both rise along the text, so a long record costs no more for each of its spans.
        inside = own[bisect_right(ends, span.start) : bisect_left(starts, span.end)]
        if not inside:
            raise CorpusError(
                f"record {record.id!r}: the tokenizer keeps nothing of span {span.label} "
                f"[{span.start}, {span.end}). Remove the span or the characters it drops."
            )
        spans.append(TokenSpan(span, inside[0], inside[-1] + 1))
    return Encoded(record, ids, offsets, tuple(spans), opening)


def prompt_ids(model: LanguageModel, text: str, most: int) -> list[int]:
    """A prompt as tokens: what opens a text, and its end where it has more than `most` tokens.

    An empty prompt is the beginning of a document: what opens one, or else a start token, since a
    model must be asked something; nothing where there is no such token.
    """
    ids, _, opening, closing = _coded(model, text)
    # What closes a text would end it here, where it is to go on.
    own = ids[opening : len(ids) - closing]
    return [*ids[:opening], *own[-max(1, most - opening) :]] or start_tokens(model)[:1]


def start_tokens(model: LanguageModel) -> list[int]:
    """The tokens that may stand for the start of a text, the most usual first.

    The tokenizer's begin token; its end token, which GPT-2 and its kin put between documents; or
    what the model's configuration names, where the tokenizer names neither.
    """
    tokenizer, config = model.tokenizer, model.module.config.get_text_config()
    named = [tokenizer.bos_token_id, tokenizer.eos_token_id]
    named.append(tokenizer.convert_tokens_to_ids("<|endoftext|>"))
    if not any(isinstance(token, int) for token in named):
        named = [config.bos_token_id, config.eos_token_id]
    return list(
        dict.fromkeys(t for t in named if isinstance(t, int) and 0 <= t < config.vocab_size)
    )


def _coded(
    model: LanguageModel, text: str
) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...], int, int]:
    """Ids, their characters, how many of them open the text, and how many close it."""
    coded = model.tokenizer(
        text, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
    )
    ids = tuple(coded["input_ids"])
    offsets = tuple((int(a), int(b)) for a, b in coded["offset_mapping"])
    text_at = [i for i, put in enumerate(coded["special_tokens_mask"]) if not put]
    own, closing = (text_at[0], len(ids) - 1 - text_at[-1]) if text_at else (len(ids), 0)
    opening = ids[:own] if model.opening is None else model.opening
    ids, offsets = (*opening, *ids[own:]), (*((0, 0) for _ in opening), *offsets[own:])
    return ids, offsets, len(opening), closing


def decoded(model: LanguageModel, ids: list[int]) -> str:
    """Token ids as text."""
    return str(model.tokenizer.decode(ids))


def token_texts(model: LanguageModel, encoded: Encoded) -> list[str]:
    """Each token's characters of the text; a character spread over tokens is the first's."""
    texts, done = [], 0
    for _, end in encoded.offsets:
        # Offsets may leave out the space that byte-level tokens begin with: the token has it.
        texts.append(encoded.record.text[done:end] if end > done else "")
        done = max(done, end)
    return texts
