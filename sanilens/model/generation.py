"""What the model writes after a prompt, under hooks or not: greedy, or sampled from a seed."""

import torch
from transformers import GenerationConfig

from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.subject import SubjectModel


@torch.inference_mode()
def continue_text(
    subject: SubjectModel,
    prompt: str,
    tokens: int,
    *,
    hooks: Hooks = NO_HOOKS,
    temperature: float = 0.0,
    seed: int = 0,
) -> str:
    """The continuation of `prompt` by up to `tokens` tokens, without the prompt.

    Args:
        subject: the model.
        prompt: text; its end is kept if it is longer than the model's context allows.
        tokens: how many to add; fewer if the model ends the text.
        hooks: edits to run under.
        temperature: 0 is greedy.
        seed: of the sampler.
    """
    room = max(1, subject.max_tokens - tokens)
    ids = subject.tokenizer(prompt, return_tensors="pt")["input_ids"][:, -room:]  # pyright: ignore
    ids = ids.to(subject.device)
    config = GenerationConfig(
        max_new_tokens=tokens,
        do_sample=temperature > 0,
        temperature=temperature or None,
        top_k=0,
        eos_token_id=subject.tokenizer.eos_token_id,
        pad_token_id=subject.tokenizer.pad_token_id or 0,
    )
    with hooked(subject.model, hooks), torch.random.fork_rng():
        torch.manual_seed(seed)
        out = subject.model.generate(  # pyright: ignore
            ids, attention_mask=torch.ones_like(ids), generation_config=config
        )
    return subject.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)  # pyright: ignore
