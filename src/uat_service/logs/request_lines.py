"""The line about a request, made at once where nothing is asked of structlog that it would have to know."""

import logging
from collections.abc import Mapping
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any

import structlog

from uat_resilience.integrations.headers import current_correlation
from uat_service.logs.lines import Lines
from uat_service.plain import as_json

__all__ = ["request_lines", "tell_request"]

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING}


class _RequestLines:
    """Writes the same line as `get_logger().info("request", **fields)`, in a fraction of the time.

    Where structlog is configured in another way than by `configure`, or something is bound that belongs into the
    line, it is that line indeed.
    """

    def __init__(self) -> None:
        self._ours: dict[str, Any] = {}
        self._rest: dict[str, bytes] = {}
        self._lines = Lines(-1)

    def adopt(self, lines: Lines, told: Mapping[str, str], level: int) -> None:
        """Take what structlog has just been configured to.

        Args:
            lines: Where lines go.
            told: What each line says of the service.
            level: Below it nothing is logged.
        """
        ours = structlog.get_config()
        # Who captures logs changes the list in place.
        self._ours = {**ours, "processors": [*ours["processors"]]}
        self._lines = lines
        self._rest = {
            each: b"," + as_json({"event": "request", "level": each, **told})[1:]
            for each, height in _LEVELS.items()
            if height >= level
        }

    def tell(self, level: str, fields: dict[str, object]) -> None:
        """Write the line about a request.

        Args:
            level: `info` or `warning`.
            fields: What is known of the request; the time is added.
        """
        lines = self._lines
        # Looked at once for the lines that are written together: looking takes longer than making one.
        if (not lines.held and structlog.get_config() != self._ours) or _bound():
            getattr(_logger, level)("request", **fields)
        elif level in self._rest:
            fields["timestamp"] = datetime.now(UTC)
            lines.soon(as_json(fields)[:-1] + self._rest[level])


def _bound() -> bool:
    """Return whether a line made here and now tells more than it is given."""
    # An empty context is seen in one look, and nearly all requests end in one.
    return bool(copy_context()) and (
        current_correlation.get() is not None or bool(structlog.contextvars.get_contextvars())
    )


_logger = structlog.get_logger("uat_service")
request_lines = _RequestLines()
tell_request = request_lines.tell
