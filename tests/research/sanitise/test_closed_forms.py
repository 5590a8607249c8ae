"""The closed forms against the least-squares problems they solve, written out whole."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from research.sanitise.closed_forms import Form, Moments, less, matrix_of
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import add_, linear_paths, shape_of

ROWS, COLUMNS = 5, 7


def _moments(seed: int) -> Moments:
    draw = torch.Generator().manual_seed(seed)

    def square(size: int) -> Tensor:
        half = torch.randn(size, 3 * size, generator=draw)
        return half @ half.T / (3 * size)

    return Moments(square(COLUMNS), square(ROWS))


CHANGE = torch.randn(ROWS, COLUMNS, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("form", get_args(Form))
@pytest.mark.parametrize("m", [0.3, 40.0])
def test_it_solves_the_problem_that_it_states(form: Form, m: float) -> None:
    stays, goes = _moments(1), _moments(2)
    found = less(form, CHANGE, stays, goes, m).double()

    def weight(of: Moments) -> Tensor:
        outputs = torch.eye(ROWS) if form == "inputs" else of.outputs
        return torch.kron(outputs.double(), of.inputs.double())

    whole = weight(stays) + m * weight(goes)
    exact = torch.linalg.solve(whole, weight(stays) @ CHANGE.double().flatten())
    # Damping is a thousandth of a factor's mean eigenvalue.
    assert torch.allclose(found.flatten(), exact, atol=0.02 * float(exact.abs().max()))
    assert not torch.allclose(found, CHANGE.double(), atol=0.1)


@pytest.mark.parametrize("form", get_args(Form))
def test_nothing_asked_changes_nothing_and_much_leaves_the_base(form: Form) -> None:
    stays, goes = _moments(1), _moments(2)
    assert torch.allclose(less(form, CHANGE, stays, goes, 0.0), CHANGE, atol=1e-5)
    assert less(form, CHANGE, stays, goes, 1e9).abs().max() < 1e-4


def test_a_map_is_read_as_it_is_added_to(any_model: LanguageModel) -> None:
    copy = any_model.copied()
    for path in linear_paths(copy):
        module = copy.module.get_submodule(path)
        before = matrix_of(module).clone()
        assert before.shape == shape_of(module)
        add_(module, torch.ones_like(before))
        assert torch.allclose(matrix_of(module), before + 1)
