"""Layers × positions: the parts of gradient × activation before they are summed."""

import pytest
import torch

from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.positions import position_scores
from sanilens.model.align import encode
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import UnitKind, kind_of


@pytest.mark.parametrize("kind", ["mlp", "head"])
def test_positions_add_up_to_the_localiser_s_scores(
    any_model: LanguageModel, records: list[Record], kind: UnitKind
) -> None:
    record, span = records[0], records[0].span_id(records[0].spans[1])
    width = any_model.sites.count(kind)
    found = position_scores(any_model, record, span, kind, strongest=width)
    targets = find_targets(any_model, [record], Scope(spans=frozenset({span})))
    plain = find_localiser("gradient-activation-plain").score(targets, Settings(kind)).values
    total = torch.zeros_like(plain).scatter_add_(
        1, found.strongest.flatten(1), found.parts.flatten(1)
    )
    torch.testing.assert_close(total, plain, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.values, found.parts.abs().sum(-1), rtol=1e-4, atol=1e-5)


def test_what_follows_the_span_carries_nothing(model: LanguageModel, records: list[Record]) -> None:
    record = records[0]
    first = encode(model, record).spans[0]
    found = position_scores(model, record, record.span_id(first.span), "mlp")
    assert found.values.shape == (3, len(encode(model, record).ids))
    assert (found.values[:-1, : first.end - 1] > 0).all()
    # What the last layer does at a token is seen by that token's prediction alone.
    assert not found.values[-1, : first.start - 1].any()
    assert (found.values[-1, first.start - 1 : first.end - 1] > 0).all()
    # The last token of the span is predicted before it is read.
    assert not found.values[:, first.end - 1 :].any()
    assert found.at(0, first.end) == []
    units = found.at(2, first.start - 1)
    assert [kind_of(unit) for unit, _ in units] == ["mlp"] * 5
    parts = [abs(part) for _, part in units]
    assert parts == sorted(parts, reverse=True)


def test_a_long_record_is_read_from_within(model: LanguageModel, records: list[Record]) -> None:
    long = " ".join(["Seen on the ward with a dry cough."] * 40)
    shift = len(long) + 1
    spans = tuple(
        type(s)(s.start + shift, s.end + shift, s.label, s.kind) for s in records[0].spans
    )
    record = Record("r-9", "s-9", f"{long} {records[0].text}", spans)
    encoded = encode(model, record)
    assert encoded.spans[0].start > model.max_tokens
    found = position_scores(model, record, record.span_id(spans[0]), "mlp")
    place = encoded.spans[0].start
    assert found.values[:, place - 1].all()
    assert found.values[0, 0] > 0  # the start token is shown in any case
    assert not found.values[:, encoded.opening].any()
    assert not found.values[:, place + 20 :].any()


def test_a_span_that_is_not_there(model: LanguageModel, records: list[Record]) -> None:
    with pytest.raises(PlanError):
        position_scores(model, records[0], "r-1@0-1", "mlp")
