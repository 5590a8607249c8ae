"""Notices reach whoever listens, once, and nobody else."""

from sanilens.notices import heard, hearing, tell


def test_a_listener_is_told_each_notice_once() -> None:
    tell("nobody listens")
    aloud: list[str] = []
    with hearing(aloud.append) as outer:
        tell("one")
        with hearing() as inner:
            tell("two")
            tell("two")
            assert heard() == ("two",)
        tell("one")
        assert heard() == ("one", "two")
    tell("three")
    assert outer == aloud == ["one", "two"]
    assert inner == ["two"]
    assert heard() == ()
