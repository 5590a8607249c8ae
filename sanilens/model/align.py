"""Characters to tokens: which tokens carry a sensitive span.

Works on the tokenizer's own character offsets, so a token that straddles a span's edge, and the
several tokens of one byte-encoded character, belong to the span.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from sanilens.corpus.records import Record, Span
from sanilens.errors import CorpusError
from sanilens.model.subject import SubjectModel


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
        offsets: each token's characters [start, end); an empty range for special tokens.
        spans: the record's spans as token positions, in order.
    """

    record: Record
    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    spans: tuple[TokenSpan, ...]


def encode(subject: SubjectModel, record: Record) -> Encoded:
    """Tokenise a record and align its spans.

    Raises:
        CorpusError: if a span covers no token (the tokenizer dropped its characters).
    """
    coded = subject.tokenizer(record.text, return_offsets_mapping=True, verbose=False)
    ids = tuple(coded["input_ids"])
    offsets = tuple((int(a), int(b)) for a, b in coded["offset_mapping"])
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
    return Encoded(record, ids, offsets, tuple(spans))


def decoded(subject: SubjectModel, ids: list[int]) -> str:
    """Token ids as text."""
    return str(subject.tokenizer.decode(ids))


def token_texts(subject: SubjectModel, encoded: Encoded) -> list[str]:
    """Each token's characters of the text; a character spread over tokens is the first's."""
    texts, done = [], 0
    for _, end in encoded.offsets:
        # Offsets may leave out the space that byte-level tokens begin with: the token has it.
        texts.append(encoded.record.text[done:end] if end > done else "")
        done = max(done, end)
    return texts
