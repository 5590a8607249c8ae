"""What commands share."""

import json

import pytest
from rich.table import Table

from sanilens.cli.common import _Plain, hold_out, print_json
from sanilens.corpus.records import Record


def test_every_tenth_is_held_out_and_nothing_is_lost_or_in_both() -> None:
    records = [Record(f"r-{number}", "s-1", "text") for number in range(25)]
    trained, judged = hold_out(records)
    assert [record.id for record in judged] == ["r-0", "r-10", "r-20"]
    assert [record for record in records if record not in judged] == trained
    assert len(trained) == 22


HOSTILE = "[/x][link=http://evil.example]a[/link] :smile: \x1b]8;;http://evil.example\x07b \u202ec"
SHOWN = "[/x][link=http://evil.example]a[/link] :smile: ◌]8;;http://evil.example◌b ◌c"


def test_names_are_printed_as_they_are_and_steer_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output, errors = _Plain(), _Plain(stderr=True)
    output.width = errors.width = 200
    output.print(f"Worst subject: {HOSTILE}")
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    output.print(table)
    errors.print(HOSTILE, style="bold")
    printed = capsys.readouterr()
    assert printed.out.count(SHOWN) == 4
    assert SHOWN in printed.err
    assert not {*printed.out, *printed.err} & {*"\x1b\x07\u202e"}


def test_json_says_the_same_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"id": HOSTILE + "é\u009b\x7f", "text": "tab\tline\nend"}
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert not {*printed} & {*"\x1b\x07\u202e\u009b\x7f"}
    assert "é" in printed
