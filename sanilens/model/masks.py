"""Gaps in token sequences, as masked language models read them."""

from collections.abc import Collection, Sequence

from sanilens.model.subject import SubjectModel


def mask_id(subject: SubjectModel) -> int:
    """The token that stands for a gap; loading has seen to it that a masked model has one."""
    found = subject.tokenizer.mask_token_id
    assert isinstance(found, int)
    return found


def with_gaps(subject: SubjectModel, ids: Sequence[int], places: Collection[int]) -> list[int]:
    """The same tokens with the mask token at `places`."""
    gap, hidden = mask_id(subject), set(places)
    return [gap if i in hidden else token for i, token in enumerate(ids)]


def body(subject: SubjectModel, ids: Sequence[int]) -> range:
    """Positions of the text: all but the tokenizer's opening and closing token ([CLS], [SEP])."""
    tokenizer = subject.tokenizer
    first = 1 if len(ids) and ids[0] == tokenizer.cls_token_id else 0
    closed = len(ids) > first and ids[-1] == tokenizer.sep_token_id
    return range(first, len(ids) - closed)


def window(subject: SubjectModel, ids: Sequence[int], places: range) -> tuple[int, ...]:
    """Tokens at `places` of the text, opened and closed as the whole is."""
    text = body(subject, ids)
    return (*ids[: text.start], *ids[places.start : places.stop], *ids[text.stop :])
