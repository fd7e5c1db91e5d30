"""structlog: one entry for each change of state, never one for each call.

    handle = instrument()

The event is what happened, in two or three words; all else is fields: `policy`, `old`, `new`, `attempts`,
`reason`, `error`, `times`.
"""

from collections.abc import MutableMapping
from typing import Any, Protocol

from uat_resilience.integrations.handle import Handle, bus_or_default
from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.lines import Line, listen
from uat_resilience.telemetry import EventBus

try:
    from structlog import get_logger
except ImportError as error:
    raise ImportError(
        "structlog is not installed: pip install 'uat-resilience[structlog]'"
    ) from error

__all__ = ["BoundLogger", "Handle", "add_correlation", "instrument"]


class BoundLogger(Protocol):
    """Any logger of structlog."""

    def log(self, level: int, event: str, **fields: object) -> object:
        """Write one entry."""
        ...


def instrument(
    bus: EventBus | None = None, *, logger: BoundLogger | None = None, quiet: float = 10.0
) -> Handle:
    """Log changes of state, calls that a retry gave up, and bursts of refusals.

    Args:
        bus: Whose policies to log. Default: `default_bus`.
        logger: Where to. Default: what structlog is configured to.
        quiet: Seconds without a further entry about refusals of one kind; 0 for one about each. The next
            entry, or closing, says how many there were.

    Returns:
        A handle to close.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """
    to: BoundLogger = get_logger("uat_resilience") if logger is None else logger
    if not callable(getattr(to, "log", None)):
        raise TypeError(f"logger must be a logger of structlog or None, not {logger!r}")

    def write(line: Line) -> None:
        to.log(line.level, line.event, **line.fields)

    return Handle(listen(bus_or_default(bus), write, quiet=quiet))


def add_correlation(
    logger: object,  # noqa: ARG001 - a processor gets three arguments
    method: str,  # noqa: ARG001 - the same
    entry: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Give each entry the id of the request it was logged in, as `request_id`. A processor for structlog."""
    correlation = current_correlation.get()
    if correlation is not None:
        entry["request_id"] = correlation.request_id
    return entry
