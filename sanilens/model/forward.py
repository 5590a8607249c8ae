"""Forward passes that compute logits only where they are asked for."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.subject import SubjectModel


def logits_at(
    subject: SubjectModel,
    ids: Int[Tensor, "batch pos"],
    rows: Int[Tensor, " n"],
    columns: Int[Tensor, " n"],
    hooks: Hooks = NO_HOOKS,
) -> Float[Tensor, "n vocab"]:
    """Logits after positions (rows, columns) of right-padded sequences, in float32.

    The rows are picked before the unembedding, so the vocabulary-sized tensor exists at these
    positions only; whatever the model does after it (Gemma's soft cap) still happens. No attention
    mask is needed: a causal model does not see padding on its right.
    """

    def pick(hidden: Tensor) -> Tensor:
        return hidden[rows, columns].unsqueeze(0)

    inputs = {**hooks.inputs, subject.sites.unembed: pick}
    with hooked(subject.model, Hooks(inputs, hooks.outputs)):
        logits = subject.model(input_ids=ids, use_cache=False).logits
    return logits[0].float()


@torch.inference_mode()
def token_logprobs(
    subject: SubjectModel,
    ids: Int[Tensor, "batch pos"],
    rows: Int[Tensor, " n"],
    columns: Int[Tensor, " n"],
    hooks: Hooks = NO_HOOKS,
) -> Float[Tensor, " n"]:
    """Log-probability of the tokens *at* (rows, columns), each given what precedes it; nats."""
    logits = logits_at(subject, ids, rows, columns - 1, hooks)
    return logits.log_softmax(-1).gather(1, ids[rows, columns, None])[:, 0]
