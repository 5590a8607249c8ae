"""Which codes stand for which token: read once over a corpus, then asked about any topic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.reading import read_site
from sanilens.model.align import Encoded, encode
from sanilens.model.language_model import LanguageModel

_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class CodeUse:
    """The codes of some records' tokens, first tokens left out, record after record.

    Attributes:
        encoded: the records.
        record: each token's record, as an index into `encoded`.
        position: its position there.
        codes: its k codes, most alike first.
        similarity: their cosine similarity with it.
        size: how many codes the codebook has.
    """

    encoded: tuple[Encoded, ...]
    record: Int[np.ndarray, " token"]
    position: Int[np.ndarray, " token"]
    codes: Int[np.ndarray, "token k"]
    similarity: Float[np.ndarray, "token k"]
    size: int

    def counts(self, tokens: Bool[np.ndarray, " token"]) -> Int[np.ndarray, " code"]:
        """For how many of these tokens each code stands."""
        return np.bincount(self.codes[tokens].ravel(), minlength=self.size)

    def by_record(self, tokens: Bool[np.ndarray, " token"]) -> Int[np.ndarray, "record code"]:
        """The same, record by record."""
        found = np.zeros((len(self.encoded), self.size), np.int64)
        k = self.codes.shape[1]
        np.add.at(found, (np.repeat(self.record[tokens], k), self.codes[tokens].ravel()), 1)
        return found


@torch.inference_mode()
def read_codes(model: LanguageModel, codebook: Codebook, records: Sequence[Record]) -> CodeUse:
    """Run `records` through the model and write down the codes of every token."""
    read = read_site(model, codebook.site, records)
    found: list[np.ndarray] = []
    alike: list[np.ndarray] = []
    for part in read.values.split(_TOKENS):
        chosen = codebook.choose(codebook.latent(part.to(model.device)))
        found.append(chosen.codes.cpu().numpy())
        alike.append(chosen.similarity.float().cpu().numpy())
    return CodeUse(
        tuple(encode(model, record) for record in records),
        read.record,
        read.position,
        np.concatenate(found),
        np.concatenate(alike),
        codebook.size,
    )
