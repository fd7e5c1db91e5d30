"""Clients that leave before their answer: nobody works on for them."""

import os
import socket
from pathlib import Path

import pytest
from tests.service.framework.running import Running, serving


def asked(running: Running, line: str, name: str) -> socket.socket:
    """Return a connection that has sent a request."""
    client = socket.create_connection(("127.0.0.1", running.port))
    head = f"{line} HTTP/1.1\r\nHost: a\r\nX-Request-ID: {name}\r\nContent-Length: 0\r\n\r\n"
    client.sendall(head.encode())
    return client


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_work_for_a_client_that_has_left_is_cancelled(running: Running, method: str) -> None:
    name = f"left-{method}"
    with asked(running, f"{method} /wait", name):
        running.entry("wait begins", request_id=name)

    running.entry("wait ends", request_id=name)
    told = running.entry("request", request_id=name)

    assert (told["status"], told["complete"]) == (None, False)


def test_work_that_goes_on_after_the_answer_is_not(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with serving(GATE=str(gate)) as running:
        with asked(running, "GET /job", "job") as client:
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        gate.open("wb").close()

        assert running.entry("job done")
        running.stop()
