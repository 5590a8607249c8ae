"""A codebook of noise on disk: what deleting does needs no training to be seen."""

from pathlib import Path

import torch

from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.store import CodebookRecord, load_codebook, save_codebook
from sanilens.dictionaries.site import parse_site
from sanilens.model.language_model import LanguageModel

SITE, SIZE = "blocks.1.hook_attn_out", 24


def saved(model: LanguageModel, folder: Path) -> Codebook:
    """24 codes of `blocks.1.hook_attn_out`, 4 a token, by the id `tiny`."""
    site = parse_site(SITE)
    width = site.width(model.sites)
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(SIZE, width, generator=generator)
    record = CodebookRecord(
        schema_version=1, id="tiny", site=SITE, model_sha256=model.fingerprint,
        corpus_sha256="0" * 64, codes=SIZE, width=width, k=4, sae=False, settings={}, quality={},
    )  # fmt: skip
    save_codebook(Codebook("tiny", site, codes, torch.zeros(width), 4), record, folder)
    return load_codebook(folder, model)
