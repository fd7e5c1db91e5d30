"""Two instances behind a gateway as plain sockets: what is sent to which is seen."""

import socket
from contextlib import ExitStack
from typing import Any

from tests.integrations.server.serving import PATIENCE
from tests.service.proxy.wire import head

__all__ = ["NO", "OK", "Pair", "request", "status"]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO = b"HTTP/1.1 503 No\r\nContent-Length: 2\r\nRetry-After: 60\r\n\r\nno"
ROUTES = """
[upstreams.pair]
urls = {urls}
attempt_timeout = "{patience}"
timeout = "{whole}"
failures = 100
health = ""
{more}
[[routes]]
name = "pair"
path = "/"
upstream = "pair"
auth = "none"
"""


class Pair:
    """The instances, and a gateway in front of them.

    Args:
        start: Starts a gateway.
        patience: Time for one attempt.
        whole: Time for all of them.
        number: Of instances.
        more: Further settings of their upstream.
    """

    def __init__(
        self,
        start: Any,
        *,
        patience: str = "5s",
        whole: str = "5s",
        number: int = 2,
        more: str = "",
    ) -> None:
        self.stack = ExitStack()
        self.listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
        for each in self.listeners:
            each.settimeout(PATIENCE)
            self.stack.callback(each.close)
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in self.listeners]
        routes = ROUTES.format(urls=urls, patience=patience, whole=whole, more=more)
        self.gateway = self.stack.enter_context(start(routes))

    def client(self, request: bytes) -> socket.socket:
        """Send a request."""
        client = self.gateway.served.connect()
        self.stack.callback(client.close)
        client.sendall(request)
        return client

    def asked(self) -> tuple[int, socket.socket]:
        """Return which instance is asked next, and the connection."""
        for _ in range(int(PATIENCE / 0.01)):
            for number, listener in enumerate(self.listeners):
                listener.settimeout(0.005)
                try:
                    end, _ = listener.accept()
                except TimeoutError:
                    continue
                end.settimeout(PATIENCE)
                self.stack.callback(end.close)
                return number, end
        raise AssertionError("nobody was asked")

    def nobody(self) -> bool:
        """Return whether nobody else was asked."""
        for listener in self.listeners:
            listener.settimeout(0)
            try:
                end, _ = listener.accept()
            except BlockingIOError:
                continue
            end.close()
            return False
        return True


def request(method: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{method} / HTTP/1.1", "Host: x", *(f"{n}: {v}" for n, v in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def status(client: socket.socket) -> bytes:
    return head(client)[0].split(b" ")[1]
