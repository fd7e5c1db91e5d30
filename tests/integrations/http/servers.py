"""Servers for the tests of HTTP clients: one that does on a raw socket what it is told, well or badly.

Runs in threads of the test process, on a free port of the loopback interface.
"""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ssl import SSLContext
from threading import Event, Lock, Semaphore, Thread
from typing import BinaryIO

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Write an answer; `Retry_After="1"` is spelled `Retry-After: 1`."""
    lines = [f"HTTP/1.1 {status} Said So", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Received:
    """A request as it came in."""

    connection: int
    method: str
    target: str
    raw_headers: list[tuple[str, str]]
    body: bytes
    peer: socket.socket
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {name.lower(): value for name, value in self.raw_headers}


Script = Callable[[Received], bytes | Iterable[bytes] | None]
"""Answers a request: with bytes, with parts that are sent one by one, or with None to close without a reply."""


class RawServer:
    """Answer requests as a script says, and keep what came in."""

    def __init__(self, script: Script = lambda _: OK, secure: SSLContext | None = None) -> None:
        self.script = script
        self._secure = secure
        self.received: list[Received] = []
        self.stopped = Event()
        self.connections = 0
        self.ended = Semaphore(0)  # Once for each connection that has ended.
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"{'http' if self._secure is None else 'https'}://{self.host}"

    def attempts(self, target: str = "/") -> int:
        with self._lock:
            return sum(each.target == target for each in self.received)

    def stop(self) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                _shut(each)
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except (OSError, ValueError):
                return
            with self._lock:
                self.connections += 1
                self._open.add(peer)
            Thread(target=self._serve, args=(peer, self.connections), daemon=True).start()

    def _serve(self, peer: socket.socket, number: int) -> None:
        if self._secure is not None:
            try:
                peer = self._secure.wrap_socket(peer, server_side=True)
            except OSError:
                return  # The client does not trust us.
        with peer, peer.makefile("rb") as reader:
            try:
                while (request := _read(reader, number, peer)) is not None:
                    with self._lock:
                        self.received.append(request)
                    answer = self.script(request)
                    if answer is None:
                        break
                    for part in [answer] if isinstance(answer, bytes) else answer:
                        peer.sendall(part)
            except (OSError, ValueError):
                pass  # The client has gone, which is its right.
            finally:
                with self._lock:
                    self._open.discard(peer)
                _shut(peer)
                self.ended.release()


def _shut(peer: socket.socket) -> None:
    try:
        peer.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # It is gone already.


def _read(reader: BinaryIO, number: int, peer: socket.socket) -> Received | None:
    first = reader.readline().decode("latin-1").split()
    if not first:
        return None
    headers: list[tuple[str, str]] = []
    while line := reader.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    said = {name.lower(): value for name, value in headers}
    body = reader.read(int(said.get("content-length", "0"))) or b""
    if said.get("transfer-encoding") == "chunked":
        while (size := int(reader.readline(), 16)) > 0:
            body += reader.read(size) or b""
            reader.readline()
        reader.readline()
    return Received(number, first[0], first[1], headers, body, peer)


def refused_url() -> str:
    """Return the URL of a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"
