"""What units do over a corpus: their activations per token, sensitive or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.inspect.units.readers import NO_SAES, Reader, Saes, readers, reading_hooks
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Unit

# Padded tokens a batch: small ones stay in the processor's caches while they are copied out.
_TOKENS = 1024


@dataclass(frozen=True)
class Activations:
    """Activations of some units at every token of some records.

    Attributes:
        units: whose columns `values` holds; what counts as their activation: readers.py.
        encoded: the records, as tokens.
        values: one row a token, records one after the other.
        record: each token's record, as an index into `encoded`.
        position: each token's position in its record.
        sensitive: whether the token predicts, or is part of, a sensitive span.
    """

    units: tuple[Unit, ...]
    encoded: tuple[Encoded, ...]
    values: Float[np.ndarray, "token unit"]
    record: Int[np.ndarray, " token"]
    position: Int[np.ndarray, " token"]
    sensitive: Bool[np.ndarray, " token"]

    @cached_property
    def columns(self) -> dict[Unit, int]:
        """Each unit's column."""
        return {unit: i for i, unit in enumerate(self.units)}

    @cached_property
    def counted(self) -> Bool[np.ndarray, " token"]:
        """The tokens that describe a unit: not a record's first, which nothing precedes."""
        return self.position > 0

    @cached_property
    def labels(self) -> np.ndarray:
        """Each token's label, empty where it is not sensitive."""
        found = np.full(len(self.record), "", object)
        start = 0
        for encoded, length in zip(
            self.encoded, np.bincount(self.record, minlength=len(self.encoded)), strict=True
        ):
            for span in encoded.spans:
                where = slice(max(0, span.start - 1), min(span.end, length))
                own = found[start : start + length][where]
                own[own == ""] = span.span.label
            start += length
        return found

    @cached_property
    def subjects(self) -> np.ndarray:
        """Each token's subject: whose record it stands in."""
        return np.array([e.record.subject for e in self.encoded], object)[self.record]

    def of(self, unit: Unit) -> Float[np.ndarray, " token"]:
        """One unit's activation at every token."""
        return self.values[:, self.columns[unit]]

    def only(self, units: Sequence[Unit]) -> "Activations":
        """The same of fewer units, in that order."""
        values = self.values[:, [self.columns[unit] for unit in units]]
        where = (self.record, self.position, self.sensitive)
        return Activations(tuple(units), self.encoded, values, *where)

    def means(self) -> dict[Unit, float]:
        """Mean over non-sensitive tokens: the value of a `mean` edit."""
        found = self.values[~self.sensitive].mean(0)
        return {unit: float(value) for unit, value in zip(self.units, found, strict=True)}

    def quantiles(self, quantile: float) -> dict[Unit, float]:
        """A quantile over non-sensitive tokens: where a `cap` edit cuts."""
        found = np.quantile(self.values[~self.sensitive], quantile, axis=0)
        return {unit: float(value) for unit, value in zip(self.units, found, strict=True)}


@torch.inference_mode()
def activations(
    model: LanguageModel,
    records: Sequence[Record],
    units: Sequence[Unit],
    saes: Saes = NO_SAES,
) -> Activations:
    """Run `records` through the model and keep the activations of `units` only.

    A record longer than the model's context is read up to it. `saes` holds the autoencoders of
    the features among the units.

    Raises:
        PlanError: for a unit that neither the model nor one of `saes` has.
    """
    encoded = tuple(encode(model, record) for record in records)
    lengths = [min(len(e.ids), model.max_tokens) for e in encoded]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    values = np.empty((starts[-1], len(units)), np.float32)
    sources = readers(model, units, saes)
    column = {unit: i for i, unit in enumerate(units)}
    columns = {s: _columns([column[unit] for unit in s.units]) for s in sources}
    zero = torch.zeros(1, dtype=torch.long, device=model.device)
    for batch in bucketed(lengths, min(_TOKENS, token_budget(model))):
        ids = pad_right([encoded[i].ids[: lengths[i]] for i in batch], model.device)

        def keep(source: Reader, found: Tensor, batch: list[int] = batch) -> None:
            array = found.float().cpu().numpy()
            for row, i in enumerate(batch):
                own = array[row, : lengths[i]]
                values[starts[i] : starts[i + 1], columns[source]] = own

        logits_at(model, ids, zero, zero, reading_hooks(sources, keep))
    return Activations(
        tuple(units),
        encoded,
        values,
        np.repeat(np.arange(len(encoded)), lengths),
        np.concatenate([np.arange(n) for n in lengths]),
        np.concatenate([_sensitive(e)[:n] for e, n in zip(encoded, lengths, strict=True)]),
    )


def _columns(found: list[int]) -> slice | list[int]:
    """Neighbours as a slice: copying into one is several times as fast as into a list."""
    first = found[0]
    return (
        slice(first, first + len(found)) if found == [*range(first, first + len(found))] else found
    )


def _sensitive(encoded: Encoded) -> Bool[np.ndarray, " token"]:
    marked = np.zeros(len(encoded.ids), bool)
    for span in encoded.spans:
        # The position before a token is where it is predicted, so that is where memory acts.
        marked[max(0, span.start - 1) : span.end] = True
    return marked
