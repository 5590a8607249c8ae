"""The parity bench counts what agrees, and would notice what does not."""

from dataclasses import replace

import pytest

from research import parity
from research.parity import TOKENIZERS, bench_parity, invented_records


def test_a_model_says_some_and_every_verdict_agrees() -> None:
    found = bench_parity(["llama"])
    (row,) = found.rows
    assert 0 < row.extracted < row.spans == 27
    assert found.verdicts == 54
    assert found.agreement == 1.0


def test_a_wrong_verdict_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = parity.audit_spans

    def one_wrong(*args, **kwargs):
        first, *rest = real(*args, **kwargs)
        return [replace(first, extracted=not first.extracted), *rest]

    monkeypatch.setattr(parity, "audit_spans", one_wrong)
    monkeypatch.setattr(parity, "_STEPS", 1)
    assert bench_parity(["llama"]).agreement == 52 / 54


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_every_tokenizer_tells_where_its_tokens_lie(kind: str) -> None:
    records = invented_records(0)
    tokenizer = TOKENIZERS[kind]([record.text for record in records])
    for record in records:
        coded = tokenizer.encode(record.text)
        for span in record.spans:
            assert any(a < span.end and b > span.start for a, b in coded.offsets)
        assert (0 in coded.ids) == ("start token" in kind)
