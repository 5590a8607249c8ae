"""`sanilens app`: serve the browser app on loopback."""

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import typer

_PACKAGE = Path(__file__).parents[1]


def app(port: Annotated[int, typer.Option(min=1, max=65535)] = 8501) -> None:
    """Open SaniLens in a browser: http://127.0.0.1:8501 unless --port says otherwise."""
    # In a wheel the app's files lie inside the package; in a clone, beside it.
    root = _PACKAGE if (_PACKAGE / "app.py").exists() else _PACKAGE.parent
    typer.echo(f"SaniLens: http://127.0.0.1:{port}  (Ctrl+C stops it)", err=True)
    # The shipped settings are given as flags, so that they hold from whatever folder it starts.
    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "streamlit", "run", str(root / "app.py")]
    flags = [f"--{name}={value}" for name, value in _flags(config)]
    os.execv(sys.executable, [*command, *flags, f"--server.port={port}"])


def _flags(config: dict, prefix: str = "") -> list[tuple[str, str]]:
    """Scalars of the TOML as `section.key`, as streamlit's command line names them."""
    flags: list[tuple[str, str]] = []
    for key, value in config.items():
        match value:
            case dict():
                flags += _flags(value, f"{prefix}{key}.")
            case bool():
                flags.append((prefix + key, str(value).lower()))
            # Streamlit reads a theme's lists as JSON, and other lists as flags that repeat.
            case list() if prefix.startswith("theme."):
                flags.append((prefix + key, json.dumps(value)))
            case list():
                flags += [(prefix + key, str(item)) for item in value]
            case _:
                flags.append((prefix + key, str(value)))
    return flags
