"""Looks over the user's shoulder: whatever leaves the server is searched for identifiers."""

import re
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit
from zipfile import ZipFile, is_zipfile

from playwright.sync_api import Page, WebSocket

from sanilens.audit.near import Neighbours

# Numbers, and names of two words: what a near miss of an identifier would look like.
_CANDIDATE = re.compile(r"(?<![\w.])\d{5,}(?![\w.])|\b[A-Z]\w+[ -][A-Z]\w+\b")
# Among a thousand scores' digits any number stands by chance.
_DECIMAL = re.compile(rb"\d\.\d{6,}(e-?\d+)?")
# So it does in the library that draws a page's pictures.
_SCRIPT = re.compile(rb"<script\b.*?</script>", re.DOTALL)
# Every run of the page has an id by chance, whose groups may be digits alone.
_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32,}\b")
_TAKES = re.compile(r"about\s[\d.]+\s(s|min|h)\b")
# Everything that the document and its open shadow roots hold: text, attributes, fields.
_ALL = """
() => {
  const found = [];
  const read = (root) => {
    found.push(root.innerHTML ?? root.documentElement.outerHTML);
    for (const element of root.querySelectorAll("*")) {
      if ("value" in element) found.push(String(element.value));
      if (element.shadowRoot) read(element.shadowRoot);
    }
  };
  read(document);
  return found.join("\\n");
}
"""


# What of it is words: a drawing's coordinates and our keys are near any number.
_WORDS = """
() => {
  const found = [document.title];
  const named = ["title", "alt", "aria-label", "aria-description", "placeholder", "href"];
  const read = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.matches("style, script")) continue;
      for (const node of element.childNodes) if (node.nodeType === 3) found.push(node.data);
      for (const name of named) found.push(element.getAttribute(name) ?? "");
      if ("value" in element) found.push(String(element.value));
      if (element.shadowRoot) read(element.shadowRoot);
    }
  };
  read(document);
  return found.join("\\n");
}
"""


class Watch:
    """A tab's requests and messages, and what may not stand in them."""

    def __init__(self, tab: Page, secrets: Iterable[str], home: Path, log: Path) -> None:
        """Listen from now on.

        Args:
            tab: before its first page.
            secrets: identifiers that nothing may show before they are revealed.
            home: the workspace; its corpora are the only files that may hold them.
            log: what the server prints.
        """
        self._tab, self._home, self._log = tab, home, log
        # Conte is a name, Context is none: a word that goes on is another word.
        self._secrets = {
            secret: re.compile(re.escape(secret.encode()) + rb"(?![a-z])") for secret in secrets
        }
        # A number with a digit wrong is nearly the number, and so it is with names.
        self._near = NearMisses(self._secrets)
        self.urls: list[str] = []
        self._messages: list[bytes] = []
        tab.on("request", lambda request: self.urls.append(request.url))
        tab.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        self.urls.append(socket.url)
        socket.on("framereceived", lambda data: self._messages.append(_bytes(data)))

    def screen(self) -> str:
        """The page as it is now."""
        return f"{self._tab.title()}\n{self._tab.content()}\n{self._tab.evaluate(_ALL)}"

    def shown(self) -> set[str]:
        """Identifiers that stand on the page."""
        return self._in(self.screen().encode())

    def clean(self, where: str) -> None:
        """Nothing has leaked so far: not to the page, the address, the messages, the files."""
        self.urls.append(self._tab.url)
        messages, self._messages = self._messages, []
        places = {
            "the page": self.screen().encode(),
            # What canvases draw stands in no document: it came this way.
            "the messages": b"\n".join(messages),
            "the addresses": "\n".join(map(unquote_plus, self.urls)).encode(),
            "the server's log": self._log.read_bytes(),
        }
        for place, content in places.items():
            assert not self._in(content), f"{where}: {self._around(content)} in {place}"
            text = _ID.sub("", content.decode(errors="replace"))
            near = self._near.among(self._tab.evaluate(_WORDS) if place == "the page" else text)
            assert not near, f"{where}: near misses {near} in {place}"
        self.files_clean(where)
        self.stays_here(where)

    def downloads_clean(self, where: str) -> int:
        """Nothing that the page offers for download holds an identifier; how many there were."""
        waits = "() => !document.querySelector('[data-testid=\"stSkeleton\"]')"
        self._tab.wait_for_function(waits)
        buttons = self._tab.locator('[data-testid="stDownloadButton"] button:visible').all()
        for button in buttons:
            with self._tab.expect_download() as told:
                button.click()
            name, content = told.value.suggested_filename, told.value.path().read_bytes()
            for held in (name.encode(), *_inside(content)):
                held = _DECIMAL.sub(b"", held)
                assert not self._in(held), f"{where}: {self._around(held)} in {name}"
                near = self._near.among(_SCRIPT.sub(b"", held).decode(errors="replace"))
                assert not near, f"{where}: near misses {near} in {name}"
        return len(buttons)

    def files_clean(self, where: str) -> None:
        """No file of the workspace holds an identifier, corpora aside."""
        for file in self._home.rglob("*"):
            inside = file.relative_to(self._home)
            if file.is_file() and inside.parts[0] != "corpora":
                content = _DECIMAL.sub(b"", _content(file))
                assert not self._in(content), f"{where}: {self._around(content)} in {inside}"

    def owners_alone(self, where: str) -> None:
        """Nobody but the owner can read the workspace, whatever the server's umask."""
        modes = {file: file.lstat().st_mode & 0o777 for file in self._home.rglob("*")}
        wanted = {file: 0o700 if file.is_dir() else 0o600 for file in modes}
        open_to_others = {
            str(file.relative_to(self._home)): oct(mode)
            for file, mode in modes.items()
            if mode != wanted[file]
        }
        assert open_to_others == {}, where
        assert self._home.stat().st_mode & 0o777 == 0o700, where

    def stays_here(self, where: str) -> None:
        """No request went to another computer."""
        hosts = {
            urlsplit(url).hostname for url in self.urls if not url.startswith(("data:", "blob:"))
        }
        assert hosts <= {"127.0.0.1"}, f"{where}: requests to {hosts}"

    def _around(self, content: bytes) -> list[bytes]:
        """What was found, with a little of what stands around it (the clinic is invented)."""
        hits = (self._secrets[secret].search(content) for secret in sorted(self._in(content)))
        return [content[max(0, hit.start() - 30) : hit.end() + 20] for hit in hits if hit][:5]

    def _in(self, content: bytes) -> set[str]:
        return {secret for secret, pattern in self._secrets.items() if pattern.search(content)}


class NearMisses:
    """Finds what is within two edits of an identifier."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Of identifiers that are numbers, or names of two words."""
        self._known = Neighbours.of(s for s in secrets if _CANDIDATE.fullmatch(s))

    def among(self, text: str) -> set[str]:
        """The near misses in a text."""
        return {own for own in set(_CANDIDATE.findall(text)) if self._known.near(own)}


def _inside(content: bytes) -> Iterator[bytes]:
    """A file's bytes; of an archive each member's."""
    if not is_zipfile(BytesIO(content)):
        yield content
        return
    with ZipFile(BytesIO(content)) as archive:
        for name in archive.namelist():
            yield name.encode() + b"\n" + archive.read(name)


def same_after_reload(tab: Page) -> None:
    """Nothing is lost: the address, the heading and all text are what they were.

    How long something will take is measured anew.
    """
    main = tab.locator('[data-testid="stMain"]')

    def words() -> list[str]:
        return _TAKES.sub("about …", main.inner_text()).split()

    address, text = tab.url, words()
    tab.reload()
    now: list[str] = []
    for _ in range(120):
        tab.wait_for_timeout(500)
        now = words() if main.count() else []
        if now == text:
            break
    assert now == text, "\n".join(unified_diff(text, now, lineterm="", n=3))
    assert tab.url == address


def _bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # a run's temporary file, replaced meanwhile
        return b""
