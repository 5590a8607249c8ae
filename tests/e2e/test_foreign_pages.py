"""The doors in a real browser: pages of another server on this computer, and what may call out."""

import http.client
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Served

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_WAIT = 120_000


class _Elsewhere:
    """Another server on this computer, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<title>elsewhere</title>")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[_Elsewhere]:
    found = _Elsewhere()
    yield found
    found.close()


# Each way in which markup could call out, were it to get through.
_CALLS_OUT = """
async (url) => {
  const put = (html) => document.body.insertAdjacentHTML("beforeend", html);
  put(`<img src="${url}/img"><iframe src="${url}/iframe"></iframe>`);
  put(`<video src="${url}/video"></video><audio src="${url}/audio"></audio>`);
  put(`<object data="${url}/object"></object><embed src="${url}/embed">`);
  put(`<link rel="stylesheet" href="${url}/css"><link rel="prefetch" href="${url}/prefetch">`);
  put(`<div style="background: url(${url}/background); height: 9px">x</div>`);
  put(`<style>@font-face {font-family: zq; src: url(${url}/font)} #zq {font-family: zq}</style>`);
  put(`<p id="zq">x</p><form id="zqf" action="${url}/form"></form>`);
  document.head.append(Object.assign(document.createElement("script"), {src: `${url}/script`}));
  navigator.sendBeacon(`${url}/beacon`);
  try { new WebSocket(url.replace("http", "ws") + "/socket"); } catch {}
  try { new EventSource(`${url}/events`); } catch {}
  await fetch(`${url}/fetch`, {mode: "no-cors"}).catch(() => null);
  await new Promise((done) => setTimeout(done, 1500));
}
"""


def test_even_markup_that_gets_through_calls_nobody(
    tab: Page, served: Served, elsewhere: _Elsewhere
) -> None:
    tab.goto(served.address())
    tab.locator(".st-key-open-ward button").wait_for()
    tab.evaluate(_CALLS_OUT, elsewhere.url)
    tab.evaluate("document.getElementById('zqf').submit()")
    tab.wait_for_timeout(500)
    assert elsewhere.asked == []
    assert urlsplit(tab.url).netloc == urlsplit(served.url).netloc
    # Without the policy the same markup does call.
    tab.goto(elsewhere.url.replace("127.0.0.1", "localhost"))
    tab.evaluate(_CALLS_OUT, elsewhere.url)
    assert {"/img", "/fetch"} <= {*elsewhere.asked}


_DRIVES = """
async (url) => {
  const socket = new WebSocket(url.replace("http", "ws") + "/_stcore/stream", ["streamlit"]);
  const opened = await new Promise((done) => {
    socket.onopen = () => done(true);
    socket.onerror = () => done(false);
  });
  const read = await fetch(`${url}/_stcore/host-config`, {credentials: "include"})
    .then((answer) => answer.text()).catch(() => null);
  const frame = Object.assign(document.createElement("iframe"), {src: url});
  document.body.append(frame);
  await new Promise((done) => setTimeout(done, 1500));
  return {opened, read, framed: frame.contentDocument !== null && frame.contentWindow.length > 0};
}
"""


def test_a_page_of_another_local_server_cannot_drive_the_app(
    tab: Page, served: Served, elsewhere: _Elsewhere
) -> None:
    tab.goto(served.address())
    tab.locator(".st-key-open-ward button").wait_for()
    # Ports are no sites: this page's requests carry the cookie.
    tab.goto(elsewhere.url)
    assert tab.evaluate(_DRIVES, served.url) == {"opened": False, "read": None, "framed": False}


def test_a_foreign_origin_makes_the_server_ask_nobody(served: Served) -> None:
    """Left to itself, Streamlit looks up its external address before it refuses."""
    address = urlsplit(served.url)
    for token in (served.token, "wrong"):
        call = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        handshake = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Origin": "http://evil.example",
            "Cookie": f"sanilens-{address.port}={token}",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        call.request("GET", "/_stcore/stream", headers=handshake)
        assert call.getresponse().status == 403
        call.close()
    assert not [line for line in served.sockets.read_text().splitlines() if not _local(line)]


def _local(line: str) -> bool:
    return bool(re.search(r"'(127\.0\.0\.1|localhost|::1)'|/run/|/tmp/|\.sock", line))


def test_the_token_stays_out_of_sight(tab: Page, served: Served) -> None:
    referrers: list[str] = []
    tab.on("request", lambda request: referrers.append(request.headers.get("referer", "")))
    tab.goto(served.address("/?case=clinic"))
    tab.locator(".st-key-next-to-audit").wait_for(timeout=_WAIT)
    assert served.token not in tab.url
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.get_by_text("Copy link").click()
    expect(tab.get_by_role("button", name="Copied")).to_be_visible()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.replace("/?", "?") == f"{served.url}?case=clinic"
    assert served.token not in tab.content()
    assert served.token not in tab.evaluate("JSON.stringify([document.cookie, history.state])")
    assert not any(served.token in each for each in referrers)
    for file in served.home.rglob("*"):
        assert not file.is_file() or served.token.encode() not in file.read_bytes()
    assert served.log.read_text().count(served.token) == 1
