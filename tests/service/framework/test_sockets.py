"""WebSockets whose handler fails: told as requests are, before they are accepted and afterwards."""

import json

import pytest
from tests.service.framework.running import PATIENCE, Running
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response
from websockets.sync.client import connect


def refused(running: Running, path: str) -> Response:
    with (
        pytest.raises(InvalidStatus) as failure,
        connect(f"ws://{running.address}{path}", additional_headers={"X-Request-ID": path[1:3]}),
    ):
        pass
    return failure.value.response


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nowhere", 404, "Not Found"),
        ("/orders/7", 400, "Bad Request"),
        ("/early/refused", 401, "who are you?"),
        ("/early/open", 503, "Try again in"),
        ("/early/crash", 500, "Something went wrong"),
    ],
)
def test_one_that_is_not_accepted_is_answered_as_a_request_is(
    running: Running, path: str, status: int, says: str
) -> None:
    answer = refused(running, path)

    problem = json.loads(answer.body)
    assert answer.status_code == problem["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == problem["request_id"] == path[1:3]
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert says in problem["title"] + problem.get("detail", "")
    assert b"hunter2" not in answer.body


@pytest.mark.parametrize(
    ("what", "code", "reason"),
    [
        ("refused", 4401, "who are you?"),
        ("own", 4321, "in words of its own"),
        ("open", 1013, "Something the service needs is not available"),
        ("crash", 1011, "Something went wrong in the service"),
    ],
)
def test_one_that_was_accepted_is_closed_with_what_became_of_it(
    running: Running, what: str, code: int, reason: str
) -> None:
    with (
        connect(f"ws://{running.address}/late/{what}") as socket,
        pytest.raises(ConnectionClosed) as closed,
    ):
        socket.recv(PATIENCE)

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason)


@pytest.mark.parametrize(("when", "end"), [("early", {"status": 500}), ("late", {"code": 1011})])
def test_a_crash_is_in_the_log_once(running: Running, when: str, end: dict[str, int]) -> None:
    name = f"crash-{when}"
    with (
        pytest.raises((InvalidStatus, ConnectionClosed)),
        connect(
            f"ws://{running.address}/{when}/crash", additional_headers={"X-Request-ID": name}
        ) as socket,
    ):
        socket.recv(PATIENCE)

    line = running.entry("websocket", request_id=name)
    [told] = running.events("websocket crashed", request_id=name)
    assert "RuntimeError" in json.dumps(told)
    assert {key: line[key] for key in ("status", "code") if key in line} == end
