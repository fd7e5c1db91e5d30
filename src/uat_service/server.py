"""uvicorn with an orderly end.

    first SIGTERM or SIGINT     not ready, and still serving for the delay
    the delay is over           streams and WebSockets are told to end, nobody new is let in
    the last work has ended     closers, then the lifespan, then exit code 0
    the reserve begins          what still runs is cut off, so that closers have their time
    the grace is over           the process ends whatever it does, exit code 1
    second signal               the process ends at once, exit code 128 + signal
    the life-line breaks        as for the first signal, with two seconds for all of it

uvicorn itself closes its listener at the first signal, and waits for streams for ever.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Generator
from contextvars import Context
from threading import Event, Thread
from types import FrameType
from typing import Any, cast

import structlog
import uvicorn

from uat_resilience._core.drain import reserve_of
from uat_resilience.integrations.serving.asgi_types import App
from uat_resilience.lifecycle import GracefulShutdown
from uat_service.forwarded import Forwarded
from uat_service.protocol import AttentiveProtocol, FaithfulProtocol

__all__ = ["Server", "inherited", "listening"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Seconds; longer than clients keep a connection, so that none writes into a closed one.
_KEEP_ALIVE = 75
_LOOKING = 0.2  # Seconds that uvicorn takes to find out that it should end.
_ORPHANED = 1.5
_STRAGGLING = 1.0
_LATE = 1
_BACKLOG = 2048


class Server(uvicorn.Server):
    """Serve an application until a signal comes, and let it end in order.

    Runs in the main thread of a process of its own: it handles signals, and may end the process.

    Args:
        app: The application; its lifespan is run.
        shutdown: Begins at the first signal.
        delay: Seconds in which work is still accepted: those of `shutdown`.
        grace: Seconds for all of the end: those of `shutdown`.
        lifeline: Descriptor that reads the end of the file when whoever started us is gone, or None.
        inherited: True when whoever started us listens on the socket too. At the first signal no more connections
            are taken from it then: they wait for the next process, and none is told that we are leaving.
        faithful: Let names of headers be as they are spelled, add no `Date`, and let the application itself end
            the work for a client that has left.
    """

    def __init__(
        self,
        app: App,
        *,
        shutdown: GracefulShutdown,
        delay: float,
        grace: float,
        lifeline: int | None = None,
        inherited: bool = False,
        faithful: bool = False,
    ) -> None:
        rest = grace - delay
        config = uvicorn.Config(
            cast("Any", app),  # the same type, in uvicorn's words
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=not faithful,
            http=FaithfulProtocol if faithful else AttentiveProtocol,
            ws="websockets-sansio",
            timeout_keep_alive=_KEEP_ALIVE,
            # Less than all of it, so that what comes after the work has some, too. uvicorn takes fractions.
            timeout_graceful_shutdown=cast("int", max(0.0, rest - reserve_of(rest) - _LOOKING)),
            # Without it a pipelined request begins in the context of the one before (uvicorn since 0.45).
            reset_contextvars=True,
            interface="asgi3",
            proxy_headers=False,  # What stands in front of the application now looks at them.
        )
        config.app = cast("Any", Forwarded(app, config.forwarded_allow_ips))
        super().__init__(config)
        self._shutdown = shutdown
        self._grace = grace
        self._lifeline = lifeline
        self._inherited = inherited
        self._signalled = False
        self._over = False
        with shutdown.track() as work:
            self._draining = work.signal

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal comes, and all has ended in order."""
        super().run(sockets)
        self._over = True
        # Python waits for threads whose work was cut off, and some of them never end.
        self._end_in(_STRAGGLING, "threads")

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Handle signals while serving; uvicorn's own way ends the process with the signal it got."""
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen."""
        self._loop = asyncio.get_running_loop()
        if self._lifeline is not None:
            Thread(target=self._watch, args=(self._lifeline,), daemon=True).start()
        self._ending = asyncio.create_task(self._end())
        await super().startup(sockets=sockets)
        for server in self.servers:
            for each in server.sockets:
                _logger.info("listening", address=_written(each.getsockname()))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen no more, wait for what runs, then end the application."""
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        _logger.info("listening no more")
        await super().shutdown(sockets=sockets)

    async def _end(self) -> None:
        draining = asyncio.Event()
        self._draining.subscribe(lambda: self._loop.call_soon_threadsafe(draining.set))
        await self._shutdown.arequested()
        if self._inherited:
            for server in self.servers:
                server.close()
        self._end_in(self._grace, "the grace is over")
        phases = asyncio.create_task(self._shutdown.adrained())
        await draining.wait()
        # uvicorn looks ten times a second; by then those who stream have been told.
        self.should_exit = True
        await phases

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as Python calls it
        if self._signalled:
            os._exit(128 + number)
        self._signalled = True
        # In a context of its own: the handler runs in that of the request which was interrupted.
        self._loop.call_soon_threadsafe(self._shutdown.begin, context=Context())

    def _watch(self, lifeline: int) -> None:
        """Wait in a thread until the other end is gone, and see to it that we are, too."""
        with contextlib.suppress(OSError):
            while os.read(lifeline, 1):
                pass
        self._end_in(_ORPHANED, "whoever started us is gone")
        with contextlib.suppress(RuntimeError):  # the loop is closed: we are on our way already
            self._loop.call_soon_threadsafe(self._shutdown.begin)

    def _end_in(self, seconds: float, reason: str) -> None:
        """End the process in a while, whatever it does: threads may block, tasks may not let go."""

        def end() -> None:
            Event().wait(seconds)
            if self._over:
                os._exit(0)
            _logger.error("cut off", reason=reason)
            os._exit(_LATE)

        Thread(target=end, daemon=True).start()


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on this address; port 0 is any that is free.

    Raises:
        OSError: It cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # `create_server` leaves open which protocol it is, and so it is with each connection: asyncio then lets parts
    # of an answer wait for those before (Nagle), 40 ms long with clients that acknowledge late.
    return inherited(opened.detach())


def inherited(descriptor: int) -> socket.socket:
    """Return the socket of a descriptor, with all that the system knows of it.

    Raises:
        OSError, ValueError: It is none.
    """
    return socket.socket(fileno=descriptor)


def _written(address: object) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


_logger = structlog.get_logger("uat_service")
