"""Opening files that anybody may have made: regular ones of a bearable size, and nothing else.

A pipe keeps whoever opens it waiting, a device never ends, a link may lead anywhere, and JSON in
Python's reading holds NaN. What is wrong is raised as the caller's own error, with its remedy.
"""

import json
import math
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

from sanilens.errors import SaniLensError


def open_file(
    path: Path,
    error: type[SaniLensError],
    *,
    remedy: str = "",
    shown: str = "",
    most: int | None = None,
    links: bool = True,
) -> BufferedReader:
    """Open a regular file for reading.

    Args:
        path: the file.
        error: what to raise.
        remedy: the sentence that says how to mend it.
        shown: what to call the file; its name if left out.
        most: how many bytes it may have.
        links: whether the path may be a link to a file.

    Raises:
        SaniLensError: the `error`, if it is missing, anything but a file, too large or unreadable.
    """
    found, handle = "", -1
    try:
        # Not blocking: opening a pipe returns at once, whether or not anybody writes to it.
        flags = os.O_RDONLY | os.O_NONBLOCK | (0 if links else os.O_NOFOLLOW)
        handle = os.open(path, flags)
        # Of what was opened, not of the path: that may lead elsewhere by now.
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            found = f"is {_kind(status.st_mode)}, not a file"
        elif most is not None and status.st_size > most:
            found = f"is larger than {_size(most)}"
        else:
            file, handle = os.fdopen(handle, "rb"), -1
            return file
    except FileNotFoundError:
        found = "is missing"
    except (OSError, ValueError) as wrong:  # ValueError: a name that no file can have
        is_link = not links and path.is_symlink()
        reason = getattr(wrong, "strerror", None) or type(wrong).__name__
        found = "is a link, not a file" if is_link else f"cannot be read ({reason})"
    finally:
        if handle >= 0:
            os.close(handle)
    raise error(f"{shown or path.name} {found}. {remedy}".rstrip())


def a_kind_of(path: Path) -> str:
    """What stands at a path where a file should."""
    return _kind(path.lstat().st_mode)


def parse_json(content: bytes) -> Any:
    """Parse UTF-8 JSON whose numbers are finite.

    Raises:
        ValueError: if it is anything else.
    """
    try:
        return json.loads(content.decode(), parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _kind(mode: int) -> str:
    kinds = {"a folder": stat.S_ISDIR, "a link": stat.S_ISLNK, "a pipe": stat.S_ISFIFO}
    return next((name for name, is_one in kinds.items() if is_one(mode)), "a device or socket")


def _size(count: int) -> str:
    return f"{count >> 20:,} MB" if count >= 2**20 else f"{count:,} bytes"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("a number beyond what a float can hold")
    return number
