"""Curvature: sums against naive loops, predictions against measured KL, files, solutions."""

import hashlib
import math
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.errors import ModelError
from sanilens.model import curvature as module
from sanilens.model.curvature import Factors, Sums, needed_bytes, sum_curvature
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.keep_set import Kept, keep_set
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import add_, has_bias, linear_paths, shape_of
from tests.conftest import TEXTS, record


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def told(model: LanguageModel, records: list[Record]) -> tuple[Kept, ...]:
    return keep_set(model, records).told


def naive(model: LanguageModel, kept: Kept, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    """One text's sums: read alone, token by token, with the draw that its own words seed."""
    entered: dict[str, Tensor] = {}
    left: dict[str, Tensor] = {}

    def note(path: str):
        def entering(x: Tensor) -> None:
            entered[path] = x.detach().reshape(-1, x.shape[-1]).clone()

        def leaving(_x: Tensor, y: Tensor) -> Tensor:
            y = y if y.requires_grad else y.detach().requires_grad_()
            left[path] = y
            return y

        return entering, leaving

    paths = linear_paths(model)
    notes = {path: note(path) for path in paths}
    hooks = Hooks({p: n[0] for p, n in notes.items()}, {p: n[1] for p, n in notes.items()})
    with torch.enable_grad(), hooked(model.module, hooks):
        logits = model.module(torch.tensor([kept.ids]), use_cache=False).logits[0].float()
    at = torch.tensor(kept.columns) - 1
    logprobs = logits[at].log_softmax(-1)
    text = hashlib.sha256(repr((seed, list(kept.ids))).encode()).digest()[:7]
    own = torch.Generator().manual_seed(int.from_bytes(text))
    drawn = torch.multinomial(logprobs.detach().exp(), 1, generator=own)
    roots = torch.tensor(kept.weights or (1.0,) * len(kept.columns)).sqrt()
    scalar = (roots * logprobs.gather(1, drawn)[:, 0]).sum()
    gradients = torch.autograd.grad(scalar, [left[p] for p in paths])
    sums: dict[str, tuple[Tensor, Tensor]] = {}
    for path, gradient in zip(paths, gradients, strict=True):
        rows, columns = shape_of(model.module.get_submodule(path))
        a, g = torch.zeros(columns, columns), torch.zeros(rows, rows)
        tail = [1.0] if has_bias(model.module.get_submodule(path)) else []
        for x, y in zip(entered[path], gradient.reshape(-1, rows), strict=True):
            x = torch.cat([x, torch.tensor(tail)])
            a += torch.outer(x, x)
            g += torch.outer(y, y)
        sums[path] = (a, g)
    return sums


def close(found: Sums, expected: Sums, off: float = 1e-4) -> None:
    assert (found.positions, found.places) == (expected.positions, expected.places)
    assert found.maps.keys() == expected.maps.keys()
    for path, pair in found.maps.items():
        for mine, theirs in zip(pair, expected.maps[path], strict=True):
            scale = max(1e-6, float(theirs.abs().max()))
            torch.testing.assert_close(mine, theirs, rtol=off, atol=off * scale)


def same(found: Sums, expected: Sums) -> bool:
    return all(
        torch.equal(mine, theirs)
        for path in expected.maps
        for mine, theirs in zip(found.maps[path], expected.maps[path], strict=True)
    )


@pytest.mark.parametrize("weighed", [False, True])
def test_the_sums_are_those_of_every_text_alone(
    any_model: LanguageModel, records: list[Record], *, weighed: bool
) -> None:
    kept = told(any_model, records)
    if weighed:
        first = kept[0]
        weights = tuple(1.0 + i % 3 for i in range(len(first.columns)))
        kept = (replace(first, weights=weights), *kept[1:])
    found = sum_curvature(any_model, kept, seed=5)
    alone = [naive(any_model, each, 5) for each in kept]
    maps = {
        path: tuple(torch.stack([own[path][side] for own in alone]).sum(0) for side in (0, 1))
        for path in found.maps
    }
    positions = sum(len(k.ids) for k in kept)
    places = sum(sum(k.weights or (1.0,) * len(k.columns)) for k in kept)
    close(found, Sums({p: (a, g) for p, (a, g) in maps.items()}, positions, places))
    path, (a, g) = next(iter(maps.items()))
    torch.testing.assert_close(found.curvature()[path].inputs, a / positions, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.curvature()[path].outputs, g / places, rtol=1e-3, atol=1e-4)


def test_texts_taken_away_leave_the_rest(model: LanguageModel, records: list[Record]) -> None:
    kept = told(model, records)
    whole, first, rest = (sum_curvature(model, k, seed=1) for k in (kept, kept[:1], kept[1:]))
    close(whole.plus(first, -1), rest)
    close(first.plus(rest), whole)


def test_the_seed_decides_what_is_drawn(model: LanguageModel, records: list[Record]) -> None:
    kept = told(model, records)
    assert same(sum_curvature(model, kept, seed=1), sum_curvature(model, kept, seed=1))
    assert not same(sum_curvature(model, kept, seed=1), sum_curvature(model, kept, seed=2))


def test_places_without_a_token_before_or_any_at_all_count_for_nothing(
    model: LanguageModel, records: list[Record]
) -> None:
    kept = told(model, records)
    without = [*kept, Kept((1, 2, 3), ())]
    close(sum_curvature(model, without), sum_curvature(model, kept))
    with pytest.raises(ModelError, match="no text that must stay"):
        sum_curvature(model, [Kept((1, 2, 3), ())]).curvature()


def test_layers_may_be_restricted(any_model: LanguageModel, records: list[Record]) -> None:
    kept = told(any_model, records)
    own = sum_curvature(any_model, kept, layers=[1])
    assert list(own.maps) == linear_paths(any_model, [1])
    whole = sum_curvature(any_model, kept)
    close(own, replace(whole, maps={path: whole.maps[path] for path in own.maps}), 1e-3)
    taken = sum(t.numel() * 4 for pair in own.maps.values() for t in pair)
    assert taken == needed_bytes(any_model, [1])


def test_the_predicted_harm_of_a_small_change_is_near_the_measured(
    model: LanguageModel, records: list[Record]
) -> None:
    """1/2 tr(G D A D^T) of a random change of one map, and KL at the same places."""
    kept = told(model, records)
    # Many draws, so that what is off is the approximation alone.
    known = sum_curvature(model, kept, seed=0)
    for seed in range(1, 16):
        known = known.plus(sum_curvature(model, kept, seed=seed))
    for path in linear_paths(model, [2]):
        own = known.curvature()[path]
        change = torch.randn(
            len(own.outputs), len(own.inputs), generator=torch.Generator().manual_seed(3)
        )
        predicted = (
            float(torch.einsum("ij,jk,kl,il->", own.outputs, change, own.inputs, change)) / 2
        )
        change *= (1e-3 / predicted) ** 0.5
        moved = model.copied()
        add_(moved.module.get_submodule(path), change)
        measured = kl_at(model, moved, kept)
        # What enters keys and values acts on all later tokens at once, which K-FAC leaves out.
        factor = 16 if "query_key_value" in path else 1.25
        assert 1e-3 / factor < measured < factor * 1e-3, path


def kl_at(then: LanguageModel, now: LanguageModel, kept: tuple[Kept, ...]) -> float:
    found: list[Tensor] = []
    with torch.inference_mode():
        for each in kept:
            at = torch.tensor(each.columns) - 1
            p, q = (
                m.module(torch.tensor([each.ids])).logits[0, at].double().log_softmax(-1)
                for m in (then, now)
            )
            found.append((p.exp() * (p - q)).sum(-1))
    return float(torch.cat(found).mean())


# ---- files


@pytest.fixture
def many(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> tuple[Kept, ...]:
    """Texts in several batches, written down after each."""
    monkeypatch.setattr("sanilens.model.keep_set.token_budget", lambda _: 64)
    monkeypatch.setattr(module, "_SAVE_EVERY", -1.0)
    texts = [f"{text} Seen {n} times." for n in range(3) for text in TEXTS]
    return told(model, [record(text, id=f"r-{n}") for n, text in enumerate(texts)])


def test_killed_in_the_middle_it_goes_on_to_the_same_bits(
    model: LanguageModel, many: tuple[Kept, ...], tmp_path: Path
) -> None:
    whole = sum_curvature(model, many, seed=3)
    seen: list[int] = []

    def kill(done: int, _of: int, _note: str = "", /) -> None:
        seen.append(done)
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        sum_curvature(model, many, seed=3, folder=tmp_path, progress=kill)
    assert max(seen) == 5
    seen.clear()
    again = sum_curvature(
        model, many, seed=3, folder=tmp_path, progress=lambda done, _of, _="": seen.append(done)
    )
    assert seen[0] == 5, "the four batches before the kill were not measured twice"
    assert same(again, whole)
    seen.clear()
    third = sum_curvature(
        model, many, seed=3, folder=tmp_path, progress=lambda done, _of, _="": seen.append(done)
    )
    assert not seen
    assert same(third, whole)
    assert (third.positions, third.places) == (whole.positions, whole.places)


def test_what_decides_the_sums_decides_the_file(
    model: LanguageModel, many: tuple[Kept, ...], tmp_path: Path
) -> None:
    sum_curvature(model, many, seed=3, folder=tmp_path)
    sum_curvature(model, many, seed=3, folder=tmp_path)
    assert len([*tmp_path.iterdir()]) == 1
    fewer = (replace(many[0], columns=many[0].columns[1:]), *many[1:])
    sum_curvature(model, many, seed=4, folder=tmp_path)
    sum_curvature(model, fewer, seed=3, folder=tmp_path)
    sum_curvature(model, many, seed=3, layers=[0], folder=tmp_path)
    assert len([*tmp_path.iterdir()]) == 4


@pytest.mark.parametrize("broken", ["cut", "not one", "NaN", "shape", "missing", "count", "words"])
def test_a_broken_file_is_measured_anew(
    model: LanguageModel, many: tuple[Kept, ...], tmp_path: Path, broken: str
) -> None:
    whole = sum_curvature(model, many, seed=3, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    tensors = load_file(file)
    first, done = min(tensors), {"batches": "4"}
    match broken:
        case "cut":
            file.write_bytes(file.read_bytes()[:-100])
        case "not one":
            file.write_bytes(b"a page of something else" * 20)
        case "NaN":
            tensors[first][0, 0] = math.nan
            save_file(tensors, file, done)
        case "shape":
            save_file(tensors | {first: tensors[first][1:].clone()}, file, done)
        case "missing":
            save_file({name: own for name, own in tensors.items() if name != first}, file, done)
        case "count":
            save_file(tensors, file, {"batches": "-3"})
        case "words":
            save_file(tensors, file, {"batches": "some"})
    assert same(sum_curvature(model, many, seed=3, folder=tmp_path), whole)
    assert same(sum_curvature(model, many, seed=3, folder=tmp_path), whole)


def test_a_file_is_its_owners_and_has_no_text(
    model: LanguageModel, many: tuple[Kept, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "curvature"
    sum_curvature(model, many, folder=folder)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    content = file.read_bytes()
    for value in ("4471203", "12/03/1961", "771-0938", "Seen on", "s-1", "r-1"):
        assert value.encode() not in content
        assert value not in file.name


def test_a_model_without_numbers_is_refused(model: LanguageModel, records: list[Record]) -> None:
    sums = sum_curvature(model, told(model, records))
    path, (a, g) = next(iter(sums.maps.items()))
    broken = replace(sums, maps={**sums.maps, path: (a, g * math.nan)})
    with pytest.raises(ModelError, match="no number"):
        broken.curvature()


# ---- solutions


def factors(outputs: int = 5, inputs: int = 7, rank: int = 20) -> Factors:
    generator = torch.Generator().manual_seed(2)
    a = torch.randn(rank, inputs, generator=generator)
    g = 0.1 * torch.randn(rank, outputs, generator=generator)
    return Factors(a.T @ a / rank, g.T @ g / rank)


def damped(own: Factors, damping: float) -> tuple[Tensor, Tensor]:
    """A and G with their share of the damping, by the equation."""
    a, g = own.inputs.double(), own.outputs.double()
    pi = math.sqrt(float(a.trace()) / len(a) / (float(g.trace()) / len(g)))
    root = math.sqrt(damping)
    return a + root * pi * torch.eye(len(a)), g + root / pi * torch.eye(len(g))


GRADIENT = torch.randn(5, 7, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("damping", [1e-7, 1e-2])
def test_a_solution_solves(damping: float) -> None:
    """(G + dI) U (A + dI) = gradient."""
    own = factors()
    a, g = damped(own, damping)
    found = own.solve(GRADIENT, damping).double()
    torch.testing.assert_close((g @ found @ a).float(), GRADIENT, rtol=1e-3, atol=1e-3)


def test_rows_and_columns_are_the_dense_solution_within_them() -> None:
    """Of the whole Kronecker product the part of these entries alone, inverted."""
    own, damping = factors(), 1e-4
    a, g = damped(own, damping)
    dense = torch.kron(g, a)
    every = torch.arange(35).reshape(5, 7)
    rows, columns = torch.tensor([0, 3]), torch.tensor([1, 2, 6])
    for entries, found in (
        (every[rows], own.solve_rows(GRADIENT, damping, rows)),
        (every[:, columns], own.solve_columns(GRADIENT, damping, columns)),
    ):
        at = entries.flatten()
        expected = torch.linalg.solve(dense[at][:, at], GRADIENT.double().flatten()[at])
        torch.testing.assert_close(
            found.double(), expected.reshape(entries.shape), rtol=1e-4, atol=1e-4
        )


def test_singular_factors_and_dead_neurons_are_solved() -> None:
    """Fewer tokens than inputs; outputs through which nothing ever flows; and one map of these."""
    own = factors(rank=2)
    own.outputs[3] = own.outputs[:, 3] = 0
    assert own.solve(GRADIENT, 1e-7).isfinite().all()
    nothing = Factors(own.inputs, torch.zeros(5, 5))
    assert nothing.dampings(1e-4) == (1e-2, 1e-2)
    assert nothing.solve(GRADIENT, 1e-4).isfinite().all()


def test_an_eigenvalue_below_zero_is_lifted() -> None:
    """As rounding leaves it where texts are taken away."""
    basis, _ = torch.linalg.qr(torch.randn(7, 7, generator=torch.Generator().manual_seed(1)))
    values = torch.tensor([3e4, 1.0, 1.0, 1.0, 1.0, 1.0, -1e-2])
    own = Factors(basis * values @ basis.T, 1e6 * torch.eye(5))
    for found in (
        own.solve(GRADIENT, 1e-12),
        own.solve_columns(GRADIENT, 1e-12, torch.arange(7)),
    ):
        assert found.isfinite().all()
        assert (found * GRADIENT).sum() > 0, "a step against what is to be forgotten"
