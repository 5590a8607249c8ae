"""`sanilens app`: serve the browser app on loopback, to whoever has the address it prints."""

import os
import secrets
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from sanilens.extras import needs
from sanilens.locked import VARIABLE

_PACKAGE = Path(__file__).parents[1]


def app(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    token: Annotated[
        bool,
        typer.Option(
            "--token/--no-token",
            help="Ask for the token of the printed address. Without it, every user of this "
            "computer can use the app.",
        ),
    ] = True,
    locked: Annotated[
        bool,
        typer.Option(
            "--locked", help="For an auditor: look and download; nothing is changed or revealed."
        ),
    ] = False,
) -> None:
    """Open SaniLens in a browser: serves it on this computer and prints the address."""
    with needs("app"):
        import streamlit as st

        from sanilens.ui.case.opening import clear_uploads
        from sanilens.ui.doors import doors

    if locked:
        os.environ[VARIABLE] = "1"
    clear_uploads()
    # In a wheel the app's files lie inside the package; in a clone, beside it.
    root = _PACKAGE if (_PACKAGE / "app.py").exists() else _PACKAGE.parent
    # Drawn anew for each start, and handed to the server alone: other users of this computer see
    # the arguments of a process, and what it starts inherits its environment.
    drawn = secrets.token_urlsafe(32) if token else None

    @asynccontextmanager
    async def told(_: st.App) -> AsyncIterator[None]:
        query = f"/?token={drawn}" if drawn else ""
        typer.echo(f"SaniLens: http://127.0.0.1:{port}{query}  (Ctrl+C stops it)", err=True)
        yield

    # The shipped settings are given as options, so that they hold from whatever folder it starts.
    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    server = st.App(root / "app.py", middleware=doors(drawn), lifespan=told)
    # What Streamlit takes for the launcher, whose folder it puts first among those of modules.
    sys.argv = [str(root / "app.py")]
    # Its own welcome names the address without the token.
    ours = {"server.port": port, "logger.hideWelcomeMessage": True}
    server.run(config=options(config) | ours)


def options(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The TOML's values as `section.key`, as Streamlit names its options."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found |= options(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
