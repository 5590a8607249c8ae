"""Kept files: what was of no use for longest goes, and the newest stays."""

import os
from pathlib import Path

from sanilens.kept import kept_bytes, make_room, used


def filled(folder: Path, *sizes: int) -> list[Path]:
    """Files `0`, `1`, … of these sizes, each of use a minute after the one before."""
    made: list[Path] = []
    for number, size in enumerate(sizes):
        made.append(folder / str(number))
        made[-1].write_bytes(bytes(size))
        os.utime(made[-1], (1e9 + 60 * number, 1e9 + 60 * number))
    return made


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_least_recently_used_goes(tmp_path: Path) -> None:
    files = filled(tmp_path, 10, 10, 10, 10)
    used(files[0])
    make_room(tmp_path, 25, files[3])
    assert there(tmp_path) == ["0", "3"]
    assert kept_bytes(tmp_path) == 20


def test_the_newest_stays_however_large(tmp_path: Path) -> None:
    files = filled(tmp_path, 10, 100)
    make_room(tmp_path, 50, files[1])
    assert there(tmp_path) == ["1"]


def test_folders_count_with_all_that_is_in_them_and_links_are_left(tmp_path: Path) -> None:
    (own := tmp_path / "kept").mkdir()
    (entry := own / "old").mkdir()
    filled(entry, 30, 30)
    os.utime(entry, (1e9, 1e9))
    (tmp_path / "elsewhere").mkdir()
    filled(tmp_path / "elsewhere", 500)
    (own / "link").symlink_to(tmp_path / "elsewhere")
    (newest := own / "new").write_bytes(bytes(10))
    assert kept_bytes(own) == 70
    make_room(own, 69, newest)
    assert there(own) == ["link", "new"]
    assert there(tmp_path / "elsewhere") == ["0"]
