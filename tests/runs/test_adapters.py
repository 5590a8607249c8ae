"""A run by a method that trains an adapter: what the folder keeps, and that the figures are its."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sanilens.audit.extraction import audit_spans
from sanilens.case import open_planned, open_records
from sanilens.errors import RunError
from sanilens.model.hooks import hooked
from sanilens.model.language_model import load_model
from sanilens.runs.adapters import Place, gate_texts, load_gates, mean_gate, measure_gates
from sanilens.runs.arms import load_verdicts
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.unlearn.plan import Plan, Repair
from sanilens.unlearn.saved_adapter import open_adapter


@pytest.fixture(scope="module", params=["grun", "eul"])
def adapted(
    request: pytest.FixtureRequest, tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A run without edits, by each method that trains an adapter."""
    repair = Repair(method=request.param, epochs=1, learning_rate=2e-2)
    plan = tiny_plan.model_copy(update={"edits": (), "repair": repair})
    folder = tmp_path_factory.mktemp("adapted") / "run"
    execute(plan, folder)
    return RunFolder(folder)


def test_the_weights_are_those_of_the_examined_model(adapted: RunFolder) -> None:
    before = load_file(Path(adapted.plan().model.source) / "model.safetensors")
    after = load_file(adapted.model / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_what_was_measured_is_the_model_with_its_adapter(adapted: RunFolder) -> None:
    model = load_model(adapted.model, device="cpu")
    adapter = open_adapter(model, adapted.adapter)
    notes = open_records(adapted.plan().corpus.source)
    with_it = audit_spans(model, notes, hooks=adapter.hooks)
    kept = load_verdicts(adapted.arms, "after")["logprob"].to_numpy()
    assert [v.logprob for v in with_it] == pytest.approx(kept, rel=1e-4)
    without = load_verdicts(adapted.arms, "before")["logprob"].to_numpy()
    assert [v.logprob for v in audit_spans(model, notes)] == pytest.approx(without, rel=1e-4)
    assert kept != pytest.approx(without, rel=1e-3)


def test_gates_are_kept_for_every_set(adapted: RunFolder) -> None:
    rows = load_gates(adapted)
    if adapted.plan().repair.method == "eul":
        assert rows == ()
        return
    assert {(row.set, row.place) for row in rows} >= {
        ("notes", "before"), ("notes", "elsewhere"), ("lookalike", "before"),
        ("lookalike", "elsewhere"), ("unseen", "elsewhere"), ("neutral", "elsewhere"),
    }  # fmt: skip
    notes = open_records(adapted.plan().corpus.source)
    first = next(row for row in rows if (row.set, row.place) == ("notes", "before"))
    assert first.n == sum(len(record.spans) for record in notes)


def test_a_mean_gate_is_the_mean_over_positions(adapted: RunFolder) -> None:
    """One note after the other and position by position, against the batched measurement."""
    inputs = open_planned(adapted.plan())
    adapter = open_adapter(load_model(adapted.model, device="cpu"), adapted.adapter)
    if adapter.gates is None:
        assert measure_gates(inputs.model, adapter, {}) == ()
        return
    texts = gate_texts(inputs, inputs.corpus.records, 0)
    found: dict[bool, list[float]] = {True: [], False: []}
    for example in texts["notes"]:
        with torch.inference_mode(), hooked(inputs.model.module, adapter.hooks):
            inputs.model.module(torch.tensor([example.ids]))
        gates = adapter.gates()[:, 0].mean(0).tolist()
        starts = {answer.start for answer in example.answers}
        for t in range(1, len(example.ids)):
            if t in starts or not example.sensitive[t]:
                found[t in starts].append(gates[t - 1])
    rows = measure_gates(inputs.model, adapter, {"notes": texts["notes"]})
    places: dict[bool, Place] = {True: "before", False: "elsewhere"}
    for before, place in places.items():
        expected = sum(found[before]) / len(found[before])
        assert mean_gate(rows, "notes", place) == pytest.approx(expected, rel=1e-4)
        assert {row.n for row in rows if row.place == place} == {len(found[before])}
    assert mean_gate(rows, "unseen", "before") is None


def test_changed_gates_are_refused(adapted: RunFolder, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert load_gates(run) == ()
    run.gates_file.write_text('[{"set": "notes"}]')
    with pytest.raises(RunError, match="damaged"):
        load_gates(run)
