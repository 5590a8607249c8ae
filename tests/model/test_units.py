"""One spelling a unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.errors import PlanError
from sanilens.model.units import Neuron


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_parse_inverts_str(layer: int, index: int) -> None:
    assert Neuron.parse(str(Neuron(layer, index))) == Neuron(layer, index)


@pytest.mark.parametrize(
    "text", ["", "mlp", "mlp.1", "mlp.01.2", "mlp.1.2.3", "mlp.1.-2", "MLP.1.2", "mlp.1.2\n"]
)
def test_refuses_other_spellings(text: str) -> None:
    with pytest.raises(PlanError, match="is not a neuron"):
        Neuron.parse(text)
