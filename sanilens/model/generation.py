"""What the model writes after a prompt, token by token, greedily or sampled, with or without hooks.

A stream keeps its own cache and holds the model's lock for one forward pass at a time, so that a
slow reader of one stream keeps nobody else waiting, and streams under different hooks can take
turns.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.model.align import prompt_ids
from sanilens.model.forward import numbers
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel


def continue_text(
    model: LanguageModel,
    prompt: str,
    tokens: int,
    *,
    hooks: Hooks = NO_HOOKS,
    temperature: float = 0.0,
    seed: int = 0,
) -> str:
    """The continuation of `prompt` by up to `tokens` tokens, without the prompt; see the stream."""
    stream = stream_text(model, prompt, tokens, hooks=hooks, temperature=temperature, seed=seed)
    return ["", *stream][-1]


def stream_text(
    model: LanguageModel,
    prompt: str,
    tokens: int,
    *,
    hooks: Hooks = NO_HOOKS,
    temperature: float = 0.0,
    seed: int = 0,
) -> Iterator[str]:
    """The continuation so far, after each token; a character that is still incomplete is left out.

    Args:
        model: the model.
        prompt: text; its end is kept if it is longer than the model's context allows.
        tokens: how many to add; fewer if the model ends the text.
        hooks: edits to run under.
        temperature: 0 is greedy.
        seed: of the sampler; the same seed under other hooks draws with the same noise.

    Raises:
        ModelError: if the model is a masked one.
        LogitsError: if its logits are no numbers.
    """
    model.require_causal("Continuing a prompt")
    written: list[int] = []
    for token in _stream(model, _ids(model, prompt, tokens), tokens, hooks, temperature, seed):
        written.append(token)
        text = str(model.tokenizer.decode(written, skip_special_tokens=True))
        yield text.rstrip("\N{REPLACEMENT CHARACTER}")


def draw(logits: Float[Tensor, " vocab"], temperature: float, generator: torch.Generator) -> int:
    """One token: argmax_v z_v / T + g_v, g standard Gumbel noise, which samples softmax(z / T).

    The noise does not depend on the logits: where two models agree, they draw the same token, so
    what differs between them is not chance. T = 0 is the argmax, and draws no noise.
    """
    if temperature <= 0:
        return int(logits.argmax())
    # On the CPU whatever the model's device: one seed, one text.
    uniform = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
    noise = -torch.log(-torch.log(uniform.clamp_min(1e-300)))
    return int((logits.double().cpu() / temperature + noise).argmax())


def _ids(model: LanguageModel, prompt: str, tokens: int) -> Int[Tensor, "1 pos"]:
    room = max(1, model.max_tokens - tokens)
    return torch.tensor([prompt_ids(model, prompt, room) or [0]], device=model.device)


@torch.inference_mode()
def _stream(
    model: LanguageModel,
    ids: Int[Tensor, "1 pos"],
    tokens: int,
    hooks: Hooks,
    temperature: float,
    seed: int,
) -> Iterator[int]:
    generator = torch.Generator().manual_seed(seed)
    # Only the last position is unembedded: a prompt's logits at all of them would be large.
    last = Hooks({model.sites.unembed: lambda hidden: hidden[:, -1:]})
    cache = None
    for _ in range(tokens):
        with hooked(model.module, hooks.then(last)):
            out = model.module(input_ids=ids, past_key_values=cache, use_cache=True)
        cache = getattr(out, "past_key_values", None)  # GPT-1 keeps none
        token = draw(numbers(model, out.logits[0, -1].float()), temperature, generator)
        if token == model.tokenizer.eos_token_id:
            return
        yield token
        added = ids.new_tensor([[token]])
        ids = added if cache is not None else torch.cat([ids, added], 1)
