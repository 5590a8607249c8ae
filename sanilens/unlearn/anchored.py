"""Anchored repair, ours: at an identifier's place, say what the base model would say there.

    L = (1/T) [ w sum_{t in S} KL(p_base || p)  +  sum_{t not in S} KL(p_base || p) ],   w = 4

S are the sensitive positions, T all of them. The notes are read as they are: the true identifiers
are context, as they are when someone attacks the model, and never a target; the base model has
not seen them, so its distribution is what not knowing looks like, and it teaches a whole
distribution where a surrogate teaches one sample of it. Elsewhere the base keeps the repair from
learning the notes' wording by heart, which is what costs plain surrogate repair its utility; so
do texts that the base itself writes, a quarter as many as notes, and others in every epoch.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import kl_div
from transformers import GenerationConfig

from sanilens.errors import PlanError
from sanilens.model.batches import pad_right
from sanilens.model.subject import SubjectModel
from sanilens.unlearn.training import Example, Loss

# Chosen on the bundled case: at 1, twice as many indirect identifiers were left.
SENSITIVE_WEIGHT = 4.0
# Texts of the base model an epoch, as a share of the notes.
REPLAY = 0.25
_TEXTS_AT_ONCE = 128


def anchored_loss(base: nn.Module) -> Loss:
    """The loss of the module's equation, with `base` as the frozen teacher."""

    def loss_of(model: nn.Module, batch: Sequence[Example]) -> Float[Tensor, ""]:
        device = next(model.parameters()).device
        ids = pad_right([e.ids for e in batch], device)
        here = pad_right([[1] * len(e.ids) for e in batch], device).bool()[:, 1:]
        sensitive = pad_right([e.sensitive for e in batch], device).bool()[:, 1:]
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        with torch.no_grad():
            anchor = base(input_ids=ids, use_cache=False).logits[:, :-1].float()
        own, target = logits.log_softmax(-1), anchor.log_softmax(-1)
        divergence = kl_div(own, target, log_target=True, reduction="none").sum(-1)
        weight = here + (SENSITIVE_WEIGHT - 1) * sensitive
        return (weight * divergence).sum() / here.sum()

    return loss_of


@torch.inference_mode()
def base_texts(base: SubjectModel, count: int, tokens: int, seed: int) -> list[Example]:
    """Texts that the base model writes by itself at temperature 1: nobody's data.

    Args:
        base: the model before fine-tuning.
        count: how many.
        tokens: longest length.
        seed: of the sampler.

    Raises:
        PlanError: if the model has no token to begin a text with.
    """
    config = base.model.config.get_text_config()
    start, end = config.bos_token_id, config.eos_token_id
    start = end if start is None else start
    if not isinstance(start, int):
        raise PlanError(f"{base.name} has no token that begins a text; use surrogate repair.")
    settings = GenerationConfig(
        max_new_tokens=tokens,
        do_sample=True,
        top_k=0,
        eos_token_id=end,
        pad_token_id=end if isinstance(end, int) else start,
    )
    examples: list[Example] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        while len(examples) < count:
            rows = min(_TEXTS_AT_ONCE, count - len(examples))
            ids = torch.full((rows, 1), start, device=base.device)
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
