"""The checks before Streamlit: an application that says "in" stands for it here."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from sanilens.ui.doors import doors

TOKEN, HOST = "t" * 43, "http://127.0.0.1:8501"
PLACES = [
    "/",
    "/inspect",
    "/static/js/index.js",
    "/media/file.csv",
    "/component/x/index.html",
    "/_stcore/bidi-components/x",
    "/_stcore/host-config",
    "/_stcore/upload_file/session/file",
]
SOCKET = "/_stcore/stream"


async def _inside(request: Request) -> Response:
    return PlainTextResponse(f"in {request.url.query}")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("in")
    await socket.close()


def client(token: str | None) -> TestClient:
    methods = ["GET", "PUT", "POST", "DELETE", "OPTIONS"]
    routes = [WebSocketRoute(SOCKET, _stream), Route("/{path:path}", _inside, methods=methods)]
    app = Starlette(routes=routes, middleware=doors(token))
    # uvicorn says which port it serves; the test client says 8501 of this address.
    return TestClient(app, base_url=HOST, follow_redirects=False)


@pytest.fixture
def stranger() -> TestClient:
    """Somebody without the token."""
    return client(TOKEN)


@pytest.fixture
def visitor() -> TestClient:
    """Somebody who has opened the printed address."""
    found = client(TOKEN)
    assert found.get(f"/?token={TOKEN}").status_code == 303
    return found


def streams(who: TestClient, **headers: str) -> bool:
    """Whether the WebSocket opens."""
    try:
        with who.websocket_connect(f"{HOST.replace('http', 'ws')}{SOCKET}", headers=headers) as on:
            return on.receive_text() == "in"
    except WebSocketDenialResponse as refused:
        return refused.status_code not in (400, 403)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_nothing_opens_without_the_token(stranger: TestClient, place: str, method: str) -> None:
    for address in (
        place,
        f"{place}?token=",
        f"{place}?token=wrong",
        f"{place}?token={TOKEN[:-1]}",
    ):
        answer = stranger.request(method, address)
        assert answer.status_code == 403
        assert TOKEN not in answer.text
    stranger.cookies.set("sanilens-8501", "wrong")
    assert stranger.request(method, place).status_code == 403


def test_the_socket_opens_for_the_cookie_only(stranger: TestClient, visitor: TestClient) -> None:
    assert not streams(stranger)
    assert streams(visitor)
    assert streams(visitor, origin=HOST)


def test_the_first_visit_trades_the_token_for_a_cookie(stranger: TestClient) -> None:
    answer = stranger.get(f"/inspect?case=clinic&token={TOKEN}&record=n-1")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{HOST}/inspect?case=clinic&record=n-1"
    kept = answer.headers["set-cookie"]
    assert kept.startswith("sanilens-8501=")
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept
    assert stranger.get(answer.headers["location"]).text == "in case=clinic&record=n-1"


def test_a_token_of_another_start_leaves_the_address_too(visitor: TestClient) -> None:
    answer = visitor.get("/plan?token=old")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOST}/plan")


@pytest.mark.parametrize("place", PLACES)
def test_every_place_opens_with_the_cookie(visitor: TestClient, place: str) -> None:
    assert visitor.get(place).text == "in "


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:8888", "http://localhost:8501", "null",
     "https://127.0.0.1:8501", "http://127.0.0.1:8501.evil.example", "http://127.0.0.1"],
)  # fmt: skip
@pytest.mark.parametrize("token", [TOKEN, None])
def test_a_foreign_origin_never_reaches_streamlit(origin: str, token: str | None) -> None:
    who = client(token)
    who.get(f"/?token={TOKEN}")
    for place in (*PLACES, "/_stcore/health"):
        assert who.get(place, headers={"origin": origin}).status_code == 403
    assert not streams(who, origin=origin)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("token", [TOKEN, None])
def test_a_foreign_name_of_this_computer_is_refused(host: str, token: str | None) -> None:
    who = client(token)
    for place in (*PLACES, f"/?token={TOKEN}", "/_stcore/health"):
        answer = who.get(place, headers={"host": host})
        assert answer.status_code == 400
        assert "set-cookie" not in answer.headers
    assert not streams(who, host=host)


def test_health_alone_answers_everybody(stranger: TestClient) -> None:
    assert stranger.get("/_stcore/health").status_code == 200
    for place in (
        "/_stcore/health/x",
        "/_stcore/health%3Fx",
        "/_stcore/health%23",
        "/x/_stcore/health",
    ):
        assert stranger.get(place).status_code == 403


@pytest.mark.parametrize(
    "place", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact"]
)
def test_what_the_app_does_not_need_is_shut(visitor: TestClient, place: str) -> None:
    assert visitor.get(place).status_code == 404
    assert client(None).get(place).status_code == 404


def test_without_a_token_every_user_of_this_computer_gets_in() -> None:
    who = client(None)
    assert who.get("/plan").text == "in "
    assert streams(who, origin=HOST)


def test_every_answer_carries_the_policy(stranger: TestClient, visitor: TestClient) -> None:
    answers = [
        stranger.get("/"),
        stranger.get("/", headers={"host": "evil.example"}),
        stranger.get("/_stcore/health"),
        visitor.get("/"),
        visitor.get(f"/?token={TOKEN}"),
    ]
    for answer in answers:
        policy = dict(
            p.split(" ", 1) for p in answer.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["connect-src"] == "'self'"
        assert policy["img-src"] == "'self' data: blob:"
        assert "unsafe" not in policy["script-src"]
        assert not any("*" in sources or "http" in sources for sources in policy.values())
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
