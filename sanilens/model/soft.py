"""Distributions over the vocabulary, in short: what a teacher says at each place.

KL(q || p)  >=  sum_top q log(q / p)  +  r_q log(r_q / r_p)        r the rest, as one answer
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.model.language_model import LanguageModel

# Tokens kept of a distribution.
TOP = 64
# What so many surrogates have at a place is form.
_FORM = 0.5


@dataclass(frozen=True, slots=True)
class Soft:
    """Distributions over the vocabulary, each as its likeliest tokens and the rest in one.

    Attributes:
        tokens: the likeliest.
        probs: their probabilities.
    """

    tokens: Int[Tensor, "place top"]
    probs: Float[Tensor, "place top"]

    def __len__(self) -> int:
        return len(self.tokens)

    def kl(self, logits: Float[Tensor, "place vocab"]) -> Float[Tensor, " place"]:
        """KL(self || softmax(logits)) in nats, the rest taken as one answer.

        A lower bound of the whole one; exact where the top holds all.
        """
        own = logits.log_softmax(-1).gather(1, self.tokens)
        told = self.probs > 0  # of what is never said the model may be as sure (-inf)
        shared = torch.where(told, self.probs * (self.probs.clamp(min=1e-30).log() - own), 0).sum(1)
        rest = (1 - self.probs.sum(1)).clamp(min=0)
        left = (1 - own.exp().sum(1)).clamp(min=1e-9)
        return shared + rest * (rest.clamp(min=1e-30).log() - left.log())

    def logprobs(self, tokens: Int[Tensor, " place"]) -> Float[Tensor, " place"]:
        """Of one token at each place, in nats; an upper bound where it is not among the top."""
        own = torch.where(self.tokens == tokens[:, None], self.probs, 0).sum(1)
        most = (1 - self.probs.sum(1)).minimum(self.probs.min(1).values).clamp(min=1e-9)
        return torch.where(own > 0, own, most).log()

    def pick(self, places: Int[Tensor, " k"]) -> "Soft":
        """Some of the places."""
        return Soft(self.tokens[places], self.probs[places])


def joined(parts: Sequence[Soft]) -> Soft:
    """Several one after the other."""
    return Soft(torch.cat([p.tokens for p in parts]), torch.cat([p.probs for p in parts]))


def place_bytes(model: LanguageModel) -> int:
    """Bytes that a teacher's answer takes at one place: token numbers and their probabilities."""
    return (8 + 4) * min(TOP, model.module.config.get_text_config().vocab_size)


def soften(probs: Float[Tensor, "place vocab"], *, top: int = TOP) -> Soft:
    """Distributions in short."""
    values, tokens = probs.topk(min(top, probs.shape[1]), dim=1)
    return Soft(tokens, values)


def formal(
    probs: Float[Tensor, "place vocab"],
    secret: Int[Tensor, " place"],
    form: Float[Tensor, "place vocab"],
    usual: Float[Tensor, " place"],
) -> Float[Tensor, "place vocab"]:
    """A span's distributions with no more of the secret than of anybody's invented value.

    Where the wording around it alone recalls a secret, a stranger's answer would be the secret.
    Each of its tokens keeps at most what an invented value's token has there, or what surrogates
    agree on: a dash that every number has at that place stays, a digit that this one has does not.
    What is taken away goes to the surrogates' tokens, in their shares.

    Args:
        probs: what a stranger is told.
        secret: the true tokens.
        form: at each place the share of surrogates that have each token.
        usual: how likely an invented value's own token is there.
    """
    own, agreed = probs.gather(1, secret[:, None]), form.gather(1, secret[:, None])
    left = own.minimum(torch.where(agreed >= _FORM, agreed, usual[:, None]))
    others = form.scatter(1, secret[:, None], 0.0)
    total = others.sum(1, keepdim=True)
    # Where surrogates have no other token there, nothing is taken: the secret's share is form.
    taken = torch.where(total > 0, own - left, 0.0)
    changed = probs.scatter(1, secret[:, None], own - taken)
    return changed + taken * others / total.clamp(min=1e-30)
