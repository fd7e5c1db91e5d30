"""What each `instrument()` begins and ends with: the bus to listen to, and something to close."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from uat_resilience.telemetry import EventBus, default_bus

__all__ = ["Handle", "bus_or_default"]


class Handle:
    """Listens until it is closed, by hand or by leaving a `with` block.

    Args:
        ends: What ends it, each called once.
    """

    def __init__(self, ends: Iterable[Callable[[], object]]) -> None:
        self._ends = tuple(ends)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening. Closing twice is no error."""
        ends, self._ends = self._ends, ()
        for end in ends:
            end()


def bus_or_default(bus: EventBus | None) -> EventBus:
    """Return the bus whose policies are heard.

    Raises:
        TypeError: It is something else, such as a policy.
    """
    if bus is not None and not isinstance(bus, EventBus):
        raise TypeError(
            f"bus must be an EventBus or None, not {bus!r}: all policies of a bus are heard at once"
        )
    return default_bus if bus is None else bus
