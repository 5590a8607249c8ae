"""Records as training examples: which tokens are identifiers, and what might stand there."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sanilens.corpus.records import Record
from sanilens.corpus.surrogates.substitute import substitute
from sanilens.errors import PlanError
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import body, mask_id, pad_right
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.methods.method import GapOptions, Prepared, Task
from sanilens.unlearn.training import Answer, Example


def note_examples(
    model: LanguageModel,
    records: Iterable[Record],
    *,
    teach_spans: bool = False,
    placeholder: str | None = None,
    pieces: int | None = None,
) -> list[Example]:
    """Records as pieces of the model's context length, their end taught too.

    Each piece is opened, and of a masked model closed, as its tokenizer does with a text.

    Args:
        model: whose tokens.
        records: the texts.
        teach_spans: whether tokens of spans are targets of plain training.
        placeholder: what might be said in the place of a span; None: nothing.
        pieces: cut each record in as many, even ones; what is longer than these is left out.
    """
    return [
        example
        for record in records
        for encoded in [encode(model, record)]
        for example in _pieces(
            model, _whole(model, encoded, teach_spans, placeholder), encoded.opening, pieces
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
    model: LanguageModel, encoded: Encoded, start: int, placeholder: str
) -> tuple[int, ...]:
    """Tokens of `placeholder` where token `start` of a text stands, with the space before it.

    Raises:
        PlanError: if the tokenizer keeps nothing of the placeholder.
    """
    text = encoded.record.text
    done = max((b for _, b in encoded.offsets[:start]), default=0)
    word = next((a for a in range(done, len(text)) if not text[a].isspace()), len(text))
    # Read with the text before it: some tokenizers put a space before whatever comes first.
    coded = model.tokenizer(text[:word] + placeholder, return_offsets_mapping=True, verbose=False)
    new = [k for k, (_, b) in enumerate(coded["offset_mapping"]) if b > done]
    if new and coded["offset_mapping"][new[0]][0] < done:  # it grew together with what precedes it
        coded = model.tokenizer(text[done:word] + placeholder, add_special_tokens=False)
        new = list(range(len(coded["input_ids"])))
    if not new:
        raise PlanError("the tokenizer keeps nothing of the placeholder. Choose another text.")
    return tuple(coded["input_ids"][k] for k in new)


def _whole(
    model: LanguageModel, encoded: Encoded, teach_spans: bool, placeholder: str | None
) -> Example:
    end = model.module.config.get_text_config().eos_token_id
    ends = model.kind == "causal" and isinstance(end, int)
    ids = (*encoded.ids, end) if ends else encoded.ids
    answers = tuple(
        Answer(
            span.start,
            span.end,
            () if placeholder is None else in_its_place(model, encoded, span.start, placeholder),
        )
        for span in encoded.spans
    )
    inside = {i for answer in answers for i in range(answer.start, answer.end)}
    sensitive = tuple(i in inside for i in range(len(ids)))
    return Example(ids, tuple(teach_spans or not s for s in sensitive), sensitive, answers)


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


_MASKED, _OTHER = 0.8, 0.1


def in_gaps(task: Task, options: GapOptions, prepared: Prepared) -> Prepared:
    """The same examples, asked of a masked language model: other gaps in every epoch."""

    def examples(epoch: int) -> list[Example]:
        rng = np.random.default_rng((task.seed, epoch))
        return [
            gapped(task.model, each, options.gap_share, rng) for each in prepared.examples(epoch)
        ]

    return Prepared(examples, gap_loss)


def gapped(
    model: LanguageModel, example: Example, share: float, rng: np.random.Generator
) -> Example:
    """The example with gaps at a share of what it teaches, which alone is taught then.

    At least one, if it teaches anything. Tokens that open, close or pad a text are never selected.
    """
    special = set(model.tokenizer.all_special_ids)
    pairs = zip(example.ids, example.taught, strict=True)
    open_to = [i for i, (token, taught) in enumerate(pairs) if taught and token not in special]
    count = min(len(open_to), max(1, round(share * len(open_to))))
    selected = {int(i) for i in rng.choice(open_to, count, replace=False)} if open_to else set()
    shown = list(example.ids)
    ordinary = [i for i in range(len(model.tokenizer)) if i not in special]
    for place in sorted(selected):
        how = rng.random()
        if how < _MASKED:
            shown[place] = mask_id(model)
        elif how < _MASKED + _OTHER:
            shown[place] = ordinary[int(rng.integers(len(ordinary)))]
    taught = tuple(i in selected for i in range(len(shown)))
    return replace(example, taught=taught, shown=tuple(shown))


def gap_loss(model: nn.Module, batch: Sequence[Example]) -> Float[Tensor, ""]:
    """Mean cross-entropy of the tokens in the gaps of a batch, in nats; 0 where there is none."""
    device = next(model.parameters()).device
    ids = pad_right([e.ids for e in batch], device)
    shown = pad_right([e.shown for e in batch], device)
    taught = pad_right([e.taught for e in batch], device).bool()
    here = pad_right([[1] * len(e.ids) for e in batch], device)
    logits = model(input_ids=shown, attention_mask=here).logits
    if not taught.any():
        return logits.sum() * 0.0
    return cross_entropy(logits[taught].float(), ids[taught])


def lookalike_examples(task: Task, notes: Sequence[Example], epoch: int) -> list[Example]:
    """The notes with an epoch's surrogates: all of it is kept, from where it first differs.

    What stands before the first surrogate is the true note itself, which says what to do there.
    """
    fresh = substitute(task.records, seed=task.seed * 1_000_003 + epoch)
    own = [len(note_examples(task.model, [record])) for record in task.records]
    changed = [
        example
        for record, count in zip(fresh, own, strict=True)
        for example in note_examples(task.model, [record], pieces=count)
    ]
    return [kept(e, _parting(e.ids, n.ids) + 1) for e, n in zip(changed, notes, strict=True)]


def _parting(one: Sequence[int], other: Sequence[int]) -> int:
    """The first place where two texts differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def kept(example: Example, start: int = 0) -> Example:
    """A text to be kept from token `start` on: these are its taught tokens.

    Identifiers among them stay marked as such.
    """
    places = range(len(example.ids))
    sensitive = tuple(i >= start and own for i, own in enumerate(example.sensitive))
    return Example(example.ids, tuple(i >= start for i in places), sensitive)
