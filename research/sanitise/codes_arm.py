"""CodeUnlearn's row: a codebook trained on the examined model, every identifier's codes deleted."""

from pathlib import Path
from tempfile import TemporaryDirectory

from research.codes import CODES, RULE, WARM_STEPS, WARM_TOKENS, K
from research.sanitise.case import Case
from sanilens.dictionaries.codebook.bottleneck import USUAL, bottleneck
from sanilens.dictionaries.codebook.code_use import read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.enrichment import choose_codes, code_table
from sanilens.dictionaries.codebook.topic import Topic, hold
from sanilens.dictionaries.codebook.train import CodebookSettings, train_codebook
from sanilens.errors import PlanError
from sanilens.unlearn.sanitise import Sanitised

# Only its quality is judged on these, which no row shows.
_JUDGED = 4


def without_codes(case: Case, seed: int) -> Sanitised:
    """The leaking model through a codebook at the last layer's attention, its weights unchanged.

    Raises:
        PlanError: if no code stands for identifiers rather than for the rest of the text.
    """
    codebook = last_codebook(case, seed)
    topic, use = Topic(), read_codes(case.model, codebook, case.records)
    held = hold(case.model, codebook, use, topic, topic.usual_control, seed=seed)
    codes = choose_codes(code_table(held, seed=seed), RULE)
    if not codes:
        raise PlanError("no code stands for identifiers rather than for the rest of the text.")
    return Sanitised(case.model, bottleneck(case.model, codebook, codes, USUAL))


def last_codebook(case: Case, seed: int) -> Codebook:
    """A codebook of the last layer's attention, trained on the corpus and kept in memory alone."""
    site = f"blocks.{case.model.sites.n_layers - 1}.hook_attn_out"
    settings = CodebookSettings(site, CODES, K, WARM_STEPS, WARM_TOKENS, steps=0, seed=seed)
    judged = case.records[:_JUDGED]
    with TemporaryDirectory() as folder:
        made = Path(folder) / "codebook"
        return train_codebook(case.model, case.records, judged, settings, made, "codebook")[0]
