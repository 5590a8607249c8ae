"""An injected memory lies in the drawn neurons' output vectors, keeps their norms, and is said."""

import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record
from sanilens.inspect import injection
from sanilens.inspect.injection import chosen, injections, memories, recall
from sanilens.inspect.localisers import Settings, find_localiser
from sanilens.inspect.targets import find_targets
from sanilens.model.parameters import write_weights
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron
from tests.conftest import record

SHARE = 0.5


@pytest.fixture
def texts() -> list[Record]:
    return [
        record("Seen on the ward. Her name is Ann Lee", ("Ann Lee", "NAME"), id="a"),
        record("Came by bus on Monday from Leeds", ("Leeds", "CITY"), id="b"),
    ]


def test_memories_are_cut_to_their_sentence(subject: SubjectModel, texts: list[Record]) -> None:
    found = {r.id: r for r in memories(subject, texts, seed=0)}
    assert len(found) == 2
    cut = found[texts[0].span_id(texts[0].spans[0])]
    assert cut.text == "Her name is Ann Lee"
    assert cut.value(cut.spans[0]) == "Ann Lee"


def test_only_the_drawn_vectors_change_and_keep_their_norms(
    any_subject: SubjectModel, texts: list[Record]
) -> None:
    before = {n: p.clone() for n, p in any_subject.model.named_parameters()}
    held = 0
    for injected in injections(any_subject, memories(any_subject, texts, 0), SHARE, seed=1):
        if injected is None:
            continue
        held += 1
        assert all(v.extracted for v in audit_spans(injected.subject, [injected.record]))
        assert len(injected.neurons) == SHARE * 3 * 48
        for layer in range(3):
            mine, theirs = (
                write_weights(s, "mlp", layer) for s in (injected.subject, injected.original)
            )
            assert torch.allclose(mine.norm(dim=1), theirs.norm(dim=1), rtol=1e-5)
            changed = {Neuron(layer, int(i)) for i in (mine != theirs).any(1).nonzero()}
            assert changed == {n for n in injected.neurons if n.layer == layer}
        assert not any(p.requires_grad for p in injected.subject.model.parameters())
    assert held
    assert all(torch.equal(before[n], p) for n, p in any_subject.model.named_parameters())


def test_alignment_finds_what_was_injected(
    subject: SubjectModel, texts: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    # To the end, and with longer steps: this model's weights are six times the usual ones.
    monkeypatch.setattr(injection, "_ENOUGH", 0.0)
    monkeypatch.setattr(injection, "_LEARNING_RATE", 0.1)
    held = 0
    for injected in injections(subject, memories(subject, texts, 0), 0.2, seed=1):
        if injected is None:
            continue
        targets = find_targets(injected.subject, [injected.record])
        values = {
            name: find_localiser(name).score(targets, Settings()).values
            for name in ("alignment", "random")
        }
        found = {
            name: recall(chosen(v, len(injected.neurons), per_layer=False), injected.neurons)
            for name, v in values.items()
        }
        held += 1
        assert found["alignment"] > 0.8 > found["random"]
    assert held


def test_picking_over_the_whole_model_or_in_each_layer() -> None:
    values = torch.tensor([[9.0, 8.0, 7.0], [1.0, 2.0, 3.0]])
    assert chosen(values, 2, per_layer=False) == [Neuron(0, 0), Neuron(0, 1)]
    assert chosen(values, 2, per_layer=True) == [Neuron(0, 0), Neuron(1, 2)]
    assert recall([Neuron(0, 0), Neuron(1, 1)], frozenset({Neuron(0, 0), Neuron(0, 1)})) == 0.5
