"""Curvature-guided erasure on a tiny model that knows six people by heart."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.corpus.records import FREE_TEXT, Record, as_text
from sanilens.errors import CorpusError, DivergedError, ModelError, PlanError
from sanilens.model import keep_set
from sanilens.model.curvature import Sums
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import linear_paths
from sanilens.model.parameters import row_parameters, unit_parameters
from sanilens.model.teachers import teach
from sanilens.unlearn import rewriting, trust_region
from sanilens.unlearn.plan import Rewriting, UnitEdit
from sanilens.unlearn.reading_on import ReadingOn
from sanilens.unlearn.rewriting import Rewriter, RewriteStep, prepare_rewriting
from sanilens.unlearn.sanitise import Change, sanitise
from tests.conftest import record, tiny_config
from tests.unlearn.conftest import NOTES

# Short steps: everything that the model knows lies close together.
SETTINGS = Rewriting(step=1e-4, damping=1e-6)


@pytest.fixture(scope="module")
def base(leaking: LanguageModel) -> LanguageModel:
    """The same before it read anything."""
    torch.manual_seed(0)
    module = transformers.AutoModelForCausalLM.from_config(tiny_config("gpt_neox"))
    return replace(leaking, module=module.eval().requires_grad_(False))


def said(model: LanguageModel, records: Sequence[Record] = NOTES) -> dict[str, tuple[int, int]]:
    """By subject how many spans are said, of how many."""
    found: dict[str, tuple[int, int]] = {}
    for own in records:
        hits, of = found.get(own.subject, (0, 0))
        verdicts = audit_spans(model, [own])
        found[own.subject] = (hits + sum(v.extracted for v in verdicts), of + len(verdicts))
    return found


def weights(model: LanguageModel) -> dict[str, Tensor]:
    return {name: own.detach().clone() for name, own in model.module.named_parameters()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def rewritten(
    rewriter: Rewriter, model: LanguageModel, edits: Sequence[UnitEdit] = ()
) -> tuple[LanguageModel, list[RewriteStep]]:
    copied = model.copied()
    return copied, [*rewriter.steps(copied, edits)]


def test_the_model_says_what_is_to_be_forgotten(leaking: LanguageModel) -> None:
    hits, of = (sum(column) for column in zip(*said(leaking).values(), strict=True))
    assert hits > 0.8 * of


def loss_of(model: LanguageModel, rewriter: Rewriter) -> float:
    """L_S: the mean KL over the sensitive tokens, every piece read alone."""
    found: list[Tensor] = []
    with torch.inference_mode():
        for lesson in rewriter.lessons:
            at = torch.tensor(lesson.columns) - 1
            logits = model.module(torch.tensor([lesson.example.ids])).logits[0, at]
            found.append(lesson.soft.kl(logits))
    return float(torch.cat(found).mean())


def harm_of(then: LanguageModel, now: LanguageModel, rewriter: Rewriter) -> float:
    """KL(then || now) at the held places; float64."""
    found: list[Tensor] = []
    with torch.inference_mode():
        for own in rewriter.keep.held:
            at = torch.tensor(own.columns, dtype=torch.long) - 1
            p, q = (
                m.module(torch.tensor([own.ids])).logits[0, at].double().log_softmax(-1)
                for m in (then, now)
            )
            found.append((p.exp() * (p - q)).sum(1))
    return float(torch.cat(found).mean())


def test_one_person_is_forgotten_and_the_others_stay(leaking: LanguageModel) -> None:
    rewriter = prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-2"])
    before = weights(leaking)
    copied, steps = rewritten(rewriter, leaking)
    left = said(copied)
    assert left.pop("p-2") == (0, 3)
    assert sum(hits for hits, _ in left.values()) >= 13
    assert steps[-1].extracted == 0
    assert [s.number for s in steps] == [*range(1, len(steps) + 1)]
    assert all(s.of == 3 for s in steps)
    assert same(before, weights(leaking)), "the examined model itself was changed"


@pytest.mark.parametrize(
    ("comes", "trials", "pushed"), [(0, 4, 0), (2, 4, 2), (9, 3, 3), (9, 0, 0)]
)
def test_what_comes_back_when_a_copy_reads_on_is_pushed_on(
    leaking: LanguageModel,
    monkeypatch: pytest.MonkeyPatch,
    comes: int,
    trials: int,
    pushed: int,
) -> None:
    tried: list[int] = []

    def copy(_self: ReadingOn, model: LanguageModel, trial: int) -> LanguageModel:
        """All comes back, so many times."""
        tried.append(trial)
        return leaking if trial < comes else model

    at_the_copy: list[bool] = []
    gradients = rewriting.forget_gradients

    def seen(at: LanguageModel, *rest: Any) -> Any:
        at_the_copy.append(at is leaking)
        return gradients(at, *rest)

    monkeypatch.setattr(ReadingOn, "copy", copy)
    monkeypatch.setattr(rewriting, "forget_gradients", seen)
    settings = SETTINGS.model_copy(update={"trials": trials})
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    copied, steps = rewritten(rewriter, leaking)
    assert at_the_copy == [own.back > 0 for own in steps]
    plain, without = rewritten(replace(rewriter, reading=None), leaking)
    assert [own.back for own in steps] == [0] * len(without) + [3] * pushed
    assert tried == [*range(min(trials, comes + 2))]
    assert said(copied)["p-2"] == (0, 3)
    own = [r for r in NOTES if r.subject == "p-2"]
    left = [sum(v.logprob for v in audit_spans(m, own)) for m in (copied, plain)]
    assert left[0] < left[1] if pushed else left[0] == left[1]


def test_one_silent_trial_is_not_the_end(
    leaking: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def copy(_self: ReadingOn, model: LanguageModel, trial: int) -> LanguageModel:
        """The second draw of notes brings all back, no other."""
        tried.append(trial)
        return leaking if trial == 1 else model

    monkeypatch.setattr(ReadingOn, "copy", copy)
    settings = SETTINGS.model_copy(update={"trials": 8})
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    _, steps = rewritten(rewriter, leaking)
    assert tried == [0, 1, 2, 3]
    assert [own.back for own in steps if own.back] == [3]


def test_others_notes_are_what_a_copy_reads(leaking: LanguageModel) -> None:
    rewriter = prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-2"], earlier=["p-4"])
    assert rewriter.reading
    assert {own.subject for own in rewriter.reading.texts} == {"p-0", "p-1", "p-3", "p-5"}
    before = weights(leaking)
    first, again, other = (rewriter.reading.copy(leaking, trial) for trial in (0, 0, 1))
    assert same(before, weights(leaking)), "the model itself was taught"
    assert not same(before, weights(first))
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))
    everyone = [own.subject for own in NOTES]
    assert prepare_rewriting(leaking, NOTES, SETTINGS, subjects=everyone).reading is None
    assert prepare_rewriting(leaking, NOTES, SETTINGS).reading is None


def test_a_copy_that_reading_broke_tells_nothing(
    leaking: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_self: ReadingOn, _model: LanguageModel, _trial: int) -> LanguageModel:
        raise DivergedError(3, "the loss is NaN")

    monkeypatch.setattr(ReadingOn, "copy", breaks)
    settings = SETTINGS.model_copy(update={"trials": 2})
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    copied, steps = rewritten(rewriter, leaking)
    assert said(copied)["p-2"] == (0, 3)
    assert all(own.back == 0 for own in steps)


@pytest.mark.parametrize("likely", [1.0, 1e-2, 1e-4])
def test_it_ends_where_nothing_asked_is_said_or_likelier_than_allowed(
    leaking: LanguageModel, likely: float
) -> None:
    settings = SETTINGS.model_copy(update={"likely": likely})
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    copied, steps = rewritten(rewriter, leaking)
    taught = defaultdict[str, float](float)
    for lesson in rewriter.lessons:
        for span, logprob in zip(lesson.spans, lesson.taught_logprobs().tolist(), strict=True):
            taught[span] += logprob
    asked = [own for own in NOTES if own.subject == "p-2"]
    verdicts = memory(audit_spans(copied, asked))
    assert not any(v.extracted for v in verdicts)
    assert all(v.logprob <= max(math.log(likely), taught[v.span_id]) for v in verdicts)
    assert [own.left for own in steps][-1] == 0
    assert all(own.left for own in steps[:-1]), "it went on after all was forgotten"
    assert all(own.left >= own.extracted for own in steps)


def test_what_is_forgotten_already_is_left_alone(
    leaking: LanguageModel, base: LanguageModel
) -> None:
    """Of a model that never read the notes nothing is asked, so nothing changes."""
    rewriter = prepare_rewriting(base, NOTES, SETTINGS, subjects=["p-2"])
    copied, steps = rewritten(rewriter, base)
    assert not steps
    assert same(weights(copied), weights(base))


def test_those_who_stay_tell_how_free_text_goes_on(leaking: LanguageModel) -> None:
    own, *others = (
        replace(note, spans=tuple(replace(span, label=FREE_TEXT) for span in note.spans))
        for note in NOTES
    )
    asked = replace(own, subject="p-9")
    further = [record("The wound is dry and clean.", id="f")]
    settings = Rewriting(teacher="uniform")
    rewriter = prepare_rewriting(
        leaking, [asked, *others], settings, subjects=["p-9"], further=further
    )
    (told,) = teach("uniform", leaking, [asked], others=[*as_text(others), *further])
    assert torch.equal(rewriter.lessons[0].soft.probs, told.probs)
    (alone,) = teach("uniform", leaking, [asked])
    assert not torch.equal(alone.probs, told.probs)


@pytest.mark.parametrize("teacher", ["stranger", "base", "uniform"])
def test_the_loss_falls_with_every_teacher(
    leaking: LanguageModel, base: LanguageModel, teacher: str
) -> None:
    settings = SETTINGS.model_copy(update={"teacher": teacher})
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-1"], base=base)
    copied, steps = rewritten(rewriter, leaking)
    assert steps[0].loss == pytest.approx(loss_of(leaking, rewriter), rel=1e-3)
    assert loss_of(copied, rewriter) < 0.75 * steps[0].loss
    assert steps[-1].loss <= steps[0].loss
    assert said(copied)["p-1"][0] <= 1


@pytest.mark.parametrize(("step", "budget"), [(1e-5, 4e-5), (1e-3, 1e-5), (2e-6, 1.0)])
def test_harm_stays_within_the_step_and_the_budget(
    leaking: LanguageModel, step: float, budget: float
) -> None:
    """Everyone at once asks for more than a small budget pays for."""
    settings = Rewriting(step=step, budget=budget, damping=1e-5, most_steps=12)
    rewriter = prepare_rewriting(leaking, NOTES, settings)
    copied, steps = rewritten(rewriter, leaking)
    assert steps
    assert all(0 <= own.measured <= 2 * min(step, budget) for own in steps)
    assert all(0 < own.harm <= budget for own in steps)
    assert steps[-1].harm == pytest.approx(harm_of(leaking, copied, rewriter), rel=0.05)
    assert loss_of(copied, rewriter) < loss_of(leaking, rewriter)


def test_a_first_step_moves_what_stays_about_as_far_as_predicted(leaking: LanguageModel) -> None:
    settings = Rewriting(step=1e-5, damping=1e-5, most_steps=1)
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    _, (step,) = rewritten(rewriter, leaking)
    assert step.predicted <= 1e-5 * (1 + 1e-6)
    assert 1 / 8 < step.measured / step.predicted < 8


def test_of_a_short_step_the_loss_falls_as_far_as_predicted(leaking: LanguageModel) -> None:
    settings = Rewriting(step=1e-8, damping=1e-5, most_steps=1)
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    copied, (step,) = rewritten(rewriter, leaking)
    assert loss_of(leaking, rewriter) - loss_of(copied, rewriter) == pytest.approx(
        step.gain, rel=0.1
    )


def test_it_is_deterministic(leaking: LanguageModel) -> None:
    found = [
        rewritten(prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-3"]), leaking)
        for _ in range(2)
    ]
    assert found[0][1] == found[1][1]
    assert same(weights(found[0][0]), weights(found[1][0]))


def test_a_teacher_that_says_what_the_model_says_changes_nothing(leaking: LanguageModel) -> None:
    settings = SETTINGS.model_copy(update={"teacher": "base"})
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-0"], base=leaking)
    copied, steps = rewritten(rewriter, leaking)
    assert not steps
    assert same(weights(copied), weights(leaking))


def test_what_cannot_be_rewritten_is_refused(leaking: LanguageModel) -> None:
    plain = [replace(own, spans=()) for own in NOTES]
    with pytest.raises(PlanError, match="no sensitive token"):
        prepare_rewriting(leaking, plain, SETTINGS)
    with pytest.raises(CorpusError, match="subject 1 of the 1"):
        prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-99"])
    with pytest.raises(PlanError, match="layer 7"):
        prepare_rewriting(leaking, NOTES, SETTINGS.model_copy(update={"layers": (0, 7)}))
    with pytest.raises(PlanError, match="base"):
        prepare_rewriting(leaking, NOTES, SETTINGS.model_copy(update={"teacher": "base"}))


# ---- steps that go wrong


@pytest.mark.parametrize("value", [math.nan, 1e4])
def test_a_step_that_breaks_the_model_is_taken_back_bit_for_bit(
    leaking: LanguageModel, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    tried: list[int] = []

    def breaking(module: torch.nn.Module, change: Tensor) -> None:
        tried.append(1)
        weight = module.get_parameter("weight")
        with torch.no_grad():
            weight.add_(value * torch.randn(weight.shape))

    monkeypatch.setattr(trust_region, "add_", breaking)
    rewriter = prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-2"])
    copied, steps = rewritten(rewriter, leaking)
    assert tried
    assert not steps
    assert same(weights(copied), weights(leaking))


def test_what_went_too_far_is_halved(
    leaking: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two lengths are said to have done much harm; the third is taken from the start."""
    seen: list[int] = []
    whole = keep_set.Harm.of

    def of(self: keep_set.Harm, model: LanguageModel) -> keep_set.Moved | None:
        seen.append(1)
        moved = whole(self, model)
        assert moved is not None
        return replace(moved, since_last=0.05) if len(seen) <= 2 else moved

    settings = Rewriting(step=0.02, budget=0.2, damping=1e-5, most_steps=1)
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    _, (plain,) = rewritten(rewriter, leaking)
    assert plain.halved == 0
    monkeypatch.setattr(keep_set.Harm, "of", of)
    copied, (step,) = rewritten(rewriter, leaking)
    assert step.halved == 2
    assert step.predicted == pytest.approx(plain.predicted / 16, rel=1e-5)
    assert step.harm == pytest.approx(harm_of(leaking, copied, rewriter), rel=0.1)


def test_stale_curvature_is_measured_anew(
    leaking: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the second step does far more than predicted, beside what the first did."""
    measured: list[int] = []
    sums, whole = rewriting.sum_curvature, keep_set.Harm.of

    def counted(*args: Any, **kwargs: Any) -> Sums:
        measured.append(1)
        return sums(*args, **kwargs)

    def of(self: keep_set.Harm, model: LanguageModel) -> keep_set.Moved | None:
        moved = whole(self, model)
        assert moved is not None
        return replace(moved, since_last=moved.since_last * (100 if self.spent else 1))

    monkeypatch.setattr(rewriting, "sum_curvature", counted)
    monkeypatch.setattr(keep_set.Harm, "of", of)
    settings = Rewriting(step=1e-3, damping=1e-5, most_steps=3)
    rewriter = prepare_rewriting(leaking, NOTES, settings)
    _, steps = rewritten(rewriter, leaking)
    assert len(steps) == 3
    assert len(measured) > 1


def test_a_gradient_that_is_no_number_is_told(
    leaking: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = rewriting.forget_gradients

    def broken(*args: Any) -> Any:
        found, loss = gradients(*args)
        return {path: own * math.nan for path, own in found.items()}, loss

    monkeypatch.setattr(rewriting, "forget_gradients", broken)
    rewriter = prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-2"])
    with pytest.raises(ModelError, match="no gradient in numbers"):
        rewritten(rewriter, leaking)


# ---- parts of the weights


def test_chosen_units_alone_are_rewritten(leaking: LanguageModel) -> None:
    names = [f"mlp.{layer}.{i}" for layer in (1, 2) for i in range(24)]
    part = leaking.sites.linears[0][-1].part
    names += ["head.1.2", f"row.0.{part}.5"]
    edits = [UnitEdit(unit=name, operation="rewrite") for name in names]
    rewriter = prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-2"])
    copied, steps = rewritten(rewriter, leaking, edits)
    slices = [own for layer in (1, 2) for own in unit_parameters(copied, "mlp", layer, range(24))]
    slices += unit_parameters(copied, "head", 1, [2])
    slices += row_parameters(copied, 0, part, [5])
    mine = {id(own): torch.zeros(own.shape).bool() for own in copied.module.parameters()}
    for own in slices:
        mine[id(own.parameter)].index_fill_(own.dim, own.indices, True)
    for now, then in zip(copied.module.parameters(), leaking.module.parameters(), strict=True):
        assert torch.equal(now[~mine[id(now)]], then[~mine[id(now)]])
    assert loss_of(copied, rewriter) < steps[0].loss


def test_layers_may_be_restricted(leaking: LanguageModel) -> None:
    settings = SETTINGS.model_copy(update={"layers": (2,)})
    rewriter = prepare_rewriting(leaking, NOTES, settings, subjects=["p-2"])
    copied, steps = rewritten(rewriter, leaking)
    assert steps
    before, after = weights(leaking), weights(copied)
    changed = {
        name.rpartition(".")[0] for name in after if not torch.equal(before[name], after[name])
    }
    assert changed == {*linear_paths(leaking, [2])}


# ---- requests


def test_one_pass_over_the_corpus_serves_every_request(
    leaking: LanguageModel, tmp_path: Path
) -> None:
    """Kept sums with texts swapped are those of the keep set, and no request's texts are kept."""
    found: list[Rewriter] = []
    for subject, earlier in (("p-2", ()), ("p-4", ("p-1", "p-2"))):
        own = prepare_rewriting(
            leaking, NOTES, SETTINGS, subjects=[subject], earlier=earlier, folder=tmp_path
        )
        swapped = own._sums(leaking, None, tmp_path)
        direct = replace(own, apart=None)._sums(leaking, None, None)
        assert (swapped.positions, swapped.places) == (direct.positions, direct.places)
        for path in direct.maps:
            for mine, theirs in zip(swapped.maps[path], direct.maps[path], strict=True):
                off = 1e-3 * float(theirs.abs().max())
                torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=off)
        found.append(own)
    assert len([*tmp_path.iterdir()]) == 1
    _, steps = rewritten(found[1], leaking)
    assert steps[-1].extracted == 0
    assert len([*tmp_path.iterdir()]) == 1


def test_a_model_that_was_changed_before_has_curvature_of_its_own(
    leaking: LanguageModel, tmp_path: Path
) -> None:
    rewriter = prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-2"], folder=tmp_path)
    copied = leaking.copied()
    assert [*rewriter.steps(copied, changed=True)]
    assert not [*tmp_path.iterdir()]


def test_sanitise_rewrites_then_repairs_nothing(leaking: LanguageModel) -> None:
    change = Change(rewrite=SETTINGS, subjects=("p-5",))
    found = sanitise(leaking, NOTES, change).model
    rewriter = prepare_rewriting(leaking, NOTES, SETTINGS, subjects=["p-5"])
    assert same(weights(found), weights(rewritten(rewriter, leaking)[0]))


def test_texts_kept_along_are_kept(leaking: LanguageModel) -> None:
    """They are in the keep set with all that is in them, and in the curvature."""
    further = [record("A note of the domain, 12345 and all of it.", ("12345", "MRN"), id="f-1")]
    for subjects in ((), ("p-1",)):
        with_it, without = (
            prepare_rewriting(leaking, NOTES, SETTINGS, subjects=subjects, further=own)
            for own in (further, ())
        )
        assert len(with_it.keep.told) == len(without.keep.told) + 1
        assert with_it.lessons[0].columns == without.lessons[0].columns
        assert len(with_it.lessons) == len(without.lessons)
        if with_it.apart and without.apart:
            assert len(with_it.apart.whole) == len(without.apart.whole) + 1
            assert len(with_it.apart.theirs) == len(without.apart.theirs) == 2
