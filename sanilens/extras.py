"""Libraries that only some commands need: where one is missing, one sentence says how to get it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sanilens.errors import MissingExtraError

Extra = Literal["app", "attacks", "detect", "evidence", "sae", "research"]


@contextmanager
def needs(extra: Extra) -> Iterator[None]:
    """Import what `extra` installs inside this.

    Raises:
        MissingExtraError: naming the library that is missing and the extra that brings it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "a library").split(".")[0]
        raise MissingExtraError(
            f"This needs {library}, which is not installed: pip install 'sanilens[{extra}]'."
        ) from None
