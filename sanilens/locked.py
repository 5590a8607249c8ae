"""Locked: a workspace that somebody may look at and not change, such as an auditor.

`sanilens app --locked` tells its server by the environment, and whatever would change a run or a
corpus, or reveal a text, asks here: no page has to be trusted with it.
"""

import os

from sanilens.errors import RunError

VARIABLE = "SANILENS_LOCKED"


def locked() -> bool:
    """Whether this process may look alone."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def refuse_if_locked() -> None:
    """Stop what would change or reveal something.

    Raises:
        RunError: if this process may look alone.
    """
    if locked():
        raise RunError(
            "This app is locked: everything can be looked at and downloaded, nothing changed or "
            "revealed. Whoever serves it can start it without --locked."
        )
