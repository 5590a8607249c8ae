"""Records as training examples: which tokens are identifiers, and what might stand there."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from sanilens.corpus.records import Record, Span
from sanilens.errors import PlanError
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import body
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Answer, Example

Instead = Callable[[Record, Span], str]
"""What might be said in the place of a record's span."""


def note_examples(
    model: LanguageModel,
    records: Iterable[Record],
    *,
    teach_spans: bool = False,
    untaught: Collection[str] = (),
    instead: Instead | None = None,
    pieces: int | None = None,
) -> list[Example]:
    """Records as pieces of the model's context length, their end taught too.

    Each piece is opened, and of a masked model closed, as its tokenizer does with a text.

    Args:
        model: whose tokens.
        records: the texts.
        teach_spans: whether tokens of spans are targets of plain training.
        untaught: labels whose spans are none all the same.
        instead: what might be said in the place of a span; None: nothing.
        pieces: cut each record in as many, even ones; what is longer than these is left out.
    """

    def teach(span: Span) -> bool:
        return teach_spans and span.label not in untaught

    return [
        example
        for record in records
        for encoded in [encode(model, record)]
        for example in _pieces(
            model, _whole(model, encoded, teach, instead), encoded.opening, pieces
        )
    ]


def in_its_place(model: LanguageModel, encoded: Encoded, start: int, words: str) -> tuple[int, ...]:
    """Tokens of `words` where token `start` of a text stands, with the space before it.

    Raises:
        PlanError: if the tokenizer keeps nothing of them.
    """
    text = encoded.record.text
    done = max((b for _, b in encoded.offsets[:start]), default=0)
    word = next((a for a in range(done, len(text)) if not text[a].isspace()), len(text))
    # Read with the text before it: some tokenizers put a space before whatever comes first.
    coded = model.tokenizer(text[:word] + words, return_offsets_mapping=True, verbose=False)
    new = [k for k, (_, b) in enumerate(coded["offset_mapping"]) if b > done]
    if new and coded["offset_mapping"][new[0]][0] < done:  # it grew together with what precedes it
        coded = model.tokenizer(text[done:word] + words, add_special_tokens=False)
        new = list(range(len(coded["input_ids"])))
    if not new:
        raise PlanError(
            "the tokenizer keeps nothing of what should be said instead of an identifier, such as "
            "a placeholder. Choose another text."
        )
    return tuple(coded["input_ids"][k] for k in new)


def _whole(
    model: LanguageModel,
    encoded: Encoded,
    teach: Callable[[Span], bool],
    instead: Instead | None,
) -> Example:
    end = model.module.config.get_text_config().eos_token_id
    ends = model.kind == "causal" and isinstance(end, int)
    ids = (*encoded.ids, end) if ends else encoded.ids
    answers = tuple(
        Answer(
            span.start,
            span.end,
            in_its_place(model, encoded, span.start, instead(encoded.record, span.span))
            if instead
            else (),
        )
        for span in encoded.spans
    )
    inside = {i: teach(span.span) for span in encoded.spans for i in range(span.start, span.end)}
    taught = tuple(inside.get(i, True) for i in range(len(ids)))
    return Example(ids, taught, tuple(i in inside for i in range(len(ids))), answers)


def _pieces(model: LanguageModel, whole: Example, opening: int, count: int | None) -> list[Example]:
    masked = model.kind == "masked"
    text = body(model, whole.ids) if masked else range(opening, len(whole.ids))
    head, tail = whole.ids[: text.start], whole.ids[text.stop :]
    room = max(1, model.max_tokens - len(head) - len(tail))
    # Of a causal model what nothing precedes is only read: one token alone would teach nothing.
    last = len(text) if masked or head else len(text) - 1
    cut = _cut(_part(whole, text.start, text.stop), room, last, count)
    return [_framed(piece, head, tail, teach=not masked) for piece in cut]


def _cut(whole: Example, size: int, last: int, count: int | None) -> list[Example]:
    """Pieces of `size` tokens that begin before `last`; or `count` even ones, if given."""
    starts = range(0, last, size)
    if count is not None and len(starts) != count:
        size = min(size, -(-len(whole.ids) // count))
        starts = range(0, count * size, size)
    return [_part(whole, first, first + size) for first in starts]


def _part(whole: Example, first: int, last: int) -> Example:
    own = slice(first, last)
    answers = _within(whole.answers, first, last)
    return Example(whole.ids[own], whole.taught[own], whole.sensitive[own], answers)


def _framed(
    piece: Example, head: tuple[int, ...], tail: tuple[int, ...], *, teach: bool
) -> Example:
    """The piece between opening and closing tokens; `teach` these: nothing can ask for the first.

    A masked model would be asked for them from behind a mask.
    """
    before, after = (False,) * len(head), (False,) * len(tail)
    at = len(head)
    return Example(
        (*head, *piece.ids, *tail),
        ((teach,) * at + piece.taught + (teach,) * len(tail)),
        (*before, *piece.sensitive, *after),
        tuple(replace(a, start=a.start + at, end=a.end + at) for a in piece.answers),
    )


def _within(answers: Sequence[Answer], first: int, last: int) -> tuple[Answer, ...]:
    """The answers of a piece; of one that began in the piece before, the rest, as it is."""
    return tuple(
        Answer(
            max(answer.start, first) - first,
            min(answer.end, last) - first,
            answer.instead if answer.start >= first else (),
        )
        for answer in answers
        if answer.start < last and answer.end > first
    )
