"""Opening files: regular, of a bearable size, or one message in the caller's own words."""

import os
from pathlib import Path

import pytest

from sanilens.errors import CorpusError, ModelError
from sanilens.files import open_file, parse_json


def refused(path: Path, **how: object) -> str:
    with pytest.raises(ModelError) as found:
        open_file(path, ModelError, **how)  # pyright: ignore[reportArgumentType]
    return str(found.value)


def test_a_file_is_opened(tmp_path: Path) -> None:
    (path := tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(path)
    for name in ("file", "link"):
        with open_file(tmp_path / name, ModelError, most=3) as file:
            assert file.read() == b"abc"


def test_what_is_not_a_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "ring").symlink_to("ring")
    assert refused(tmp_path / "pipe") == "pipe is a pipe, not a file."
    assert refused(Path("/dev/zero")) == "zero is a device or socket, not a file."
    assert refused(tmp_path, shown="here", remedy="Go.") == "here is a folder, not a file. Go."
    assert refused(tmp_path / "none") == "none is missing."
    assert refused(tmp_path / "link", links=False) == "link is a link, not a file."
    assert "cannot be read" in refused(tmp_path / "ring")
    assert "cannot be read" in refused(tmp_path / "\0")


def test_size_is_looked_at_before_reading(tmp_path: Path) -> None:
    (path := tmp_path / "file").write_bytes(b"abc")
    assert refused(path, most=2) == "file is larger than 2 bytes."
    os.truncate(path, 2**40)
    assert refused(path, most=2**31) == "file is larger than 2,048 MB."


def test_a_refusal_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        with pytest.raises(CorpusError):
            open_file(tmp_path, CorpusError)
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize("content", [b"", b"{", b"NaN", b"1e999", b"\xff", b"[" * 100_000])
def test_only_finite_json_is_parsed(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, the caller has the words
        parse_json(content)
    assert parse_json(b'{"a": [1.5, null]}') == {"a": [1.5, None]}
