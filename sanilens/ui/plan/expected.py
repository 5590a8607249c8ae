"""How long a run will take, told beforehand; only of plans that train nothing.

Measured is the pace at which this machine asks the model for a few records' spans. The rest follows
from how many texts a run reads; a repair's steps have no such measure before they are taken.
"""

import time

from sanilens.audit.extraction import audit_spans
from sanilens.case import Case
from sanilens.runs.execute import instead_of, spaced, treatments, unchanged_keys
from sanilens.runs.workspace import arms_folder
from sanilens.ui.results import results
from sanilens.ui.saes import saes_of
from sanilens.unlearn.plan import Plan

_SAMPLE = 8
# Seconds until libraries and models are loaded.
_START = 5.0
# In units of asking for a record's spans, on the bundled cases: reading a text for its curvature,
# gradients and all, and answering a closed question.
_CURVATURE, _QUESTION = 4.0, 0.5


def expected_seconds(opened: Case, plan: Plan) -> float | None:
    """Of the whole run, controls included; None where it repairs."""
    if plan.repair.trains:
        return None
    others = instead_of(plan, opened.corpus.records)
    own = treatments(plan, opened.model.sites, saes_of(opened, plan.edits), others)
    asked = len(opened.corpus.records) + len(opened.unseen) + _QUESTION * len(opened.questions)
    texts = len(own) * asked
    for name, key in unchanged_keys(plan, opened).items():
        if not (arms_folder() / key).is_dir():  # an earlier run has not measured it
            texts += len(opened.corpus.control) if name == "lookalike" else asked
    if plan.rewrite:
        texts += _CURVATURE * (len(opened.corpus.records) + len(opened.retain))
    return _START + _pace(opened) * texts


def _pace(opened: Case) -> float:
    """Seconds for a record's spans."""

    def measure() -> float:
        sample = spaced(opened.corpus.records, _SAMPLE)
        audit_spans(opened.model, sample[:1])  # the first pass is slower
        started = time.monotonic()
        audit_spans(opened.model, sample)
        return (time.monotonic() - started) / len(sample)

    return results().get(("pace", opened.key), measure)
