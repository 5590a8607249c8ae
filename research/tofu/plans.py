"""The product's own plans on TOFU: forget05 is everybody in the corpus, what stays is `--retain`.

The answers are spans of free text, and the author's name in a question is one of its own: whoever
asks about a stranger names a stranger. What stays are the questions that the model was fine-tuned
on beside them, without spans.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from research.tofu.data import TUNED, Tofu, to_records
from sanilens.corpus.records import Record, Span
from sanilens.errors import PlanError
from sanilens.unlearn.plan import Repair, Rewriting
from sanilens.unlearn.sanitise import Change
from sanilens.unlearn.suggest import find_preset

# Several capitalised words in a row.
_WORD = r"[A-ZÀ-ÖØ-Þ][\w’'.À-ÿ-]*"
_CAPITALISED = re.compile(rf"{_WORD}(?: {_WORD})+")
_USUAL = find_preset("stranger")
"""What the app proposes for everyone where no base knows the domain."""

PLANS: Mapping[str, Change] = {
    "stranger": Change(repair=_USUAL.repair(None)),
    "rewriting": Change(rewrite=Rewriting()),
    "stranger-rewriting": Change(repair=_USUAL.repair(None), rewrite=_USUAL.rewrite),
    # What reading the same texts does for others.
    "undial-kept": Change(repair=Repair(method="undial")),
    "anchored-kept": Change(repair=Repair(method="anchored")),
}


def find_plan(name: str) -> Change:
    """What the plan of that name does to a model.

    Raises:
        PlanError: if there is none.
    """
    if name not in PLANS:
        raise PlanError(f"there is no plan {name!r}; there are {', '.join(PLANS)}.")
    return PLANS[name]


def plan_texts(tofu: Tofu) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """The corpus, and the further texts that stay."""
    kept = to_records(tofu.kept[:TUNED], "retain", sensitive=False)
    return with_names(to_records(tofu.forget, "forget", sensitive=True)), kept


def with_names(records: Iterable[Record]) -> tuple[Record, ...]:
    """The records with their author's name marked as well, or the last word of it.

    That name is the run of capitalised words which most of an author's texts have.
    """
    records = tuple(records)
    runs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        found = (re.sub("['’]s?$", "", run) for run in _CAPITALISED.findall(record.text))
        runs[record.subject].update(dict.fromkeys(found, 1))

    def marked(record: Record) -> Record:
        name = next((run for run, _ in runs[record.subject].most_common(1)), None)
        if name is None:
            return record
        pattern = f"{re.escape(name)}|{re.escape(name.split()[-1])}"
        before = min((span.start for span in record.spans), default=len(record.text))
        names = re.finditer(pattern, record.text[:before])
        own = (Span(*match.span(), "NAME", "direct") for match in names)
        return replace(record, spans=(*own, *record.spans))

    return tuple(map(marked, records))
