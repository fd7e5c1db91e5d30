"""Requests on one connection: nothing of one is found by the next, however they follow each other."""

import json
import socket
from collections.abc import Generator, Iterator

import pytest
from tests.integrations.server.apps import Make
from tests.integrations.server.serving import Served, serving
from tests.integrations.server.stage import Stage

BRINGS = "X-Request-ID: first\r\nX-Request-Timeout-Ms: 9000\r\nX-Retry-Attempt: 3\r\n"
LARGE = b"x" * 100 * 1024


@pytest.fixture(scope="module", params=[False, True], ids=["as it comes", "reset_contextvars"])
def served(make: Make, request: pytest.FixtureRequest) -> Generator[Served]:
    """The service, under uvicorn with and without its setting for context variables."""
    with serving(make(Stage()), reset_contextvars=request.param) as served:
        yield served


def answers(connection: socket.socket, count: int) -> Iterator[dict[str, object]]:
    """Read answers from a connection: their bodies are JSON."""
    with connection.makefile("rb") as lines:
        for _ in range(count):
            status, headers = lines.readline(), {}
            assert b" 200 " in status
            while (line := lines.readline()) != b"\r\n":
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            if "content-length" in headers:
                body = lines.read(int(headers["content-length"]))
            else:
                body = b""
                while size := int(lines.readline(), 16):
                    body += lines.read(size)
                    lines.readline()
                lines.readline()
            yield json.loads(body) | {"echoed": headers["x-request-id"]}


def request(line: str, more: str = "", body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{line} HTTP/1.1\r\nHost: here\r\n{length}{more}\r\n".encode() + body


def is_its_own(seen: dict[str, object]) -> None:
    """Assert that a request that brought nothing found nothing."""
    assert (seen["left"], seen["owned"]) == (None, False)
    assert seen["id"] == seen["echoed"]
    assert seen["id"] != "first"


def test_pipelined_requests_find_nothing_of_each_other(served: Served) -> None:
    look = "GET /act/look"
    with served.connect() as connection:
        connection.sendall(request(look, BRINGS) + request(look) + request(look))

        first, second, third = answers(connection, 3)

    assert (first["id"], first["owned"]) == ("first", True)
    assert isinstance(first["left"], float)
    is_its_own(second)
    is_its_own(third)
    assert second["id"] != third["id"]


def test_request_after_a_large_body_finds_nothing_of_it(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(request("POST /body/read", BRINGS, LARGE))
        (large,) = answers(connection, 1)
        connection.sendall(request("POST /body/read", "", LARGE))
        (after,) = answers(connection, 1)
        connection.sendall(request("GET /act/look"))
        (last,) = answers(connection, 1)

    assert (large["size"], large["id"]) == (len(LARGE), "first")
    assert after["size"] == len(LARGE)
    is_its_own(after)
    is_its_own(last)


def test_pipelined_request_after_a_refusal_finds_nothing_of_it(served: Served) -> None:
    spent = request("GET /act/look", "X-Request-Timeout-Ms: 0\r\nX-Retry-Attempt: 1\r\n")
    with served.connect() as connection:
        connection.sendall(spent + request("GET /act/look"))
        with connection.makefile("rb") as lines:
            assert b" 504 " in lines.readline()
            rest = lines.read1()
            while b'"left"' not in rest:
                rest += lines.read1()

    assert b'"left": null' in rest.replace(b'":null', b'": null')
    assert b'"owned": false' in rest.replace(b'":false', b'": false')
