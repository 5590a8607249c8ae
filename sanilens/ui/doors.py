"""Who may use the app, and what its pages may fetch: checked before Streamlit sees a request.

The server listens on this computer alone, yet other users of it, and pages that other servers of
it show, can reach the port. So, as Jupyter does, each start draws a token. The address that is
printed carries it; the first visit trades it for a cookie that scripts cannot read and foreign
sites do not send, and the token leaves the address. Without either, every page, upload, download
and WebSocket is refused; only `/_stcore/health` answers, with "ok".

Checked of each request, in this order:
    Host: one of this computer's own names, else a foreign name was pointed here (DNS rebinding).
    Origin: this very server, port included, wherever a browser names one. A foreign one is not
        left to Streamlit, which asks the internet for its own address before it refuses.
    token or cookie.

Every answer says what its page may do: nothing is fetched from elsewhere, whatever text may have
slipped into it, no other page may frame or embed it, and no address is passed on.

It does not keep out who can read this user's processes, files or terminal. A cookie is sent to
every port of its host, so another server on 127.0.0.1 that this browser visits could read it.
"""

import hmac
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("localhost", "127.0.0.1")
_PARAMETER = "token"
_HEALTH = "/_stcore/health"
# What Streamlit serves beside the app, and the app has no use for: figures of the process, and an
# interface for programs, whose description answers even where it is switched off.
_SHUT = re.compile(r"/_stcore/(metrics|agent)\b")
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def _policy() -> str:
    """What a page may load. Streamlit needs blobs for components, and writes styles of its own."""
    page = Path(st.__file__).with_name("static") / "index.html"
    inline = _INLINE.findall(page.read_text(encoding="utf-8"))
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in inline]
    own = " ".join(f"'sha256-{each}'" for each in hashes)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' blob: {own}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


_HEADERS = {
    "Content-Security-Policy": _policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
}
_NO_TOKEN = (
    "SaniLens is running here, for the one who started it. Open the address that it printed when "
    "it started: it ends in a token, which each start draws anew.\n"
)
_FOREIGN = "This request comes from a page of another server.\n"


def doors(token: str | None) -> list[Middleware]:
    """The checks for `st.App(middleware=...)`; a token of None lets every user of this host in."""
    return [
        Middleware(_Headers),
        Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
        Middleware(_Doors, token=token),
    ]


class _Headers:
    """Puts the policy on every answer, a refusal too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


class _Doors:
    """Lets through what comes from our own pages and has shown the token."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response | None = None
        if scope["type"] in ("http", "websocket"):
            answer = self._answer(HTTPConnection(scope))
        await (answer or self._app)(scope, receive, send)

    def _answer(self, request: HTTPConnection) -> Response | None:
        """What is answered in Streamlit's place; None where the request may pass."""
        origin = request.headers.get("origin")
        secure = request.url.scheme in ("https", "wss")
        own = f"http{'s' * secure}://{request.headers['host']}"
        if origin is not None and origin != own:
            return PlainTextResponse(_FOREIGN, 403)
        # As it is routed: in `request.url` an escaped question mark would end the path.
        path: str = request.scope["path"]
        if _SHUT.match(path):
            return PlainTextResponse("Not found\n", 404)
        if self._token is None or path == _HEALTH:
            return None
        # Cookies know no ports: two servers of one host would overwrite each other's.
        server: tuple[str, int] = request.scope["server"]
        name = f"sanilens-{server[1]}"
        known = _same(request.cookies.get(name), self._token)
        shown = request.query_params.get(_PARAMETER)
        if not known and not _same(shown, self._token):
            return PlainTextResponse(_NO_TOKEN, 403)
        if shown is None or request.scope["type"] != "http":
            return None
        answer = RedirectResponse(request.url.remove_query_params(_PARAMETER), 303)
        answer.set_cookie(name, self._token, httponly=True, samesite="strict")
        return answer


def _same(given: str | None, token: str) -> bool:
    return hmac.compare_digest((given or "").encode(), token.encode())
