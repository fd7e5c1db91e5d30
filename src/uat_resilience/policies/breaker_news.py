"""What a breaker tells when it moves, and asks when it opens. No lock is held meanwhile."""

from collections.abc import Callable

from uat_resilience._core.arguments import seconds
from uat_resilience._core.era import Transition
from uat_resilience.policies.breaker_settings import DEFAULT_RECOVERY
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import BreakerStateChanged, CallbackFailed

__all__ = ["BreakerNews"]


class BreakerNews:
    """Carry what happens to a breaker to those outside.

    Args:
        name: The breaker's name, in events.
        bus: Where they go.
    """

    __slots__ = ("_bus", "_name")

    def __init__(self, name: str, bus: EventBus) -> None:
        self._name = name
        self._bus = bus

    def moved(self, moved: Transition) -> None:
        """Tell that the breaker is in another state, if it is."""
        if moved.new is not moved.old and self._bus.wants(BreakerStateChanged):
            self._bus.emit(BreakerStateChanged(self._name, moved.at, moved.old, moved.new))

    def opening(self, recovery_time: Callable[[int], float], moved: Transition) -> float:
        """Ask how many seconds this opening is to last. What fails is told, and overruled by the default."""
        try:
            return seconds("recovery_time", recovery_time(moved.times_opened))
        except Exception as error:  # noqa: BLE001 - see above
            if self._bus.wants(CallbackFailed):
                self._bus.emit(CallbackFailed(self._name, moved.at, "recovery_time", error))
            return DEFAULT_RECOVERY
