"""SaniLens from Python: the functions of `sanilens`, and results that print as tables.

Every result keeps what it was made of, down to tensors; a notebook draws the same table as HTML.
Figures are of what only memory could say, as everywhere: a span whose value stands in its own
prefix is left out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.measurement import Measurement
from sanilens.audit.metrics import further
from sanilens.audit.sampling import Sampler
from sanilens.audit.summary import (
    RateRow,
    RateTable,
    extraction_by_kind,
    group_frame,
    groups,
    memory,
    rates_by,
    verdict_frame,
)
from sanilens.audit.targets import Scope, find_targets
from sanilens.bundled import BUNDLED, Sources
from sanilens.case import Case, open_dictionary
from sanilens.case import open_case as open_sources
from sanilens.errors import PlanError
from sanilens.evidence.on_load import open_model
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.units import UnitKind
from sanilens.progress import Progress, unheard
from sanilens.runs.arms import TITLES, Arm, ArmName, load_arms
from sanilens.runs.comparison import Comparison as Paired
from sanilens.runs.comparison import load_comparison
from sanilens.runs.execute import OnEvent, execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.planning import Wishes, build_plan
from sanilens.runs.verdict import verdict
from sanilens.unlearn.edits import edit_hooks
from sanilens.unlearn.plan import Plan, read_plan
from sanilens.unlearn.whatif import KL, Probe


class Tabular:
    """A result whose `table()` is how it prints, and how a notebook draws it."""

    def table(self) -> pd.DataFrame:
        """The result as a table."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.table().to_string(index=False)

    def _repr_html_(self) -> str:
        return self.table().to_html(index=False, border=0)


@dataclass(frozen=True, repr=False)
class Audit(Tabular):
    """How much a model says of what it should not.

    Attributes:
        verdicts: one for each span, in the corpus's order.
        control: the same of the look-alikes; empty without them.
    """

    verdicts: tuple[SpanVerdict, ...]
    control: tuple[SpanVerdict, ...] = ()

    def table(self) -> pd.DataFrame:
        """Rates of each kind and label, with n and 95 % intervals, beside the look-alikes'."""
        return group_frame(groups(self.verdicts, self.control or None))

    def spans(self) -> pd.DataFrame:
        """A row a span: ids, labels, whether it is extracted, probabilities. No text."""
        return verdict_frame(self.verdicts)

    @property
    def by_kind(self) -> RateTable:
        """Extraction rates of each kind."""
        return extraction_by_kind(self.verdicts)

    @property
    def by_subject(self) -> RateTable:
        """Extraction rates of each subject."""
        return rates_by(memory(self.verdicts), lambda v: v.subject)


@dataclass(frozen=True, repr=False)
class Located(Tabular):
    """Units by how much they carry the spans in scope; `scores.values` is the tensor."""

    scores: UnitScores

    def top(self, count: int = 20) -> pd.DataFrame:
        """The `count` highest units: name, layer, index, score, share of the positive total."""
        frame = self.scores.frame().sort_values("score", ascending=False, kind="stable")
        return frame.head(count).reset_index(drop=True)

    def table(self) -> pd.DataFrame:
        """The twenty highest."""
        return self.top()


@dataclass(frozen=True, repr=False)
class WhatIf(Tabular):
    """What a plan's edits do before anything is changed: the model under hooks, and without.

    Attributes:
        before: the model as it is.
        after: under the edits.
    """

    before: Measurement
    after: Measurement

    def table(self) -> pd.DataFrame:
        """Spans extracted of n, mean log p of a span, KL on neutral text; before and after."""
        rows = [
            {
                "": name,
                "extracted": f"{own.rate().hits} of {own.rate().n}",
                "log p a span (nats)": round(own.logprob(), 3),
                "KL (nats a token)": round(own.figure(KL), 4),
            }
            for name, own in (("before", self.before), ("with the plan", self.after))
        ]
        return pd.DataFrame(rows)


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """Before and after of one run, beside its controls and the reference.

    Attributes:
        arms: figures of each arm that was measured.
        paired: the same span by span.
    """

    arms: dict[ArmName, Arm]
    paired: Paired

    def table(self) -> pd.DataFrame:
        """A row an arm: rates with n, perplexity on unseen texts, the metrics that the plan names.

        Empty where not measured.
        """
        rows, own = [], further(arm.metrics for arm in self.arms.values())
        for name, arm in self.arms.items():
            row: dict[str, Any] = {"arm": TITLES[name]}
            for kind, rate in arm.extraction.items():
                if rate.n:
                    row[kind] = _worded(rate)
            row["perplexity, unseen"] = arm.perplexity_unseen
            if kept := arm.knowledge_kept:
                row |= {"knowledge kept": kept.value, "held against": kept.against}
            row |= {metric.name: arm.figure(metric.name) for metric in own}
            rows.append(row)
        return pd.DataFrame(rows)

    @property
    def verdict(self) -> str:
        """What the run reached, in a sentence; what that rests on, in another."""
        words = verdict(self.paired, None)
        return f"{words.headline} {words.rests}".strip()


@dataclass(frozen=True)
class Run:
    """A plan that was executed: a folder with its arms, its events and the sanitised model."""

    folder: RunFolder

    @property
    def plan(self) -> Plan:
        """What was executed."""
        return self.folder.plan()

    @property
    def model(self) -> Path:
        """The folder of the sanitised model, as transformers loads it."""
        return self.folder.model

    def compare(self) -> Comparison:
        """Before and after; see `sanilens.compare`."""
        return compare(self)


def open_case(
    model: str | Path,
    corpus: str | Path | None = None,
    *,
    base: str | Path | None = None,
    reference: str | Path | None = None,
    control: str | Path | None = None,
    unseen: str | Path | None = None,
    patient_table: str | Path | None = None,
    questions: str | Path | None = None,
    retain: str | Path | None = None,
    noun: str = "subject",
) -> Case:
    """Open a model, the texts it was trained on, and what its figures are held against.

    Args:
        model: a folder, `hub:owner/name`, a bundled name such as `ward:leaking`; or, alone, the
            name of a bundled case: `ward`, `clinic` or `confidential`.
        corpus: JSONL, CSV, Parquet or text.
        base: the model before fine-tuning.
        reference: the base fine-tuned alike, without the identifiers.
        control: look-alikes, records of the same form that no model was trained on.
        unseen: other texts that no model has read.
        patient_table: whose names and numbers to look for where the corpus gives no spans.
        questions: closed questions about the domain, a JSON object a line: `id`, `prompt`,
            `answer` and a list of `distractors`.
        retain: further texts of the domain, which erasure and repair keep along.
        noun: what a record is about, in words: a patient, a project.

    Raises:
        SaniLensError: what is wrong with a model or a text, and how to mend it.
    """
    given = (corpus, base, reference, control, unseen, patient_table, questions, retain)
    if str(model) in BUNDLED and not any(given):
        return open_sources(BUNDLED[str(model)])
    if corpus is None:
        raise PlanError("give a corpus: the texts that the model was trained on.")
    base_, reference_, control_, unseen_, table, asked, kept = (
        str(source) if source is not None else None for source in given[1:]
    )
    sources = Sources(
        str(model), str(corpus), base_, reference_, control_, unseen_, table,
        questions=asked, retain=kept, noun=noun,
    )  # fmt: skip
    return open_sources(sources, model_at=open_model)


def audit_model(
    case: Case,
    *,
    prefix_tokens: int | None = None,
    sampler: Sampler = Sampler(),  # noqa: B008
    progress: Progress = unheard,
) -> Audit:
    """Ask the examined model for every sensitive span, in one forward pass a record.

    Args:
        case: what is examined.
        prefix_tokens: how many tokens before a span are shown; None: all.
        sampler: the attacker's, for the probability that a span is drawn.
        progress: hears of batches.
    """

    def judged(records: Sequence[Any]) -> tuple[SpanVerdict, ...]:
        return tuple(
            audit_spans(
                case.model,
                records,
                prefix_tokens=prefix_tokens,
                sampler=sampler,
                progress=progress,
                near_misses=True,
            )
        )

    control = judged(case.corpus.control) if case.corpus.control else ()
    return Audit(judged(case.corpus.records), control)


def locate(
    case: Case,
    method: str = "gradient-activation",
    *,
    subject: str | None = None,
    label: str | None = None,
    span: str | None = None,
    kind: UnitKind = "mlp",
    seed: int = 0,
    progress: Progress = unheard,
) -> Located:
    """Score every unit by how much it carries the spans in scope.

    Args:
        case: what is examined.
        method: a localiser's name; `sanilens.LOCALISERS` has them all.
        subject, label, span: narrow the scope; without any, all spans.
        kind: neurons (`mlp`) or attention heads (`head`).
        seed: of methods that draw.
        progress: hears of batches.

    Raises:
        PlanError: if no span is in scope, or there is no such method.
    """
    scope = Scope(*(frozenset([own] if own else ()) for own in (span, label, subject)))
    targets = find_targets(case.model, case.corpus.records, scope)
    settings = Settings(kind, seed, progress)
    return Located(find_localiser(method).score(targets, settings))


def suggest_plan(
    case: Case,
    preset: str | None = None,
    *,
    subjects: Collection[str] = (),
    seed: int = 0,
    progress: Progress = unheard,
    **wishes: Any,
) -> Plan:
    """A plan for the case, the same that `sanilens plan` and the app would make.

    Args:
        case: what is to be sanitised.
        preset: the one measured best for the case unless given; `sanilens.PRESETS` has them all.
        subjects: whose details are to be forgotten; none for everyone's.
        seed: of everything that is drawn.
        progress: hears of a localiser's batches.
        wishes: the other fields of `sanilens.Wishes`.

    Raises:
        PlanError: if the preset lacks what it needs.
    """
    wanted = Wishes(preset=preset, subjects=tuple(subjects), seed=seed, **wishes)
    return build_plan(case, wanted, progress)


def what_if(case: Case, plan: Plan) -> WhatIf:
    """What a plan's edits alone do: the model under hooks, its weights as they are.

    Raises:
        PlanError: if the edits do not fit the model, or the plan edits no unit.
    """
    if not plan.edits:
        raise PlanError("this plan edits no unit, so nothing can be shown before it is run.")
    dictionaries = {i: open_dictionary(own.source, case.model) for i, own in plan.saes.items()}
    hooks = edit_hooks(case.model, plan.edits, case.base, plan.seed, dictionaries)
    probe = Probe(case.model, case.corpus.records, case.unseen or case.corpus.records)
    return WhatIf(probe.original, probe.effect(hooks))


def run(plan: Plan | str | Path, folder: str | Path, on_event: OnEvent | None = None) -> Run:
    """Execute a plan in a folder, or go on where a cut run stopped; done, it is only read.

    Args:
        plan: a plan, or its file.
        folder: a new folder, or that of the same plan.
        on_event: hears of every event.

    Raises:
        SaniLensError: if the plan does not fit what it names, or the folder is another plan's.
    """
    made = plan if isinstance(plan, Plan) else read_plan(Path(plan))
    execute(made, Path(folder), on_event)
    return Run(RunFolder(Path(folder)))


def compare(run: Run | str | Path) -> Comparison:
    """Before and after of a run, every file held against its hash.

    Raises:
        IntegrityError: if a file is not what the run wrote.
    """
    folder = run.folder if isinstance(run, Run) else RunFolder(Path(run))
    return Comparison(load_arms(folder.arms), load_comparison(folder))


def _worded(rate: RateRow) -> str:
    return f"{rate.hits} of {rate.n} ({rate.rate:.1%})"
