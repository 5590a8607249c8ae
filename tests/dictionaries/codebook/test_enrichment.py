"""Codes of a topic: marks on the right tokens, statistics against their own definitions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import fisher_exact, hypergeom

from sanilens.audit.targets import Scope
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.code_use import CodeUse, read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.enrichment import (
    Rule,
    alike_in_use,
    choose_codes,
    code_table,
    enrichment,
    fisher,
)
from sanilens.dictionaries.codebook.topic import Held, Topic, hold
from sanilens.dictionaries.codebook.train import CodebookSettings, train_codebook
from sanilens.dictionaries.reading import site_values
from sanilens.errors import PlanError
from sanilens.inspect.units.examples import strongest_contexts
from sanilens.model.language_model import LanguageModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("codebook")


@pytest.fixture
def codebook(model: LanguageModel, records: list[Record], folder: Path) -> Codebook:
    from sanilens.dictionaries.codebook.store import load_codebook

    if not (folder / "c").exists():
        settings = CodebookSettings(
            "blocks.1.hook_attn_out", codes=24, k=4, warm_steps=40, warm_tokens=64, steps=1
        )
        train_codebook(model, records, records, settings, folder / "c", "tiny")
    return load_codebook(folder / "c", model)


@pytest.fixture
def use(model: LanguageModel, codebook: Codebook, records: list[Record]) -> CodeUse:
    return read_codes(model, codebook, records)


def test_codes_are_those_of_each_token(
    model: LanguageModel, codebook: Codebook, use: CodeUse, records: list[Record]
) -> None:
    import torch

    for number, encoded in enumerate(use.encoded):
        x = site_values(model, codebook.site, torch.tensor([encoded.ids]))[0, 1:]
        z = x - codebook.centre
        s = torch.nn.functional.cosine_similarity(z[:, None], codebook.codes[None], dim=-1)
        own = use.record == number
        assert (use.position[own] == np.arange(1, len(encoded.ids))).all()
        top = s.topk(codebook.k)
        assert np.allclose(use.similarity[own], top.values.numpy(), atol=1e-5)
    assert use.counts(np.ones(len(use.record), bool)).sum() == 4 * len(use.record)
    every = use.by_record(np.ones(len(use.record), bool))
    assert (every.sum(0) == use.counts(np.ones(len(use.record), bool))).all()


def test_a_label_and_an_expression_mark_the_same_tokens(use: CodeUse) -> None:
    by_label = Topic(Scope(labels=frozenset({"PHONE"}))).tokens(use)
    by_pattern = Topic(pattern=r"\(\d{3}\) \d{3}-\d{4}").tokens(use)
    assert by_label.any()
    assert (by_label == by_pattern).all()
    encoded = use.encoded[1]
    span = encoded.spans[0]
    marked = set(use.position[by_label & (use.record == 1)].tolist())
    assert marked == set(range(span.start - 1, span.end))


def test_controls_are_what_they_say(
    model: LanguageModel, codebook: Codebook, use: CodeUse, records: list[Record]
) -> None:
    topic = Topic(Scope(labels=frozenset({"PHONE"})))
    rest = hold(model, codebook, use, topic, "rest")
    assert not (rest.topic & rest.control).any()
    assert (use.record[rest.control] == 1).all()
    twins = hold(model, codebook, use, topic, "twins")
    assert [e.record.id for e in twins.control_use.encoded] == ["r-2"]
    text = twins.control_use.encoded[0].record.text
    assert "(312) 771-0938" not in text
    assert text.startswith("Follow-up by phone: the number is (")
    both = Scope(labels=frozenset({"PHONE", "MRN"}))
    own = Topic(Scope(labels=both.labels, subjects=frozenset({"s-2"})))
    with pytest.raises(PlanError, match="no token is left"):
        hold(model, codebook, use, own, "others")
    for wrong, said in (("(", "no regular expression"), ("qqqq", "nothing in these records")):
        with pytest.raises(PlanError, match=said):
            hold(model, codebook, use, Topic(pattern=wrong), "rest")
    with pytest.raises(PlanError, match="no surrogates"):
        hold(model, codebook, use, Topic(pattern="phone"), "twins")
    prose = [replace(r, spans=tuple(replace(s, label="FREE_TEXT") for s in r.spans))
             for r in records]  # fmt: skip
    with pytest.raises(PlanError, match="free text has no surrogates"):
        hold(model, codebook, read_codes(model, codebook, prose), Topic(), "twins")


def test_an_expression_that_takes_for_ever_is_stopped() -> None:
    from sanilens.dictionaries.codebook.topic import _compiled, _matches
    from sanilens.model.align import Encoded

    text = "a" * 40 + "!"
    encoded = Encoded(Record("r", "s", text), (0,), ((0, 41),), ())
    with pytest.raises(PlanError, match="Write a simpler one"):
        _matches(_compiled(r"(a|aa)+$"), encoded)


def test_fisher_is_the_hypergeometric_sum() -> None:
    on, off = np.array([5, 0, 9, 5]), np.array([1, 0, 30, 1])
    found = fisher(on, 20, off, 50)
    for a, b, p in zip(on, off, found, strict=True):
        shape = (70, 20, a + b)
        every = hypergeom.pmf(np.arange(0, a + b + 1), *shape)
        assert p == pytest.approx(
            every[every <= hypergeom.pmf(a, *shape) * (1 + 1e-7)].sum(), rel=1e-6
        )
    assert found[1] == 1.0


def test_fisher_is_scipy_s_where_there_are_many_tokens() -> None:
    rng = np.random.default_rng(0)
    n_on, n_off = 900, 20_000
    on, off = rng.integers(0, 90, 60), rng.integers(0, 4000, 60)
    for a, b, p in zip(on, off, fisher(on, n_on, off, n_off), strict=True):
        wanted: Any = fisher_exact([[a, n_on - a], [b, n_off - b]])
        assert p == pytest.approx(wanted.pvalue, rel=1e-6, abs=1e-300)


def test_enrichment_by_hand() -> None:
    score = enrichment(np.array([7]), 15, np.array([1]), 31)
    assert score[0] == pytest.approx(np.log2((7.5 / 16) / (1.5 / 32)))


def test_q_is_benjamini_and_hochberg_s(
    model: LanguageModel, codebook: Codebook, use: CodeUse
) -> None:
    held = hold(model, codebook, use, Topic(Scope(labels=frozenset({"PHONE"}))), "rest")
    table = code_table(held)
    p = table["p"].to_numpy()
    order = np.argsort(p, kind="stable")
    q = np.empty(len(p))
    least = 1.0
    for rank in range(len(p), 0, -1):
        least = min(least, p[order[rank - 1]] * len(p) / rank)
        q[order[rank - 1]] = least
    assert np.allclose(table["q"], q)
    assert (table["q"].to_numpy()[:-1] <= table["q"].to_numpy()[1:] + 1e-12).all()


def test_the_table_counts_tokens(model: LanguageModel, codebook: Codebook, use: CodeUse) -> None:
    held = hold(model, codebook, use, Topic(Scope(labels=frozenset({"PHONE"}))), "rest")
    for row in code_table(held).to_dict("records"):
        stands = (use.codes == row["code"]).any(1)
        assert row["topic"] == (stands & held.topic).sum()
        assert row["control"] == (stands & held.control).sum()
        assert row["recall"] == pytest.approx(row["topic"] / held.topic.sum())
        assert row["precision"] == pytest.approx(row["topic"] / max(1, stands.sum()))
        assert row["collateral"] == pytest.approx(
            (stands & ~held.topic).sum() / (~held.topic).sum()
        )


def planted(records: int, on: float, seed: int = 0) -> Held:
    """Code 0 stands for topic tokens at rate `on`, for others at 0.1; code 1 for half of all."""
    rng = np.random.default_rng(seed)
    tokens = 40 * records
    record, topic = np.repeat(np.arange(records), 40), np.tile(np.arange(40) < 10, records)
    first = np.where(rng.random(tokens) < np.where(topic, on, 0.1), 0, 2)
    codes = np.stack([first, np.where(rng.random(tokens) < 0.5, 1, 3)], 1)
    use = CodeUse(
        (None,) * records, record, np.tile(np.arange(1, 41), records), codes,  # type: ignore
        np.ones(codes.shape), 4,
    )  # fmt: skip
    return Held(use, topic, use, ~topic, pairs=False)


def test_a_planted_code_is_found_and_no_other() -> None:
    table = code_table(planted(12, 0.8)).set_index("code")
    assert table.loc[0, "q"] < 1e-10
    assert table.loc[0, "p_records"] < 0.01
    assert table.loc[0, "score"] == pytest.approx(3, abs=0.5)
    assert table.loc[1, "q"] > 0.05
    assert choose_codes(table.reset_index(), Rule()) == (0,)
    assert choose_codes(table.reset_index(), Rule(collateral=0.05)) == ()
    assert choose_codes(table.reset_index(), Rule(least=10_000)) == ()


def test_false_discoveries_are_rare() -> None:
    found = [bool(choose_codes(code_table(planted(12, 0.1, seed)), Rule(tau=-9))) for seed in
             range(40)]  # fmt: skip
    assert sum(found) <= 6


def test_random_codes_are_used_as_often() -> None:
    import pandas as pd

    firing = np.linspace(0.001, 0.2, 60)
    table = pd.DataFrame({"code": np.arange(60), "firing": firing})
    codes = (10, 11, 40)
    drawn = alike_in_use(table, codes, seed=1)
    assert len(set(drawn)) == 3
    assert not set(drawn) & set(codes)
    assert np.abs(firing[list(drawn)] - firing[list(codes)]).max() < 0.05
    assert drawn == alike_in_use(table, codes, seed=1)


def test_contexts_are_the_most_alike_one_a_record(use: CodeUse) -> None:
    code = int(use.codes[0, 0])
    found = strongest_contexts(use, code, 8)
    assert len({c.record for c in found}) == len(found)
    assert [c.activation for c in found] == sorted((c.activation for c in found), reverse=True)
    best = use.similarity[use.codes == code].max()
    assert found[0].activation == pytest.approx(best)
    for context in found:
        assert context.first <= context.position < context.first + len(context.around)
        assert context.around[context.position - context.first] == context.activation
