"""What `bench codes` reports."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodebookFigures:
    """A codebook, judged on notes that it was not trained on.

    Attributes:
        site, sae: where it stands, and whether over an autoencoder's features.
        codes, k: its size.
        train_seconds, read_seconds: to train all of it, and to read the codes of all notes once.
        explained_variance, ce_recovered, perplexity_ratio, dead: see bottleneck.py.
    """

    site: str
    sae: bool
    codes: int
    k: int
    train_seconds: float
    read_seconds: float
    explained_variance: float
    ce_recovered: float
    perplexity_ratio: float
    dead: float


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """One deletion.

    Attributes:
        site, sae: of its codebook.
        topic: a label, or a subject.
        arm: the way; `none` is the codebook alone, `random` as many other codes by `drop`, `both
            labels` one after the other by `drop`.
        significant: codes with q < 0.05, p by Fisher's exact test; of those `lasting` have p < 0.05
            too where whole notes are permuted, which five notes at most cannot give (2 / 2^5).
        deleted: codes that are gone.
        seconds, cpu_seconds: to find and delete them, on the clock and of the process; no gradient.
        extracted, n: spans of the topic that memory alone can say; `before` by the untouched model.
        rest, rest_n, rest_before: the same of all others.
        left: extracted / before.
        perplexity_ratio: on unseen notes, of the untouched model's.
    """

    site: str
    sae: bool
    topic: str
    arm: str
    significant: int
    lasting: int
    deleted: int
    seconds: float
    cpu_seconds: float
    extracted: int
    n: int
    before: int
    rest: int
    rest_n: int
    rest_before: int
    left: float
    perplexity_ratio: float


@dataclass(frozen=True, slots=True)
class CodesBench:
    """Figures of all codebooks and deletions, and what was measured on.

    Attributes:
        notes, unseen: how many notes the spans, and the perplexity, were measured on.
        perplexity: of the untouched model.
        codebooks, rows: see there.
        best: of each topic the row that says least of it while perplexity rises by at most 5 %;
            chosen on the notes that it is reported on, so hold it against its codebook's `none`
            and `random`.
    """

    notes: int
    unseen: int
    perplexity: float
    codebooks: tuple[CodebookFigures, ...]
    rows: tuple[DeletionRow, ...]
    best: Mapping[str, DeletionRow]
