"""GRUN: the module against its equations, its losses, its gate, and what is edited where."""

from typing import cast

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from research.grun import EARLIER, Way, ways_round
from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record, in_scope
from sanilens.errors import ModelError
from sanilens.model.align import encode
from sanilens.model.hooks import hooked
from sanilens.model.interventions import mask_of, prompts_end_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import train_
from sanilens.unlearn.adapter import attach_
from sanilens.unlearn.grun import GatedEdit, Grun, LoReft, compose, default_layers
from sanilens.unlearn.methods import Task
from sanilens.unlearn.methods.gating import asked_tokens, edited_places, gate_loss, told_apart
from sanilens.unlearn.methods.grun import GrunOptions, gated_edits, prepare
from sanilens.unlearn.methods.terms import logits, nll, read
from sanilens.unlearn.plan import Repair
from sanilens.unlearn.repair import begin_, prepare_repair, schedule_of

LOSSES = ("gd", "npo", "idk", "rmu")


def told(**given: object) -> GrunOptions:
    """The method's options, those not given its defaults."""
    return GrunOptions.model_validate(given)


def randomised(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """The same with other weights: nothing that was 0 at first stays so."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            # The diagonal of this one holds the signs of the rows of R, and is never trained.
            drawn = torch.randn(parameter.shape, generator=generator)
            if name.endswith("rotate.parametrizations.weight.original"):
                drawn.diagonal().copy_(parameter.diagonal())
            parameter.copy_(drawn)
    return module


def edit_of(seed: int, positions: str = "every", rank: int = 3) -> GatedEdit:
    edit = GatedEdit(12, rank, (), cast("str", positions))  # pyright: ignore[reportArgumentType]
    return cast(GatedEdit, randomised(edit, seed))


def read_out(model: LanguageModel, ids: Tensor) -> Tensor:
    with torch.inference_mode():
        return model.module(ids).logits


def test_the_change_is_loreft() -> None:
    change = cast(LoReft, randomised(LoReft(12, 3), 0))
    h = torch.randn(2, 5, 12, dtype=torch.float64)
    change.double()
    rows = cast(Tensor, change.rotate.weight)
    torch.testing.assert_close(rows @ rows.T, torch.eye(3, dtype=torch.float64))
    for place in h.view(-1, 12):
        source = change.source.weight @ place + change.source.bias
        torch.testing.assert_close(change(place), rows.T @ (source - rows @ place))
    # It moves h within the rows of R alone, to where W h + b says.
    torch.testing.assert_close((h + change(h)) @ rows.T, change.source(h))


def test_nothing_is_changed_at_first() -> None:
    h = torch.randn(4, 12)
    torch.testing.assert_close(LoReft(12, 3)(h), torch.zeros_like(h), atol=1e-6, rtol=0)


@pytest.mark.parametrize("widths", [(), (8, 2)])
def test_the_gate_is_its_equation(widths: tuple[int, ...]) -> None:
    edit = cast(GatedEdit, randomised(GatedEdit(12, 3, widths, "every"), 1))
    h = torch.randn(2, 5, 12)
    x = h
    layers = [layer for layer in edit.gate if isinstance(layer, torch.nn.Linear)]
    for number, layer in enumerate(layers):
        x = (x.relu() if number else x) @ layer.weight.T + layer.bias
    gate = torch.sigmoid(x[..., 0])
    torch.testing.assert_close(edit(h), gate[..., None] * edit.change(h))
    assert edit.logits is not None
    torch.testing.assert_close(edit.logits.sigmoid(), gate)


@pytest.mark.parametrize(("widths", "numbers"), [((), 110_607), ((256, 64), 3_294_351)])
def test_it_has_as_many_parameters_as_the_papers(widths: tuple[int, ...], numbers: int) -> None:
    """Rank 4 at three layers of an 8B model (d 4096), with either gate."""
    edit = GatedEdit(4096, 4, widths, "every")
    assert 3 * sum(p.numel() for p in edit.parameters()) == numbers
    assert 3 * sum(t.numel() for t in edit.state_dict().values()) == numbers


def test_the_layers_are_the_papers_at_the_same_depth() -> None:
    assert default_layers(32) == (20, 25, 31)
    assert default_layers(12) == (7, 9, 11)
    assert default_layers(6) == (3, 4, 5)
    assert default_layers(1) == (0,)


def test_a_shut_gate_leaves_the_model_bit_identical(any_model: LanguageModel) -> None:
    adapter = gated_edits(any_model, told(), 0)
    randomised(adapter.module, 2)
    ids = torch.arange(1, 25).view(2, 12)
    before = read_out(any_model, ids)
    with hooked(any_model.module, adapter.hooks):
        assert not torch.equal(read_out(any_model, ids), before)
    for edit in cast(Grun, adapter.module).edits.values():
        gate = cast(torch.nn.Linear, cast(GatedEdit, edit).gate[-1])
        torch.nn.init.zeros_(gate.weight)
        torch.nn.init.constant_(gate.bias, -torch.inf)
    with hooked(any_model.module, adapter.hooks):
        assert torch.equal(read_out(any_model, ids), before)
    assert adapter.gates is not None
    assert adapter.gates().eq(0).all()


def test_a_prompt_is_edited_at_its_end_alone() -> None:
    everywhere, at_end = edit_of(3), edit_of(3, "prompt")
    at_end.load_state_dict(everywhere.state_dict())
    h = torch.randn(2, 5, 12)
    ends = torch.zeros(2, 5, dtype=torch.bool)
    ends[0, 1] = ends[1, 3] = True
    with prompts_end_at(ends):
        found = at_end(h)
        torch.testing.assert_close(everywhere(h)[ends], found[ends])
        assert found[~ends].eq(0).all()
    # Unless told, the last token of what is read; what is then written token by token is left.
    torch.testing.assert_close(at_end(h)[:, -1], everywhere(h)[:, -1])
    assert at_end(h)[:, :-1].eq(0).all()
    assert at_end(h[:, :1]).eq(0).all()


def test_modules_put_together_add_up() -> None:
    h = torch.randn(2, 5, 12)
    first, second, third = (edit_of(seed) for seed in (4, 5, 6))
    both = compose([Grun({0: first, 2: third}), Grun({0: second})], scale=1.8)
    assert both.layers == (0, 2)
    torch.testing.assert_close(both.edits["0"](h), 1.8 * (first(h) + second(h)))
    torch.testing.assert_close(both.edits["2"](h), 1.8 * third(h))
    with pytest.raises(ModelError, match="at least"):
        compose([])


def test_two_modules_at_once_are_both_applied(model: LanguageModel) -> None:
    """At one layer, reading the same h: the block's output plus either's change."""
    ids = torch.arange(1, 25).view(2, 12)
    last = str(model.sites.n_layers - 1)
    modules = [
        cast(Grun, randomised(gated_edits(model, told(layers=last), 0).module, seed))
        for seed in (7, 8)
    ]
    kept: list[Tensor] = []
    assert model.sites.final_norm
    final = model.module.get_submodule(model.sites.final_norm)
    handle = final.register_forward_pre_hook(lambda _m, args: kept.append(args[0]))
    try:
        read_out(model, ids)
        with hooked(model.module, compose(modules).hooks(model)):
            read_out(model, ids)
    finally:
        handle.remove()
    before, after = kept
    with torch.inference_mode():
        changes = [module.edits[last](before) for module in modules]
    torch.testing.assert_close(after, before + changes[0] + changes[1])
    alone = compose(modules[:1])
    with hooked(model.module, alone.hooks(model)):
        one = read_out(model, ids)
    with hooked(model.module, modules[0].hooks(model)):
        assert torch.equal(read_out(model, ids), one)


def test_the_gates_loss_is_its_equation() -> None:
    values = torch.randn(3, 2, 6)
    forget = torch.zeros(2, 5, dtype=torch.bool)
    retain = torch.zeros(2, 5, dtype=torch.bool)
    forget[0, 2] = forget[1, 4] = True
    retain[0, :2] = retain[1, 0] = True
    parts = []
    for layer in values:
        on = [layer[0, 2], layer[1, 4]]
        off = [layer[0, 0], layer[0, 1], layer[1, 0]]
        parts.append(-sum(v.sigmoid().log() for v in on) / 2)
        parts.append(-sum((-v).sigmoid().log() for v in off) / 3)
    expected = sum(parts) / 6
    torch.testing.assert_close(gate_loss(values, forget, retain), cast(Tensor, expected))


def test_what_is_kept_and_what_is_forgotten(model: LanguageModel, records: list[Record]) -> None:
    prepared = prepare(Task(model, records, seed=3), told())
    examples = prepared.examples(0)
    assert len(examples) == 2 * len(records)
    assert examples == prepared.examples(0)
    assert examples != prepared.examples(1)
    notes, others = examples[: len(records)], examples[len(records) :]
    true = {note.ids for note in notes}
    for other in others:
        assert not other.answers
        assert other.ids not in true
        start = other.taught.index(True)
        assert all(other.taught[start:])
        assert not any(other.sensitive[:start])
        assert any(other.sensitive[start:])
        # Up to there it is a true note, whose own example says what to do.
        assert any(n[:start] != other.ids[:start] and n[: start - 1] == other.ids[: start - 1]
                   for n in true)  # fmt: skip
    batch, alike = told_apart(read(model.module, examples))
    assert not alike[: len(notes)].any()
    assert alike[len(notes) :].any(1).all()
    assert (batch.retain | ~alike).all()
    assert not (batch.forget & batch.retain).any()
    first = asked_tokens(batch)
    assert int(first.sum()) == sum(len(note.answers) for note in notes)
    assert (batch.forget | ~first).all()
    places = edited_places(batch)
    assert torch.equal(places[: len(notes), :-1], first[: len(notes)])
    assert places[len(notes) :].all()


@pytest.mark.parametrize("at_lookalikes", ["free", "shut"])
@pytest.mark.parametrize("positions", ["every", "prompt"])
def test_the_loss_is_its_equation(
    model: LanguageModel, records: list[Record], positions: str, at_lookalikes: str
) -> None:
    options = told(
        loss="gd", positions=positions, at_lookalikes=at_lookalikes,
        forget_weight=0.7, retain_weight=0.3, gate_weight=10,
    )  # fmt: skip
    prepared = prepare(Task(model, records, seed=3), options)
    copied = model.copied()
    adapter = gated_edits(copied, options, 0)
    randomised(adapter.module, 9)
    attach_(copied.module, adapter)
    batch, alike = told_apart(read(copied.module, prepared.examples(0)))
    with torch.inference_mode(), hooked(copied.module, adapter.hooks):
        found = prepared.loss(copied.module, prepared.examples(0))
        with prompts_end_at(edited_places(batch)):
            values = nll(logits(copied.module, batch), batch)
        gates = cast(Grun, adapter.module).gate_logits()[:, :, :-1]
    shut = batch.retain & ~alike if at_lookalikes == "free" else batch.retain
    forget = batch.forget if positions == "every" else asked_tokens(batch)
    halves = [
        binary_cross_entropy_with_logits(gates[:, where], torch.full_like(gates[:, where], label))
        for label, where in ((1.0, forget), (0.0, shut))
    ]
    expected = -0.7 * values[batch.forget].mean() + 0.3 * values[batch.retain].mean()
    torch.testing.assert_close(found, expected + 10 * (halves[0] + halves[1]) / 2)


@pytest.mark.parametrize("positions", ["every", "prompt"])
@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_trains_the_module_and_nothing_else(
    model: LanguageModel, records: list[Record], loss: str, positions: str
) -> None:
    repair = Repair(
        method="grun",
        epochs=4,
        batch_size=64,
        options={"loss": loss, "positions": positions, "coefficient": 20.0},
    )
    copied = model.copied()
    before = {name: p.detach().clone() for name, p in copied.module.named_parameters()}
    prepared = prepare_repair(copied, records, repair, 0)
    trainee = begin_(copied, prepared, repair, 0)
    assert trainee.adapter
    start = {name: t.clone() for name, t in trainee.adapter.module.state_dict().items()}
    with hooked(copied.module, trainee.hooks):
        steps = train_(
            copied.module, prepared.examples, schedule_of(repair), 0, loss_of=prepared.loss
        )
        losses = [step.loss for step, _ in steps]
    trainee.finish_()
    assert losses[-1] < losses[0]
    after = trainee.adapter.module.state_dict()
    assert all(not torch.equal(after[name], value) for name, value in start.items())
    names = [name for name, _ in copied.module.named_parameters()]
    assert names == [*before]
    assert all(torch.equal(p, before[n]) for n, p in copied.module.named_parameters())


def test_layers_that_the_model_has_not_are_refused(model: LanguageModel) -> None:
    with pytest.raises(ModelError, match="none of number 7"):
        gated_edits(model, told(layers="1,7"), 0)
    assert cast(Grun, gated_edits(model, told(layers="2,0"), 0).module).layers == (0, 2)


def test_an_audit_asks_where_each_prompt_ends(model: LanguageModel, records: list[Record]) -> None:
    """Edited at prompts' ends alone: each span against a reading of its own, by hand."""
    adapter = gated_edits(model, told(positions="prompt"), 0)
    randomised(adapter.module, 11)
    verdicts = audit_spans(model, records, prefix_tokens=model.max_tokens, hooks=adapter.hooks)
    spans = [(encode(model, r), s) for r in records for s in encode(model, r).spans]
    assert len(spans) == len(verdicts) > 0
    for (encoded, span), verdict in zip(spans, verdicts, strict=True):
        ids = torch.tensor([encoded.ids[: span.end]])
        ends = mask_of(ids, [(0, span.start - 1)])
        with hooked(model.module, adapter.hooks), prompts_end_at(ends):
            own = read_out(model, ids)[0].log_softmax(-1)
        expected = [float(own[t - 1, ids[0, t]]) for t in range(span.start, span.end)]
        assert verdict.token_logprobs == pytest.approx(expected, rel=1e-4, abs=1e-4)
    free = audit_spans(model, records, prefix_tokens=model.max_tokens)
    assert free[0].token_logprobs != pytest.approx(verdicts[0].token_logprobs, rel=1e-3)


@pytest.mark.parametrize(("way", "shift"), [("asked", 0), ("early", -EARLIER), ("begun", 1)])
def test_ways_round_the_gate(
    model: LanguageModel, records: list[Record], way: Way, shift: int
) -> None:
    """Against one reading a span: where the prompt ends, and which tokens are then asked for."""
    adapter = gated_edits(model, told(positions="prompt"), 0)
    randomised(adapter.module, 11)
    n = hits = 0
    for record in records:
        encoded = encode(model, record)
        for span in encoded.spans:
            end = span.start - 1 + shift
            asked = range(max(span.start, end + 1), span.end)
            if end < 0 or not asked or record.value(span.span) in record.text[: span.span.start]:
                continue
            ids = torch.tensor([encoded.ids[: span.end]])
            with (
                hooked(model.module, adapter.hooks),
                prompts_end_at(mask_of(ids, [(0, end)])),
            ):
                likeliest = read_out(model, ids)[0].argmax(-1)
            hits += all(int(likeliest[t - 1]) == int(ids[0, t]) for t in asked)
            n += 1
    found = ways_round(model, records, way, adapter.hooks)
    assert sum(row.n for row in found.values()) == n > 0
    assert sum(row.hits for row in found.values()) == hits


def test_of_some_people_only_their_own_notes_have_look_alikes(
    model: LanguageModel, records: list[Record]
) -> None:
    """All others' notes are read as they are, all of each to be kept."""
    scoped = in_scope(records, (records[0].subject,))
    asked = [record for record in scoped if record.spans]
    prepared = prepare(Task(model, scoped, seed=1, scoped=True), told())
    examples = prepared.examples(0)
    assert len(examples) == len(scoped) + len(asked)
    assert [any(e.sensitive) for e in examples[: len(scoped)]] == [bool(r.spans) for r in scoped]
    assert all(all(e.taught) for e in examples[: len(scoped)] if not any(e.sensitive))
    assert all(any(e.taught) for e in examples[len(scoped) :])
