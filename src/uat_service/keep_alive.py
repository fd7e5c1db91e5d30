"""How long a connection is kept for its next request: one timer for many of them.

uvicorn sets a timer after each answer and takes it back when more is received. A timer is among the most that an
event loop does for a short request, so the one that is set stays, and looks when it is due whether it was meant.
"""

from asyncio import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["KeptAlive"]


class KeptAlive(HttpToolsProtocol):
    """uvicorn's protocol, which keeps a connection for `timeout_keep_alive` after an answer."""

    _idle_since: float | None = None  # None while a request is read or answered.
    _timer: TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for no request any more."""
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def on_response_complete(self) -> None:
        """Do as uvicorn does, and go on waiting with the timer that there is."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._timer is None:
            self._look_in(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None  # Called by uvicorn for whatever is received.

    def _look_in(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._idle_since is None:
            return  # The end of the answer sets it anew.
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_in(left)
        else:
            self.timeout_keep_alive_handler()
