"""Reading a site: activations of records at an autoencoder's site, and its features there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import SaeSite
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class SiteReading:
    """Activations of some records' tokens, first tokens left out, record after record.

    The first token's activation is unlike any other's and says nothing of the text.

    Attributes:
        values: one row a token.
        record: each token's record, as an index.
        position: its position there.
        sensitive: whether it predicts, or is part of, a sensitive span.
    """

    values: Float[Tensor, "token d"]
    record: Int[np.ndarray, " token"]
    position: Int[np.ndarray, " token"]
    sensitive: Bool[np.ndarray, " token"]


@torch.inference_mode()
def read_site(model: LanguageModel, site: SaeSite, records: Sequence[Record]) -> SiteReading:
    """Run `records` through the model and keep what stands at `site`."""
    encoded = [encode(model, record) for record in records]
    lengths = [min(len(e.ids), model.max_tokens) for e in encoded]
    rows: list[Tensor] = [torch.empty(0)] * len(encoded)
    for batch in bucketed(lengths, token_budget(model)):
        ids = pad_right([encoded[i].ids[: lengths[i]] for i in batch], model.device)
        for i, row in zip(batch, site_values(model, site, ids), strict=True):
            rows[i] = row[1 : lengths[i]].float().cpu()
    kept = [max(0, n - 1) for n in lengths]
    return SiteReading(
        torch.cat(rows),
        np.repeat(np.arange(len(encoded)), kept),
        np.concatenate([np.arange(1, n + 1) for n in kept]),
        np.concatenate([_sensitive(e)[1:n] for e, n in zip(encoded, lengths, strict=True)]),
    )


def site_values(
    model: LanguageModel, site: SaeSite, ids: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch pos d"]:
    """What stands at `site` for a batch."""
    found: list[Tensor] = []

    def keep(x: Tensor) -> None:
        found.append(x)

    zero = torch.zeros(1, dtype=torch.long, device=model.device)
    logits_at(model, ids, zero, zero, site.hooks(model.sites, keep))
    return found[0]


@torch.inference_mode()
def feature_activations(
    sae: Sae, values: Float[Tensor, "token d"], features: Sequence[int] | None = None
) -> Float[Tensor, "token feature"]:
    """Activations of some features, or of all, at tokens that were read before."""
    device = sae.module.W_dec.device
    columns = slice(None) if features is None else list(features)
    parts = [sae.features(part.to(device))[:, columns].cpu() for part in values.split(4096)]
    return torch.cat(parts)


def shuffled(
    values: Float[Tensor, "token d"], size: int, seed: int
) -> Iterator[Float[Tensor, "batch d"]]:
    """Batches of `size` tokens without end, in a new order each time round."""
    generator = torch.Generator().manual_seed(seed)
    size = min(size, len(values))
    while True:
        order = torch.randperm(len(values), generator=generator)
        for start in range(0, len(order) - size + 1, size):
            yield values[order[start : start + size]]


def _sensitive(encoded: Encoded) -> Bool[np.ndarray, " token"]:
    marked = np.zeros(len(encoded.ids), bool)
    for span in encoded.spans:
        # The position before a token is where it is predicted, so that is where memory acts.
        marked[max(0, span.start - 1) : span.end] = True
    return marked
