"""Close results that nobody will see, so that a retried response does not keep its connection."""

from collections.abc import Awaitable, Callable

from uat_resilience.clock import Clock
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import CallbackFailed

__all__ = ["Discarder"]


class Discarder:
    """Close the results that one policy throws away. What their closing raises is told, not raised."""

    __slots__ = ("_bus", "_policy")

    def __init__(self, policy: str, bus: EventBus) -> None:
        self._policy = policy
        self._bus = bus

    def close(self, result: object, clock: Clock) -> bool:
        """Call the result's `close()`; False if it has none."""
        close = _method(result, "close")
        if close is None:
            return False
        try:
            close()
        except Exception as error:  # noqa: BLE001 - told; the next attempt is what matters
            self._tell("close", error, clock)
        return True

    async def aclose(self, result: object, clock: Clock) -> bool:
        """Await the result's `aclose()`, or else call its `close()`; False if it has neither."""
        name = "aclose" if _method(result, "aclose") is not None else "close"
        close = _method(result, name)
        if close is None:
            return False
        try:
            closing = close()
            if isinstance(closing, Awaitable):
                await closing
        except Exception as error:  # noqa: BLE001 - told; the next attempt is what matters
            self._tell(name, error, clock)
        return True

    def _tell(self, method: str, error: Exception, clock: Clock) -> None:
        if self._bus.wants(CallbackFailed):
            self._bus.emit(CallbackFailed(self._policy, clock.now(), method, error))


def _method(result: object, name: str) -> Callable[[], object] | None:
    method = getattr(result, name, None)
    return method if callable(method) else None
