"""The table of units: search, filters, order."""

import numpy as np
import pandas as pd
import pytest
import torch

from sanilens.inspect.locate.scores import UnitScores
from sanilens.inspect.units.listing import Filters, Order, listed, unit_frame
from sanilens.inspect.units.sample import UnitTable
from sanilens.model.units import Neuron

SCORES = UnitScores("random", "mlp", torch.tensor([[0.5, -1.0, 0.0], [2.0, 0.5, 0.1]]), 1)
UNITS = tuple(Neuron(i, j) for i in range(2) for j in range(3))
FIRING = np.array([0.1, 0.0, 0.9, 0.2, 0.3, 0.0])
TABLE = UnitTable(UNITS, FIRING, np.zeros(6), np.ones(6))


@pytest.fixture
def frame() -> pd.DataFrame:
    return unit_frame(SCORES, TABLE, {"mlp.1.1": "zero", "mlp.7.7": "zero"})


def names(frame: pd.DataFrame, filters: Filters) -> list[str]:
    return [name.removeprefix("mlp.") for name in listed(frame, filters)["unit"]]


def test_a_row_says_what_is_known_of_its_unit(frame: pd.DataFrame) -> None:
    row = frame[frame["unit"] == "mlp.1.1"].iloc[0]
    assert (row["layer"], row["index"], row["score"], row["fires"]) == (1, 1, 0.5, 0.3)
    assert frame["planned"].tolist() == ["", "", "", "", "zero", ""]


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(), ["1.0", "0.0", "1.1", "1.2", "0.2", "0.1"]),
        (Filters(search="mlp.1"), ["1.0", "1.1", "1.2"]),
        (Filters(search="mlp.0.1 MLP.1.2"), ["1.2", "0.1"]),
        (Filters(search="2"), ["1.2", "0.2"]),
        (Filters(search="head"), []),
        (Filters(layers=(0,)), ["0.0", "0.2", "0.1"]),
        (Filters(low=0.1, high=0.5), ["0.0", "1.1", "1.2"]),
        (Filters(fires=(0.1, 0.3)), ["1.0", "0.0", "1.1"]),
        (Filters(dead="only"), ["1.2", "0.1"]),
        (Filters(dead="none", planned="none"), ["1.0", "0.0", "0.2"]),
        (Filters(planned="only"), ["1.1"]),
    ],
)
def test_filters(frame: pd.DataFrame, filters: Filters, wanted: list[str]) -> None:
    assert names(frame, filters) == wanted


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        ("lowest score", "0.1", "1.0"),
        ("fires most", "0.2", "1.2"),
        ("fires least", "0.1", "0.2"),
        ("name", "0.0", "1.2"),
    ],
)
def test_orders(frame: pd.DataFrame, order: Order, first: str, last: str) -> None:
    found = names(frame, Filters(order=order))
    assert (found[0], found[-1]) == (first, last)


def test_how_many_filters_are_on() -> None:
    assert Filters(search="x", order="name").active == 0
    assert Filters(layers=(1,), low=0.0, dead="only").active == 3
