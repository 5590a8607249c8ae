"""Is the base model fit to be gone back to? Resets, blends and anchored repairs draw towards it.

A base of another kind, or one that was hardly trained, takes what the examined model knows along
with what it has memorised.
"""

from collections.abc import Sequence

from sanilens.audit.utility import perplexity, worded_perplexity
from sanilens.corpus.records import Record
from sanilens.model.subject import SubjectModel

# The bundled cases' bases stand at 0.8 to 1.6 times; fine-tuning on a narrow corpus lowers its own
# perplexity by more than other texts' would be, so that less than this may be fine.
_FAR_WORSE = 5.0
_MOST_RECORDS = 64


def base_warning(subject: SubjectModel, base: SubjectModel, texts: Sequence[Record]) -> str | None:
    """What to know before a plan leans on `base`; None where it reads `texts` well enough.

    Args:
        subject: the examined model.
        base: the model before fine-tuning.
        texts: best those that nobody trained on; their spans are left out, and at most 64 are read.
    """
    step = max(1, -(-len(texts) // _MOST_RECORDS))
    few = texts[::step]
    own, other = (perplexity(m, few, without_spans=True).value for m in (subject, base))
    if not other > _FAR_WORSE * own:  # not measured, too
        return None
    return (
        f"the base model reads these texts far worse than the examined one: perplexity "
        f"{worded_perplexity(other)} against {worded_perplexity(own)}. Resets, --keep and anchored "
        "repairs draw towards the base, and what the model knows goes with what it has memorised. "
        "Is this the model that was fine-tuned?"
    )
