"""The gallery in a real Chromium, for the tests marked `e2e`."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sanilens.bundled import Sources
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.ui.plan import ready
from tests.ui.tiny_case import make_case, make_plan

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def tiny_case(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """A case of tiny models and short notes."""
    return make_case(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="session")
def tiny_run(tiny_case: Sources, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run of it, in a workspace of its own."""
    plan = make_plan(tiny_case)
    runs = tmp_path_factory.mktemp("workspace") / "runs"
    execute(plan, runs / plan.sha256[:16])
    return RunFolder(runs / plan.sha256[:16])


@pytest.fixture(autouse=True)
def _nothing_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page starts a process unasked: what the next test measures would wait for it."""
    monkeypatch.setattr(ready, "_SMALL", 0)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace."""
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def gallery_url() -> Iterator[str]:
    """A server with the gallery on a free port of this computer."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "tests/ui/gallery_app.py"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A fresh tab that fails the test on any error of a script."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
    yield page
    page.close()
    assert errors == []
