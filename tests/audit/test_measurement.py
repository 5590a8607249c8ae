"""One measurement: what it counts, what it is in a file, and what a new metric takes."""

import json
import math

import pytest

from sanilens.audit.measurement import Measurement, measure, measure_both
from sanilens.audit.methods_table import MethodRow, SanitiseResult, lines
from sanilens.audit.metrics import METRICS, USUAL, further
from sanilens.audit.metrics.metric import Exam, Metric
from sanilens.audit.targets import Scope
from sanilens.bundled import assets_folder
from sanilens.corpus.questions import Question
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.model.hooks import NO_HOOKS
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Neuron
from sanilens.runs.arms import Arm


def test_nothing_changes_nothing_and_the_sides_add_up(
    model: LanguageModel, records: list[Record]
) -> None:
    found = measure_both(model, Exam(records, unseen=records), NO_HOOKS)
    assert found.before == found.after
    scope = Scope(labels=frozenset({"MRN"}))
    inside = found.before.rate(scope.covers)
    outside = found.before.rate(lambda v: not scope.covers(v))
    assert inside.n == 1
    assert inside.n + outside.n == sum(len(r.spans) for r in records) == found.before.rate().n
    assert math.isnan(found.before.logprob(lambda v: False))
    changed = measure_both(model, Exam(records), zeroed(model, [Neuron(0, i) for i in range(40)]))
    assert changed.logprobs()[0] != changed.logprobs()[1]


def test_what_the_exam_lacks_is_not_measured_and_never_zero(
    model: LanguageModel, records: list[Record]
) -> None:
    bare = measure(model, Exam(records), metrics=METRICS)
    lacking = {name for name, metric in METRICS.items() if set(metric.needs) - {"causal"}}
    assert lacking >= {"ks_p", "membership_auc", "restored", "perplexity_unseen"}
    assert not lacking & bare.metrics.keys()
    assert bare.perplexity_unseen is None
    assert math.isnan(bare.figure("ks_p"))
    assert METRICS["ks_p"].words(bare.metrics.get("ks_p")) == "–"
    questions = (Question("q-1", "Home", "soon", ("later",)),)
    exam = Exam(records[:2], records, records[2:], model, model, model, questions)
    whole = measure(model, exam, metrics=METRICS)
    assert whole.metrics.keys() == METRICS.keys()
    assert (whole.figure("ks_distance"), whole.figure("ks_p")) == (0, 1)
    assert whole.metrics["restored"] is None  # the base says all that the model does


def test_unknown_metrics_are_a_users_error(model: LanguageModel, records: list[Record]) -> None:
    with pytest.raises(PlanError, match="no metric is called 'fame'"):
        measure(model, Exam(records), metrics=("fame",))


def test_a_file_has_the_metrics_beside_the_tables(
    model: LanguageModel, records: list[Record]
) -> None:
    found = measure(model, Exam(records, unseen=records), metrics=(*USUAL, "sampled"))
    fields = json.loads(found.model_dump_json())
    usual = {*USUAL} - {"facts_kept"}  # nothing was asked
    assert fields.keys() == {"by_label", "by_subject", "repeated", *usual, "sampled"}
    again = Measurement.model_validate(fields)
    assert again.metrics == found.metrics
    assert (again.by_label, again.by_subject) == (found.by_label, found.by_subject)
    assert not METRICS.keys() & (Measurement.model_fields.keys() | Arm.model_fields.keys())
    with pytest.raises(ValueError, match="perplexity_unseen cannot be that"):
        Measurement.model_validate({**fields, "perplexity_unseen": -1.0})


def test_an_arm_of_an_earlier_version_opens_figure_for_figure() -> None:
    row = {"rate": 0.5, "hits": 1, "n": 2, "low": 0.1, "high": 0.9}
    fields = {
        "arm": "after", "extraction": {"direct": row, "indirect": row}, "by_label": {"NAME": row},
        "by_subject": {"p-1": row}, "repeated": {"all": row}, "perplexity_unseen": None,
        "perplexity_neutral": 1.25, "seconds": 3.5,
    }  # fmt: skip
    arm = Arm.model_validate_json(json.dumps(fields))
    assert arm.model_dump(mode="json") == fields
    assert arm.perplexity_unseen is None
    assert further([arm.metrics]) == []


def test_the_shipped_tables_open_figure_for_figure() -> None:
    path = assets_folder() / "clinic" / "sanitise.json"
    fields = json.loads(path.read_bytes())
    found = SanitiseResult.model_validate(fields)
    assert found.model_dump(mode="json") == fields
    for row in found.rows:
        later = {"knowledge_kept", "facts_kept", "near_misses"}  # than the table that is shipped
        assert METRICS.keys() - later <= row.figures.metrics.keys() <= METRICS.keys()


def test_a_new_metric_is_measured_and_stands_in_the_methods_table(
    toy: Metric, model: LanguageModel, records: list[Record]
) -> None:
    found = measure(model, Exam(records), metrics=METRICS)
    assert found.metrics["toy"] == sum(len(r.spans) for r in records)
    new = MethodRow(method="npo", group="baseline", seed=0, figures=found, seconds=1, cost=1)
    assert MethodRow.model_validate_json(new.model_dump_json()).figures.metrics == found.metrics
    old = new.model_copy(
        update={
            "method": "idk",
            "figures": Measurement(metrics={n: v for n, v in found.metrics.items() if n != "toy"}),
        }
    )
    one, other = lines([new, old])
    assert one.figure("toy") == found.metrics["toy"]
    assert math.isnan(other.figure("toy"))


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        assert name == metric.name
        assert name.isidentifier()
        assert metric.meaning.endswith(".")
        assert metric.title
