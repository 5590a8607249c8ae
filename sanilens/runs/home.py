"""Where the workspace lies; by itself, so that the server finds it without loading torch."""

import os
from pathlib import Path


def home_path() -> Path:
    """`SANILENS_HOME`, or `~/.sanilens`; it may not have been made yet."""
    return Path(os.environ.get("SANILENS_HOME") or Path.home() / ".sanilens")
