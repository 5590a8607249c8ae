"""Batches hold every index once, alike in length, within the budget."""

from hypothesis import given
from hypothesis import strategies as st

from sanilens.model.batches import bucketed


@given(st.lists(st.integers(1, 300), max_size=80))
def test_bucketed_is_a_partition_within_the_budget(lengths: list[int]) -> None:
    batches = list(bucketed(lengths, tokens=512))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= 512
    longest = [lengths[batch[0]] for batch in batches]
    assert longest == sorted(longest, reverse=True)
