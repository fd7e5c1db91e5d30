"""Let structlog and the standard library write lines of JSON.

configure(service="orders", version="1.2.0", level="info")
structlog.get_logger().info("order placed", order_id="7")

{"order_id":"7","event":"order placed","level":"info","service":"orders",...,"request_id":"...","trace_id":"..."}
"""

import logging
from collections.abc import MutableMapping
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from uat_resilience.integrations.headers import current_correlation
from uat_service.logs.lines import Lines
from uat_service.logs.request_lines import request_lines
from uat_service.plain import as_json

__all__ = ["configure"]

_CRASH = "Exception in ASGI application"


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
    request_lines.adopt(lines, told, logging.getLevelNamesMapping()[level.upper()])


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
