"""The real app in a process of its own, and a Chromium to use it with."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from sanilens.runs.folder import RunFolder
from tests.ui.conftest import CHROMIUM, QUIET, ROOT, _free_port, tab

__all__ = ["tab"]


# Put before all else in the server: it writes down whom the process connects to or asks for.
_NOTED = """
import os, sys

def note(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        with open(os.environ["SANILENS_TEST_SOCKETS"], "a") as file:
            print(event, args[1:] if event.startswith("socket.connect") else args, file=file)

sys.addaudithook(note)
"""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=(\S+)")


@dataclass(frozen=True, slots=True)
class Served:
    """A running app: where it answers, where it keeps things, what it has printed.

    `sockets` lists the connections that the server itself opened.
    """

    url: str
    home: Path
    log: Path
    sockets: Path
    pid: int
    token: str

    def address(self, path: str = "/") -> str:
        """A page's address with the token, as one opens it first."""
        return f"{self.url}{path}{'&' if '?' in path else '?'}token={self.token}"


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
    with serving(tmp_path) as found:
        yield found


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[Served]:
    """The same with more in its environment; `folder` becomes its workspace's parent."""
    home, log, port = folder / "home", folder / "server.log", _free_port()
    noted, sockets = folder / "noted", folder / "sockets.log"
    noted.mkdir(exist_ok=True)  # it may be started again
    (noted / "sitecustomize.py").write_text(_NOTED)
    sockets.touch()
    paths = [str(noted), str(ROOT)]
    own = {"SANILENS_HOME": str(home), "SANILENS_TEST_SOCKETS": str(sockets)}
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "sanilens", "app", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **own, "PYTHONPATH": os.pathsep.join(paths), **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
            umask=0,  # what is private must not be so by the user's settings alone
        )
    try:
        token = _token(server, log)
        yield Served(f"http://127.0.0.1:{port}", home, log, sockets, server.pid, token)
    finally:
        for run in (home / "runs").glob("*"):
            RunFolder(run).cancel_file.touch()
        server.terminate()
        server.wait(timeout=30)


def _token(server: subprocess.Popen, log: Path) -> str:
    """The token of the address, which is printed once the server listens."""
    end = time.monotonic() + 90
    while time.monotonic() < end and server.poll() is None:
        if found := _ADDRESS.search(log.read_text("utf-8", "replace")):
            return found[1]
        time.sleep(0.2)
    pytest.fail(f"the app did not start:\n{log.read_text('utf-8', 'replace')}")
