"""Records as training examples: which tokens are identifiers, and what might stand there."""

from collections.abc import Iterable, Sequence

import numpy as np

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.model.align import Encoded, encode
from sanilens.model.subject import SubjectModel
from sanilens.unlearn.training import Answer, Example


def note_examples(
    subject: SubjectModel,
    records: Iterable[Record],
    *,
    teach_spans: bool = False,
    placeholder: str | None = None,
    pieces: int | None = None,
) -> list[Example]:
    """Records as pieces of the model's context length, their end taught too.

    Args:
        subject: whose tokens.
        records: the texts.
        teach_spans: whether tokens of spans are targets of plain training.
        placeholder: what might be said in the place of a span; None: nothing.
        pieces: cut each record in as many, even ones; what is longer than these is left out.
    """
    return [
        example
        for record in records
        for example in _cut(
            _whole(subject, encode(subject, record), teach_spans, placeholder),
            subject.max_tokens,
            pieces,
        )
    ]


def drawn(pool: Sequence[Example], count: int, epoch: int, seed: int) -> list[Example]:
    """`count` examples of a pool for an epoch; all of it is seen before any comes again.

    GRUN's code draws by the index of the forget item, and so never sees most of its retain set.
    """
    if not pool:
        return []
    order = np.random.default_rng(seed).permutation(len(pool))
    return [pool[order[i % len(pool)]] for i in range(epoch * count, (epoch + 1) * count)]


def in_its_place(
    subject: SubjectModel, encoded: Encoded, start: int, placeholder: str
) -> tuple[int, ...]:
    """Tokens of `placeholder` where token `start` of a text stands, with the space before it.

    Raises:
        PlanError: if the tokenizer keeps nothing of the placeholder.
    """
    text = encoded.record.text
    done = max((b for _, b in encoded.offsets[:start]), default=0)
    word = next((a for a in range(done, len(text)) if not text[a].isspace()), len(text))
    # Read with the text before it: some tokenizers put a space before whatever comes first.
    coded = subject.tokenizer(text[:word] + placeholder, return_offsets_mapping=True, verbose=False)
    new = [k for k, (_, b) in enumerate(coded["offset_mapping"]) if b > done]
    if new and coded["offset_mapping"][new[0]][0] < done:  # it grew together with what precedes it
        coded = subject.tokenizer(text[done:word] + placeholder, add_special_tokens=False)
        new = list(range(len(coded["input_ids"])))
    if not new:
        raise PlanError("the tokenizer keeps nothing of the placeholder. Choose another text.")
    return tuple(coded["input_ids"][k] for k in new)


def _whole(
    subject: SubjectModel, encoded: Encoded, teach_spans: bool, placeholder: str | None
) -> Example:
    end = subject.model.config.get_text_config().eos_token_id
    ids = (*encoded.ids, end) if isinstance(end, int) else encoded.ids
    answers = tuple(
        Answer(
            span.start,
            span.end,
            () if placeholder is None else in_its_place(subject, encoded, span.start, placeholder),
        )
        for span in encoded.spans
    )
    inside = {i for answer in answers for i in range(answer.start, answer.end)}
    sensitive = tuple(i in inside for i in range(len(ids)))
    return Example(ids, tuple(teach_spans or not s for s in sensitive), sensitive, answers)


def _cut(whole: Example, size: int, count: int | None) -> list[Example]:
    """Pieces of `size` tokens, none with nothing to predict; or `count` even ones, if given."""
    starts = range(0, len(whole.ids) - 1, size)
    if count is not None and len(starts) != count:
        size = min(size, -(-len(whole.ids) // count))
        starts = range(0, count * size, size)
    return [
        Example(
            whole.ids[first : first + size],
            whole.taught[first : first + size],
            whole.sensitive[first : first + size],
            _within(whole.answers, first, first + size),
        )
        for first in starts
    ]


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
