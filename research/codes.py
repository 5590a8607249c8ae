"""CodeUnlearn on a case: codebooks trained, topics' codes deleted without training, and chance.

For each site a codebook of the activation itself and one of an autoencoder's features (the
ablation). For each topic the enriched codes are deleted in each way, and as many random codes that
are used as often; then two topics one after the other. All are measured on the same notes, beside
the untouched model and the model through the codebook with nothing deleted.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from research.codes_figures import CodebookFigures, CodesBench, DeletionRow
from sanilens.audit.extraction import audit_spans
from sanilens.audit.measurement import Measurement, measure
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.summary import memory, rates_by, worst_subject
from sanilens.audit.targets import Scope
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import Way, bottleneck
from sanilens.dictionaries.codebook.code_use import CodeUse, read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.deletion_effect import topic_rates, topic_spans
from sanilens.dictionaries.codebook.enrichment import Rule, alike_in_use, choose_codes, code_table
from sanilens.dictionaries.codebook.topic import Topic, hold
from sanilens.dictionaries.codebook.train import CodebookSettings, train_codebook
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.dictionaries.site import parse_site
from sanilens.model.forward import remembering
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Say, unsaid
from sanilens.runs.repairing import spaced

LABELS = ("PHONE", "DATE_OF_BIRTH")
WAYS: tuple[Way, ...] = ("refill", "drop", "zero")
# A subject's codes are little enriched, a label's much: one rule that finds both.
RULE = Rule(tau=0.5, most=64)
# Memory acts last at the last layer: nothing behind it can say what was deleted there.
CODES, K, WARM_STEPS, WARM_TOKENS = 1024, 8, 120, 512
SAE_WIDTH, SAE_K, SAE_STEPS, SAE_TOKENS = 512, 24, 200, 512
MOST_RISE = 1.05


@dataclass(frozen=True)
class _Case:
    """What is measured on, and each topic's spans there."""

    model: LanguageModel
    notes: Sequence[Record]
    sample: Sequence[Record]
    unseen: Sequence[Record]
    topics: Mapping[str, Topic]
    spans: Mapping[str, frozenset[str]]

    @cached_property
    def exam(self) -> Exam:
        """What the model is asked each time."""
        return Exam(self.sample, unseen=self.unseen)


def bench_codes(
    model: LanguageModel,
    notes: Sequence[Record],
    unseen: Sequence[Record],
    *,
    labels: tuple[str, str] = LABELS,
    sites: Sequence[str] = (),
    settings: CodebookSettings | None = None,
    sae_settings: SaeSettings | None = None,
    sample: int = 36,
    neutral: int = 12,
    seed: int = 0,
    say: Say = unsaid,
) -> CodesBench:
    """Train, delete, measure.

    Args:
        subject: the examined model.
        notes: what it may say; codebooks are trained, and codes chosen, on all of them.
        unseen: notes for quality and perplexity.
        labels: two topics; the third is the subject of whom most is said.
        sites: the last layer's attention and MLP unless given.
        settings, sae_settings: how to train; their site is put in.
        sample: notes that are asked for their spans, evenly spaced, besides the subject's.
        neutral: of `unseen`, how many.
        seed: of training and chance.
        say: hears what is being done.
    """
    last = model.sites.n_layers - 1
    sites = sites or (f"blocks.{last}.hook_attn_out", f"blocks.{last}.hook_mlp_out")
    # All but the layer that is edited is the same at every measurement.
    remembered = remembering(model, min(parse_site(site).layer for site in sites))
    few, calm = spaced(notes, sample), spaced(unseen, neutral)
    say("the untouched model")
    said = memory(audit_spans(remembered, few))
    worst = worst_subject(rates_by(said, lambda verdict: verdict.subject))
    topics = {label: Topic(Scope(labels=frozenset({label}))) for label in labels}
    if worst:
        topics[worst[0]] = Topic(Scope(subjects=frozenset({worst[0]})))
        few = [r for r in notes if r in few or r.subject == worst[0]]
    spans = {name: topic_spans(model, few, topic) for name, topic in topics.items()}
    case = _Case(remembered, notes, few, calm, topics, spans)
    before = measure(remembered, case.exam)
    books: list[CodebookFigures] = []
    rows: list[DeletionRow] = []
    with TemporaryDirectory() as folder:
        for site in sites:
            for over_sae in (False, True):
                say(f"{site}, {'with' if over_sae else 'without'} an autoencoder: training")
                how = _Training(Path(folder), settings, sae_settings, seed)
                codebook, use, figures = _codebook(case, site, how, over_sae=over_sae)
                books.append(figures)
                rows += _deletions(case, codebook, use, before, seed, say)
    best = {
        name: min(fair, key=lambda row: (row.extracted, row.perplexity_ratio))
        for name in dict.fromkeys(row.topic for row in rows)
        if (fair := [r for r in rows if r.topic == name and _is_fair(r)])
    }
    untouched = before.figure("perplexity_unseen")
    return CodesBench(len(few), len(calm), untouched, tuple(books), tuple(rows), best)


def _is_fair(row: DeletionRow) -> bool:
    return row.arm in WAYS and row.perplexity_ratio <= MOST_RISE


@dataclass(frozen=True, slots=True)
class _Training:
    folder: Path
    settings: CodebookSettings | None
    sae_settings: SaeSettings | None
    seed: int

    def codebook(self, site: str) -> CodebookSettings:
        own = self.settings or CodebookSettings(
            site, CODES, K, WARM_STEPS, WARM_TOKENS, steps=0, seed=self.seed
        )
        return replace(own, site=site)

    def sae(self, site: str) -> SaeSettings:
        own = self.sae_settings or SaeSettings(
            site, SAE_WIDTH, k=SAE_K, steps=SAE_STEPS, batch_size=SAE_TOKENS, seed=self.seed
        )
        return replace(own, site=site)


def _codebook(
    case: _Case, site: str, how: _Training, *, over_sae: bool
) -> tuple[Codebook, CodeUse, CodebookFigures]:
    started = time.perf_counter()
    name = f"{site.replace('.', '-')}{'-sae' if over_sae else ''}".lower()
    sae: Sae | None = None
    if over_sae:
        folder = how.folder / f"{name}-under"
        sae, _ = train_sae(case.model, case.notes, case.unseen, how.sae(site), folder, "under")
    codebook, quality = train_codebook(
        case.model, case.notes, case.unseen, how.codebook(site), how.folder / name, name, sae
    )
    trained = time.perf_counter()
    use = read_codes(case.model, codebook, case.notes)
    figures = CodebookFigures(
        site, over_sae, codebook.size, codebook.k, trained - started,
        time.perf_counter() - trained, quality.explained_variance, quality.ce_recovered,
        quality.perplexity_ratio, quality.dead,
    )  # fmt: skip
    return codebook, use, figures


def _deletions(
    case: _Case,
    codebook: Codebook,
    use: CodeUse,
    before: Measurement,
    seed: int,
    say: Say,
) -> list[DeletionRow]:
    """Each topic by itself, then both labels one after the other."""
    found = {n: _find(case, codebook, use, topic, seed) for n, topic in case.topics.items()}
    rows: list[DeletionRow] = []

    def ask(arm: str, how: Mapping[str, _Found], codes: Sequence[int], way: Way) -> None:
        say(f"{codebook.id}: {' and '.join(how)}, {arm}")
        after = measure(case.model, case.exam, hooks=bottleneck(case.model, codebook, codes, way))
        for name, own in how.items():
            gone = replace(own, codes=tuple(codes)) if codes else _NOTHING
            rows.append(_row(codebook, name, arm, gone, case.spans[name], after, before))

    ask("none", found, (), "refill")
    for name, own in found.items():
        if own.codes:
            for way in WAYS:
                ask(way, {name: own}, own.codes, way)
            ask("random", {name: own}, own.random, "drop")
    first, second = list(found)[:2]
    # Timed is the second alone: the codebook is there, and its codes were read for the first.
    both = dict.fromkeys((first, second), found[second])
    ask("both labels", both, sorted({*found[first].codes, *found[second].codes}), "drop")
    return rows


@dataclass(frozen=True, slots=True)
class _Found:
    codes: tuple[int, ...] = ()
    random: tuple[int, ...] = ()
    significant: int = 0
    lasting: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


_NOTHING = _Found()


def _find(case: _Case, codebook: Codebook, use: CodeUse, topic: Topic, seed: int) -> _Found:
    """The topic's codes, timed: its control, enrichment, tests and choice; no gradient."""
    started, cpu = time.perf_counter(), time.process_time()
    held = hold(case.model, codebook, use, topic, topic.usual_control, seed=seed)
    table = code_table(held, seed=seed)
    codes = choose_codes(table, RULE)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    sure = table[table["q"] < RULE.alpha]
    lasting = int(np.count_nonzero(sure["p_records"] < RULE.alpha))
    random = alike_in_use(table, codes, seed)
    return _Found(codes, random, len(sure), lasting, seconds, cpu_seconds)


def _row(
    codebook: Codebook,
    name: str,
    arm: str,
    found: _Found,
    topic: frozenset[str],
    after: Measurement,
    before: Measurement,
) -> DeletionRow:
    (own, rest), (own_before, rest_before) = (topic_rates(m, topic) for m in (after, before))
    return DeletionRow(
        site=str(codebook.site),
        sae=codebook.sae is not None,
        topic=name,
        arm=arm,
        significant=found.significant,
        lasting=found.lasting,
        deleted=len(found.codes),
        seconds=round(found.seconds, 3),
        cpu_seconds=round(found.cpu_seconds, 3),
        extracted=own.hits,
        n=own.n,
        before=own_before.hits,
        rest=rest.hits,
        rest_n=rest.n,
        rest_before=rest_before.hits,
        left=own.hits / own_before.hits if own_before.hits else 0.0,
        perplexity_ratio=after.figure("perplexity_unseen") / before.figure("perplexity_unseen"),
    )
