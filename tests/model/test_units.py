"""One spelling a unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.errors import PlanError
from sanilens.model.units import (
    PARTS,
    Code,
    Editable,
    Feature,
    Head,
    Neuron,
    ProjectionRow,
    Unit,
    parse_editable,
    parse_unit,
)

_INDEX = st.integers(0, 10**6)
_UNITS = st.one_of(
    st.builds(Neuron, _INDEX, _INDEX),
    st.builds(Head, _INDEX, _INDEX),
    st.builds(Feature, st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True), _INDEX),
    st.builds(Code, st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True), _INDEX),
)


@given(_UNITS)
def test_parse_inverts_str(unit: Unit) -> None:
    assert parse_unit(str(unit)) == unit


@pytest.mark.parametrize(
    "text",
    ["", "mlp", "mlp.1", "mlp.01.2", "mlp.1.2.3", "mlp.1.-2", "MLP.1.2", "mlp.1.2\n", "head.1",
     "head.1.2.3", "sae.1", "sae..1", "sae.A.1", "sae.a/b.1", "sae.a.1.2", "code.1",
     "code.a.01"],
)  # fmt: skip
def test_refuses_other_spellings(text: str) -> None:
    with pytest.raises(PlanError, match="is not a unit"):
        parse_unit(text)


@given(st.one_of(_UNITS, st.builds(ProjectionRow, _INDEX, st.sampled_from(PARTS), _INDEX)))
def test_parse_target_inverts_str(target: Editable) -> None:
    assert parse_editable(str(target)) == target


def test_a_row_is_no_unit_to_look_at() -> None:
    with pytest.raises(PlanError, match="is not a unit"):
        parse_unit("row.1.in.2")
    with pytest.raises(PlanError, match="is not a unit"):
        parse_editable("row.1.mlp.2")
