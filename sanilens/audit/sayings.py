"""What a model says at the place of each span, greedily, given everything that precedes it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import GenerationConfig

from sanilens.audit.fill_in import filled_texts
from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.corpus.records import Record
from sanilens.model.batches import bucketed, token_budget
from sanilens.model.forward import numbers
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.subject import SubjectModel

# Another model may need more tokens for a value of the same form.
_MORE_TOKENS = 6


def say_spans(subject: SubjectModel, record: Record, *, hooks: Hooks = NO_HOOKS) -> dict[str, str]:
    """What stands, by the model, in the place of each span of `record`, by span id.

    Every span is asked with the record's own text before it. The answer ends where the record
    goes on after the span (its next character), or after as many tokens as the span has. A masked
    model fills the span's own number of tokens in, with both sides shown.

    Raises:
        LogitsError: if its logits are no numbers.
    """
    if subject.kind == "masked":
        return filled_texts(subject, record, hooks)
    asked = [
        (passage, target)
        for passage in make_passages(subject, [record])
        for target in passage.targets
        if target.start >= 1
    ]
    said: dict[str, str] = {}
    for batch in bucketed([target.start for _, target in asked], token_budget(subject)):
        longest = max(asked[i][1].end - asked[i][1].start for i in batch)
        written = _continue(subject, [asked[i] for i in batch], longest + _MORE_TOKENS, hooks)
        for i, ids in zip(batch, written, strict=True):
            target = asked[i][1]
            said[record.span_id(target.span.span)] = _cut(subject, record, target, ids)
    return said


@torch.inference_mode()
def _continue(
    subject: SubjectModel, asked: Sequence[tuple[Passage, Target]], tokens: int, hooks: Hooks
) -> list[list[int]]:
    """Greedy continuations of a batch, padded on the left as `generate` wants it."""
    width = min(max(t.start for _, t in asked), max(1, subject.max_tokens - tokens))
    kept = [list(passage.before(target, width)) for passage, target in asked]
    ids = torch.tensor([[0] * (width - len(p)) + p for p in kept], device=subject.device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in kept])
    config = GenerationConfig(
        max_new_tokens=tokens, do_sample=False, eos_token_id=None, pad_token_id=0
    )

    def checked(_hidden: Tensor, logits: Tensor) -> Tensor:
        numbers(subject, logits[:, -1].float())
        return logits

    watched = hooks.then(Hooks(outputs={subject.sites.unembed: checked}))
    with hooked(subject.model, watched):
        out = subject.model.generate(  # pyright: ignore
            ids, attention_mask=mask.to(subject.device), generation_config=config
        )
    return out[:, width:].tolist()


def _cut(subject: SubjectModel, record: Record, target: Target, ids: list[int]) -> str:
    span, wanted = target.span.span, target.end - target.start
    own = _text(subject, ids[:wanted])
    value = record.value(span)
    if own.strip() == value.strip():
        return value
    written = _text(subject, ids).lstrip()
    following = record.text[span.end : span.end + 1]
    # A value may hold the character that follows it: "12.03.1961." ends at the third dot.
    pieces = written.split(following) if following and not following.isspace() else []
    inside = value.count(following) + 1 if following else 0
    if len(pieces) <= inside or following.isalnum():
        return own.strip() or written.strip()
    return following.join(pieces[:inside]).strip()


def _text(subject: SubjectModel, ids: list[int]) -> str:
    return str(subject.tokenizer.decode(ids, skip_special_tokens=True))
