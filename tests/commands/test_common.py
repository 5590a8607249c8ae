"""What commands share."""

from sanilens.commands.common import hold_out
from sanilens.corpus.records import Record


def test_every_tenth_is_held_out_and_nothing_is_lost_or_in_both() -> None:
    records = [Record(f"r-{number}", "s-1", "text") for number in range(25)]
    trained, judged = hold_out(records)
    assert [record.id for record in judged] == ["r-0", "r-10", "r-20"]
    assert [record for record in records if record not in judged] == trained
    assert len(trained) == 22
