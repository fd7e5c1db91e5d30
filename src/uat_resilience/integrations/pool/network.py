"""The network for sync code on httpcore2, where no wait outlasts the ambient deadline."""

from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore2

from uat_resilience.ambient import current_deadline
from uat_resilience.integrations.http.deadlines import capped

__all__ = ["Network"]


class Network(httpcore2.SyncBackend):
    """The network, where no wait outlasts the ambient deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Open a connection."""
        timeout = capped(timeout, current_deadline.get())
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    """A connection where no wait outlasts the ambient deadline.

    It reads and writes its socket itself. httpcore2 would make the socket blocking again before each wait, and
    translate errors by a generator and a table of its own each time: more work than the waits.
    """

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream
        self._socket = stream.get_extra_info("socket")
        self._seconds = self._socket.gettimeout()

    def close(self) -> None:
        """Close it."""
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - whatever the library knows
        """Return what is known about it."""
        return self._stream.get_extra_info(info)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes."""
        try:
            self._wait_at_most(timeout)
            received: bytes = self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(error) from error
        except OSError as error:
            raise httpcore2.ReadError(error) from error
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        unsent = memoryview(buffer)
        try:
            while unsent:  # The end of a request without a body is written too, and has none.
                self._wait_at_most(timeout)
                unsent = unsent[self._socket.send(unsent) :]
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(error) from error
        except OSError as error:
            raise httpcore2.WriteError(error) from error

    def _wait_at_most(self, timeout: float | None) -> None:
        seconds = capped(timeout, current_deadline.get())
        if seconds != self._seconds:  # Telling the socket is a call of the operating system.
            self._socket.settimeout(seconds)
            self._seconds = seconds

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Encrypt."""
        timeout = capped(timeout, current_deadline.get())
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))
