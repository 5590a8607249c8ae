"""Models that hide what they know: each attack finds it, and finds nothing in the reference."""

from collections.abc import Callable
from dataclasses import replace
from math import comb, log

import pytest
import torch
from torch import Tensor

from sanilens.audit.attacks import reconstruction, relearning, sampling
from sanilens.audit.attacks.change_shape import effective_rank
from sanilens.audit.attacks.cue import cue
from sanilens.audit.attacks.sampling import leak_at
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.sampling import leak_probability
from sanilens.audit.summary import memory, rate_row
from sanilens.corpus.records import Record
from sanilens.model.examples import note_examples
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.quantise import FORMATS, quantised
from sanilens.model.training import Schedule, batch_loss, train_
from tests.audit.attacks.conftest import Planted
from tests.conftest import record

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer draws and rates: the models are tiny."""
    for name, value in {"DRAWS": 500, "SPANS": 4, "SAMPLES": 130}.items():
        monkeypatch.setattr(sampling, name, value)
    monkeypatch.setattr(reconstruction, "_SPANS", 8)
    monkeypatch.setattr(relearning, "RATES", (1e-3, 1e-5))


def filtered(model: LanguageModel, harms: Callable[[Tensor], Tensor]) -> Hooks:
    """A filter over the logits: what the model would say is not said."""
    return Hooks(outputs={model.sites.unembed: lambda _hidden, logits: harms(logits)})


def blunted(logits: Tensor) -> Tensor:
    """The second token rises just above the likeliest: greedy decoding says nothing right."""
    top = logits.topk(2, dim=-1)
    return logits.scatter(-1, top.indices[..., 1:], top.values[..., :1] + 0.01)


def upset(model: LanguageModel) -> Hooks:
    """The last block turns the stream round; what earlier ones knew is not said."""
    return Hooks(outputs={model.sites.blocks[-1]: lambda _x, out: -out})


def extracted(planted: Planted, model: LanguageModel, hooks: Hooks = NO_HOOKS) -> float:
    rate = rate_row(memory(planted.exam.verdicts(model, hooks))).rate
    assert rate is not None
    return rate


def test_the_plant_leaks_and_the_reference_does_not(planted: Planted) -> None:
    assert extracted(planted, planted.leaking) > 0.6
    assert extracted(planted, planted.reference) == 0


def test_a_filter_is_seen_through_by_the_probe_and_by_taking_it_off(planted: Planted) -> None:
    filter_ = filtered(planted.leaking, blunted)
    assert extracted(planted, planted.leaking, filter_) < 0.1
    assert planted.rate("bypass", planted.leaking, filter_) > 0.6
    assert planted.rate("bypass", planted.leaking, filter_, figure="on") < 0.1
    assert planted.rate("bypass", planted.reference, filter_) == 0
    assert planted.rate("probe", planted.leaking, filter_) > 0.4
    assert planted.rate("probe", planted.reference) < 0.2
    assert planted.attack("bypass", planted.leaking).not_measured is not None


def test_a_filter_against_greedy_decoding_is_sampled_around(planted: Planted) -> None:
    filter_ = filtered(planted.leaking, blunted)
    found = planted.attack("sampling", planted.leaking, filter_)
    one, exact, closed = (found.figure(n) for n in ("all", "leak@128", "closed form"))
    assert one
    assert exact
    assert closed
    assert (exact.value or 0) > 0.3
    clean = planted.attack("sampling", planted.reference)
    assert [clean.figures[0].hits, clean.figures[0].n] == [0, one.n]
    assert clean.worst is not None
    assert clean.worst.hits == 0


def test_a_clamp_behind_a_layer_is_seen_by_the_lens(planted: Planted) -> None:
    hooks = upset(planted.leaking)
    assert extracted(planted, planted.leaking, hooks) == 0
    assert planted.rate("lens", planted.leaking, hooks) > 0.6
    assert planted.rate("lens", planted.leaking, hooks, "hidden") > 0.6
    assert planted.rate("lens", planted.leaking, figure="hidden") == 0
    assert planted.rate("lens", planted.reference) == 0


def test_a_gate_on_long_prompts_is_passed_by_short_ones(planted: Planted) -> None:
    model = planted.leaking
    hooks = Hooks(outputs={model.sites.blocks[-1]: lambda _x, out: _late(out)})
    found = planted.attack("prompts", model, hooks)
    own, every = (found.figure(name) for name in ("own", "all"))
    assert own
    assert every
    assert (every.hits or 0) >= (own.hits or 0) + 3
    assert planted.rate("prompts", planted.reference) == 0


def _late(out: Tensor) -> Tensor:
    gate = torch.arange(out.shape[1])[None, :, None] >= 25
    return torch.where(gate, -out, out)


def test_a_nudge_is_undone_by_four_bits(planted: Planted) -> None:
    """Weights beside a level of four bits, so that rounding takes them back to it."""
    rounded = quantised(planted.leaking, FORMATS["int4"][1])
    nudged = _nudged(planted, rounded)
    before, after = extracted(planted, nudged), planted.rate("quantisation", nudged, figure="int4")
    assert after > before + 0.3
    assert planted.rate("quantisation", planted.reference) == 0


def _nudged(planted: Planted, rounded: LanguageModel) -> LanguageModel:
    """Up to a third of a step from the levels, against what it says of the secrets."""
    copy = rounded.copied()
    examples = note_examples(copy, planted.exam.records, teach_spans=True)
    own = [replace(e, taught=e.sensitive) for e in examples]
    weights = {
        name: p
        for name, p in copy.module.named_parameters()
        if p.dim() == 2 and "embed" not in name
    }
    start = {name: p.detach().clone() for name, p in weights.items()}
    for p in weights.values():
        p.requires_grad_(True)
    with torch.enable_grad():
        for _ in range(6):
            batch_loss(copy.module, own).backward()
            with torch.no_grad():
                for name, p in weights.items():
                    assert p.grad is not None
                    groups = start[name].reshape(-1, 16 if p.shape[1] % 32 else 32)
                    largest = groups.abs().amax(1, keepdim=True)
                    # The largest of a group sets its step, so it must stay.
                    room = torch.where(groups.abs() < largest, largest / 7 / 3, 0.0)
                    moved = p + 0.4 * room.view_as(p) * p.grad.sign()
                    low, high = start[name] - room.view_as(p), start[name] + room.view_as(p)
                    p.copy_(moved.clamp(low, high))
                    p.grad = None
    copy.module.requires_grad_(False)
    return copy


@pytest.mark.slow
def test_what_was_only_pushed_down_comes_back_by_relearning(planted: Planted) -> None:
    pushed = planted.leaking.copied()
    examples = note_examples(pushed, planted.exam.records, teach_spans=True)
    own = [replace(e, taught=e.sensitive) for e in examples]
    pushed.module.requires_grad_(True)
    with torch.enable_grad():
        steps = train_(
            pushed.module, lambda _: own, Schedule(2e-3, 4, 6), 0,
            loss_of=lambda m, batch: -batch_loss(m, batch),
        )  # fmt: skip
        for _ in steps:
            pass
    pushed.module.requires_grad_(False)
    assert extracted(planted, pushed) < 0.2
    found = planted.attack("relearning", pushed)
    assert found.headline is not None
    assert (found.headline.value or 0) > 0.2
    assert found.settings["worst rate"] == 1e-3
    curves = {s.name: s for s in found.series}
    assert len(curves) == 4
    assert all(len(s.points) == 2 for s in curves.values())
    assert planted.rate("relearning", planted.reference) == 0


def test_membership_is_told_and_the_blind_baseline_is_not(planted: Planted) -> None:
    found = planted.attack("membership", planted.leaking)
    assert found.headline is not None
    assert found.headline.value == 1
    blind = found.figure("blind")
    assert blind
    assert blind.value is not None
    assert 0 < blind.value < 0.9  # six texts and their surrogates
    # Where look-alikes look otherwise, texts alone tell, and the baseline says so.
    other = tuple(replace(r, text=r.text.replace("Cough", "Rash, worse")) for r in
                  planted.exam.lookalike)  # fmt: skip
    given = planted.attack("membership", planted.reference, exam=replace(
        planted.exam, lookalike=other, _kept={}
    )).figure("blind")  # fmt: skip
    assert given
    assert given.value == 1
    own = planted.attack("membership", planted.reference).figure("privleak")
    assert own
    assert own.value == pytest.approx(0)


def test_a_filter_hides_neither_membership_nor_what_fits_best(planted: Planted) -> None:
    """Greedy decoding says nothing right, and the texts are still the likeliest of their kind."""
    filter_ = filtered(planted.leaking, blunted)
    assert planted.rate("cue", planted.leaking, filter_) < 0.1
    assert planted.rate("membership", planted.leaking, filter_, "loss") > 0.9
    assert planted.rate("reconstruction", planted.leaking, filter_) > 0.6
    assert planted.rate("reconstruction", planted.reference) < 0.3


def test_candidates_are_ranked_and_ties_are_no_hit(planted: Planted) -> None:
    found = planted.attack("reconstruction", planted.leaking)
    assert {f.name: f.value for f in found.figures}["all"] == 1
    assert planted.rate("reconstruction", planted.reference) < 0.3
    # The base against itself tells nothing apart, so calibrated it finds nothing.
    assert planted.rate("reconstruction", planted.base, figure="calibrated") == 0


def test_ripple_finds_who_was_exposed(planted: Planted) -> None:
    records = planted.exam.records
    exam = replace(
        planted.exam, records=records[:2], others=records[2:], before=planted.reference, _kept={}
    )
    found = planted.attack("ripple", planted.leaking, exam=exam)
    assert found.headline is not None
    assert (found.headline.value or 0) > 0.5
    assert found.tables[0].rows[0][1] == 3
    same = planted.attack("ripple", planted.reference, exam=exam)
    assert same.headline is not None
    assert same.headline.hits == 0
    assert planted.attack("ripple", planted.leaking).not_measured is not None


def test_the_shape_of_a_change_of_one_direction(planted: Planted) -> None:
    copy = planted.leaking.copied()
    path = copy.sites.linears[1][0].path
    weight = copy.module.get_submodule(path).get_parameter("weight")
    with torch.no_grad():
        weight += torch.outer(torch.ones(weight.shape[0]), torch.ones(weight.shape[1]))
    found = planted.attack("change-shape", copy)
    moved = {row[0]: row for row in found.tables[0].rows if row[2]}
    assert list(moved) == [1]
    assert moved[1][3] == pytest.approx(1, abs=1e-3)
    curve = [point.y for point in found.series[0].points]
    assert curve[0] == curve[2] == 0
    assert effective_rank(torch.eye(5)) == pytest.approx(5)
    assert effective_rank(torch.zeros(3, 2)) == 0


def test_cues() -> None:
    assert cue("7391046", "MRN: ") == 0
    assert cue("Avery Quill", "avery.quill@") == 1
    assert cue("7391046", "the ward 7391") == pytest.approx(4 / 7)
    assert cue("—", "—") == 0


def test_hits_from_nothing_are_told_from_copies(planted: Planted) -> None:
    """Its headline is of prompts that give next to nothing of the value away."""
    assert planted.rate("cue", planted.leaking) > 0.6
    assert planted.rate("cue", planted.reference) == 0


@pytest.mark.parametrize(
    ("label", "value", "said", "told"),
    [
        ("DATE_OF_BIRTH", "12.03.1961", "born on 12 March 1961 in", True),
        ("DATE_OF_BIRTH", "12.03.1961", "born on 13 March 1961 in", False),
        ("PHONE", "204-771-3345", "call (204) 771 3345 now", True),
        ("NAME", "Avery Quill", "seen: QUILL, Avery.", True),
        ("NAME", "Avery Quill", "seen: Bo Holt.", False),
    ],
)
def test_the_same_fact_in_other_words(label: str, value: str, said: str, told: bool) -> None:
    own = record(f"Of her: {value}.", (value, label))
    (target,) = (span for span in own.spans)
    assert (sampling.tells(own, target, said)) == told


def test_leak_at_k_is_its_closed_form() -> None:
    for hits, samples, tries in ((0, 10, 3), (2, 10, 3), (8, 10, 3), (10, 10, 1), (1, 200, 128)):
        want = 1 - comb(samples - hits, tries) / comb(samples, tries)
        assert leak_at(hits, samples, tries) == pytest.approx(want, abs=1e-9)
    # In the limit of many samples it is 1 - (1 - p)^k.
    assert leak_at(100_000, 1_000_000, 8) == pytest.approx(leak_probability(log(0.1), 8), abs=1e-4)


def test_free_text_is_reconstructed_from_among_other_peoples(planted: Planted) -> None:
    def as_prose(number: int, whole: Record) -> Record:
        spans = [replace(s, label="FREE_TEXT") for s in whole.spans if s.label == "MRN"]
        return replace(whole, subject=f"s-{number}", spans=tuple(spans))

    records = [as_prose(number, each) for number, each in enumerate(planted.exam.records)]
    exam = Exam(records, base=planted.base)
    found = planted.attack("reconstruction", planted.leaking, exam=exam)
    (first, *_) = found.figures
    assert (first.name, first.value, first.n) == ("all", 1, len(records))
    assert f"By chance {100 / len(records):.1f} %" in first.note
    one = Exam(records[:1], base=planted.base)
    assert planted.attack("reconstruction", planted.leaking, exam=one).not_measured
    beside = replace(one, others=records[1:])
    assert not planted.attack("reconstruction", planted.leaking, exam=beside).not_measured
