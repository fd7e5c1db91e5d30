"""The standard library's logging: one line for each change of state, never one for each call.

    handle = instrument()

A line reads `breaker state changed policy=orders-db old=closed new=open`, and carries the same as attributes of
its record, for formatters that write data.
"""

from collections.abc import Mapping
from logging import Filter, Logger, LogRecord, getLogger

from uat_resilience.integrations.handle import Handle, bus_or_default
from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.lines import Line, listen
from uat_resilience.telemetry import EventBus

__all__ = ["CorrelationFilter", "Handle", "instrument"]


def instrument(
    bus: EventBus | None = None, *, logger: Logger | str = "uat_resilience", quiet: float = 10.0
) -> Handle:
    """Log changes of state, calls that a retry gave up, and bursts of refusals.

    Args:
        bus: Whose policies to log. Default: `default_bus`.
        logger: Where to, or its name.
        quiet: Seconds without a further line about refusals of one kind; 0 for a line about each. The next line,
            or closing, says how many there were.

    Returns:
        A handle to close.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """
    to = getLogger(logger) if isinstance(logger, str) else logger
    if not callable(getattr(to, "isEnabledFor", None)):
        raise TypeError(f"logger must be a Logger or the name of one, not {logger!r}")

    def write(line: Line) -> None:
        if to.isEnabledFor(line.level):
            to.log(line.level, "%s %s", line.event, _Fields(line.fields), extra=line.fields)

    return Handle(listen(bus_or_default(bus), write, quiet=quiet))


class CorrelationFilter(Filter):
    """Give each record the id of the request it was logged in, as `request_id`: `%(request_id)s`, or `-`.

    Put it on a handler: `handler.addFilter(CorrelationFilter())`.
    """

    def filter(self, record: LogRecord) -> bool:
        """Add the id, and let the record pass."""
        correlation = current_correlation.get()
        record.request_id = "-" if correlation is None else correlation.request_id
        return True


class _Fields:
    """Fields as text, made only when somebody formats the line."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self._fields.items())
