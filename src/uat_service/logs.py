"""Logs: JSON, one line for each entry, on standard output, whatever is logged and whoever reads it.

configure(service="orders", version="1.2.0", level="info")
structlog.get_logger().info("order placed", order_id="7")

{"order_id":"7","event":"order placed","level":"info","service":"orders",...,"request_id":"...","trace_id":"..."}
"""

import asyncio
import logging
import os
import sys
from collections.abc import MutableMapping
from contextvars import copy_context
from datetime import UTC, datetime
from threading import RLock
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from uat_resilience.integrations.headers import current_correlation
from uat_service.plain import as_json

__all__ = ["Lines", "configure", "tell_request"]

_CRASH = "Exception in ASGI application"


class Lines:
    """Writes whole lines to a file descriptor, and does not mind when nobody reads them any more.

    Written without Python's buffer: what a closed pipe leaves there would end the process with an error.

    Args:
        descriptor: Where to, or None for nowhere. Default: standard output, if the process has one.

    Attributes:
        held: Lines that wait for the event loop to come around.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = _standard_output() if descriptor is None else descriptor
        # A line that is longer than a pipe takes at once must not be cut by that of another thread. Of one and
        # the same thread only a finaliser can come in between, which must not wait for itself.
        self._lock = RLock()
        self.held: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # That which releases them.

    def msg(self, line: bytes) -> None:
        """Write a line, and before it those that wait."""
        with self._lock:
            if self.held:
                self._release()
            self._write(line + b"\n")

    def soon(self, line: bytes) -> None:
        """Write a line once the event loop comes around, with what else there is by then; at once outside of one.

        Under load that is one call of the system for many lines. No line overtakes another.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.msg(line)
            return
        with self._lock:
            if not self.held or loop is not self._loop:
                self._loop = loop
                loop.call_soon(self._release)
            self.held.append(line)

    def _release(self) -> None:
        with self._lock:
            held, self.held = self.held, []
            if held:
                self._write(b"\n".join(held) + b"\n")

    def _write(self, rest: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            return

    log = debug = info = warning = warn = error = critical = exception = fatal = failure = err = msg


def configure(*, service: str, version: str, level: str = "info") -> None:
    """Let structlog and the standard library log JSON lines to standard output.

    Lines of other libraries come through from `warning` on. Configuring again replaces what was there.

    Args:
        service: Name of the service, in each line.
        version: Its version, in each line.
        level: Below it nothing is logged.
    """
    lines, told = Lines(), {"service": service, "version": version}

    def identify(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
        entry.update(told)
        return entry

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        identify,
        _correlate,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        _traced,
    ]
    structlog.configure(
        processors=[*shared, _rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    _adopt(_Handler(lines, shared), level)
    _requests.adopt(lines, told, logging.getLevelNamesMapping()[level.upper()])


class _Requests:
    """Makes the line of a request at once, where it can be made without asking structlog."""

    def __init__(self) -> None:
        self._ours: dict[str, Any] = {}
        self._level = logging.NOTSET
        self._told: dict[str, dict[str, str]] = {}
        self._lines = Lines(-1)

    def adopt(self, lines: Lines, told: dict[str, str], level: int) -> None:
        """Take what structlog has just been configured to."""
        ours = structlog.get_config()
        # Who captures logs changes the list in place.
        self._ours = {**ours, "processors": [*ours["processors"]]}
        self._lines, self._level = lines, level
        self._told = {each: {"event": "request", "level": each, **told} for each in _LEVELS}

    def tell(self, level: str, fields: dict[str, object]) -> None:
        """Write the line about a request.

        The same line as `get_logger().info("request", **fields)` writes, in a fraction of the time. Where
        structlog is configured in another way than by `configure` it is that line indeed.

        Args:
            level: `info` or `warning`.
            fields: What is known of the request. Changed.
        """
        lines = self._lines
        # Looked at once for the lines that are written together: looking takes longer than making one.
        if not lines.held and structlog.get_config() != self._ours:
            getattr(_logger, level)("request", **fields)
        elif _LEVELS[level] >= self._level:
            entry: EventDict = fields
            if copy_context():  # Else there is nothing that somebody could have bound.
                entry = {**structlog.contextvars.get_contextvars(), **fields}
            entry.update(self._told[level])
            if current_correlation.get() is not None:
                entry = _correlate(None, level, entry)
            entry["timestamp"] = datetime.now(UTC)  # Written as `isoformat` would, and quicker.
            lines.soon(as_json(entry))


_LEVELS = {"info": logging.INFO, "warning": logging.WARNING}
_requests = _Requests()
tell_request = _requests.tell
_logger = structlog.get_logger("uat_service")


class _Handler(logging.Handler):
    """Gives records of the standard library the same form."""

    def __init__(self, lines: Lines, processors: list[Processor]) -> None:
        super().__init__()
        self._lines = lines
        self._processors = processors

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; never raises."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit their text
            message = str(record.msg)
        entry: EventDict = {
            "event": message,
            "logger": record.name,
            "exc_info": record.exc_info,
        }
        for process in self._processors:
            entry = cast("EventDict", process(None, record.levelname.lower(), entry))
        self._lines.msg(as_json(entry))


def _adopt(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    for each in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(each)
    root.addHandler(handler)
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    # We log a crash ourselves, with the id of the request; the server would do so once more, without.
    server = logging.getLogger("uvicorn.error")
    server.filters[:] = [_not_a_crash]


def _not_a_crash(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_CRASH)


def _correlate(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    correlation = current_correlation.get()
    if correlation is not None:
        entry.setdefault("request_id", correlation.request_id)
        if correlation.trace_parent is not None:
            _, trace, span, _flags = correlation.trace_parent.split("-")[:4]
            entry.setdefault("trace_id", trace)
            entry.setdefault("parent_span_id", span)
    return entry


def _traced(_: WrappedLogger, method: str, entry: EventDict) -> EventDict:
    """Show an exception: by its traceback, without the values of local variables, which may be secrets."""
    try:
        return _format(None, method, entry)
    except Exception as error:  # noqa: BLE001 - an exception whose text cannot be made
        entry.pop("exc_info", None)
        entry["exception"] = f"an exception that cannot be shown ({type(error).__name__})"
        return entry


_format = structlog.processors.ExceptionRenderer()


def _rendered(_: WrappedLogger, __: str, entry: MutableMapping[str, Any]) -> bytes:
    return as_json(entry)


def _standard_output() -> int | None:
    try:
        return None if sys.stdout is None else sys.stdout.fileno()
    except (OSError, ValueError):
        return None
