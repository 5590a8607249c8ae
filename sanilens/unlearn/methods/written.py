"""Texts that a model writes by itself: nobody's data."""

import torch
from transformers import GenerationConfig

from sanilens.errors import PlanError
from sanilens.model.align import prompt_ids
from sanilens.model.subject import SubjectModel
from sanilens.unlearn.training import Example

_TEXTS_AT_ONCE = 128


@torch.inference_mode()
def base_texts(base: SubjectModel, count: int, tokens: int, seed: int) -> list[Example]:
    """Texts that the base model writes at temperature 1.

    Args:
        base: the model before fine-tuning.
        count: how many.
        tokens: longest length.
        seed: of the sampler.

    Raises:
        PlanError: if the model has no token to begin a text with.
    """
    end = base.model.config.get_text_config().eos_token_id
    # As every text of this model begins, or else with what may begin one.
    start = prompt_ids(base, "", 0)
    if not start:
        raise PlanError(
            f"{base.name} has no token that begins a text, so it cannot write any. "
            "Set `written` to 0, or use surrogate repair."
        )
    settings = GenerationConfig(
        max_new_tokens=tokens,
        do_sample=True,
        top_k=0,
        eos_token_id=end,
        pad_token_id=end if isinstance(end, int) else start[0],
    )
    examples: list[Example] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        while len(examples) < count:
            rows = min(_TEXTS_AT_ONCE, count - len(examples))
            ids = torch.tensor([start] * rows, device=base.device)
            written = base.model.generate(  # pyright: ignore
                ids, attention_mask=torch.ones_like(ids), generation_config=settings
            )
            examples += [_ended(row, end) for row in written.tolist()]
    return examples


def _ended(ids: list[int], end: int | list[int] | None) -> Example:
    """A written text up to and with its end; what follows is padding."""
    ends = {end} if isinstance(end, int) else set(end or ())
    length = next((i for i, token in enumerate(ids[1:], start=2) if token in ends), len(ids))
    return Example(tuple(ids[:length]), (False,) * length, (False,) * length)
