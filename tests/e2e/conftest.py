"""The real app in a process of its own, and a Chromium to use it with."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, sync_playwright

from sanilens.runs.folder import RunFolder
from tests.ui.conftest import CHROMIUM, QUIET, ROOT, _free_port, tab

__all__ = ["tab"]


@dataclass(frozen=True, slots=True)
class Served:
    """A running app: where it answers, where it keeps things, what it has printed."""

    url: str
    home: Path
    log: Path


# Closed with its module: two synchronous Playwrights cannot be open at once in one process, and
# tests/ui opens its own for the whole session.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """`sanilens app` on a free port with an empty workspace; it and its runs end with the test."""
    home, log, port = tmp_path / "home", tmp_path / "server.log", _free_port()
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "sanilens", "app", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "SANILENS_HOME": str(home)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(server, url, log)
        yield Served(url, home, log)
    finally:
        for folder in (home / "runs").glob("*"):
            RunFolder(folder).cancel_file.touch()
        server.terminate()
        server.wait(timeout=30)


def _wait(server: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the app did not start:\n{log.read_text('utf-8', 'replace')}")
