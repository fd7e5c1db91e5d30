"""Both ends of a proxy as plain sockets: what goes over the wire is seen byte for byte."""

import socket
from types import TracebackType
from typing import Any, Self

from tests.integrations.server.serving import PATIENCE, serving

from uat_service.protocol import FaithfulProtocol
from uat_service.proxy import ReverseProxy

__all__ = ["Stage", "ended", "head", "rest", "until"]


def until(end: socket.socket, mark: bytes) -> bytes:
    """Read up to a mark, and not a byte further."""
    data = b""
    while not data.endswith(mark):
        more = end.recv(1)
        assert more, f"the connection ended after {data!r}"
        data += more
    return data


def head(end: socket.socket) -> list[bytes]:
    """Read the lines of a head."""
    return until(end, b"\r\n\r\n").split(b"\r\n")[:-2]


def rest(end: socket.socket) -> bytes:
    """Read until the connection ends."""
    data = b""
    while more := end.recv(65536):
        data += more
    return data


def ended(end: socket.socket) -> bool:
    """Wait until the connection ends; False when something comes instead."""
    try:
        return end.recv(1) == b""
    except ConnectionResetError:
        return True


class Stage:
    """A client, a proxy served by uvicorn, and an upstream.

    Args:
        options: Of the proxy.
    """

    def __init__(self, **options: Any) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = [self._listener]
        self._proxy = ReverseProxy(f"http://127.0.0.1:{self.port}", **options)
        self._serving = serving(
            self._proxy,
            http=FaithfulProtocol,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )

    def __enter__(self) -> Self:
        self.served = self._serving.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in self._ends:
            end.close()
        self._serving.__exit__(kind, error, trace)

    def client(self, request: bytes = b"") -> socket.socket:
        """Return a new connection to the proxy, with a request on its way."""
        end = self.served.connect()
        self._ends.append(end)
        end.sendall(request)
        return end

    def upstream(self) -> socket.socket:
        """Return the next connection that the proxy makes."""
        end, _ = self._listener.accept()
        end.settimeout(PATIENCE)
        self._ends.append(end)
        return end

    def age(self, seconds: float) -> None:
        """Let the kept connections have been idle for longer."""
        for pool in self._proxy._pools._pools.values():
            while not pool._idle:
                pass  # The proxy's thread puts it back a moment after the answer.
            for connection in pool._idle:
                connection.idle_since -= seconds

    def stop_listening(self) -> None:
        """Let nobody connect any more."""
        self._listener.close()

    def nobody_else(self) -> bool:
        """Return whether the proxy has made no further connection."""
        self._listener.settimeout(0)
        try:
            end, _ = self._listener.accept()
        except BlockingIOError:
            return True
        end.close()
        return False
