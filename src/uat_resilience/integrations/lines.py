"""Which events are worth a log line, and what it says: the same for every logging library.

One line for each change of state and each call that a retry gave up. What can happen at every call (a refusal, a
callback that fails) gets one line at once, and then one in a while, with the number of those that got none. Lines
name the type of an error and never its text, which may hold what nobody should read in a log.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from logging import INFO, WARNING

from uat_resilience._core.arguments import seconds_or_zero
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.telemetry import (
    BreakerStateChanged,
    CallbackFailed,
    CallRefused,
    EventBus,
    HealthChanged,
    RetriesExhausted,
    ShutdownPhaseChanged,
)

__all__ = ["Line", "listen", "spelled"]

_KINDS = 1000  # Kinds of refusals remembered at most: policies may be made per key.


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how grave, what happened, and to whom."""

    level: int
    event: str
    fields: dict[str, object]


def listen(
    bus: EventBus, write: Callable[[Line], object], *, quiet: float
) -> list[Callable[[], object]]:
    """Write lines about what happens on a bus; return what ends that.

    Args:
        bus: What to listen to.
        write: Writes a line. Called with no lock held.
        quiet: Seconds without a further line about refusals of one kind, 0 or more.

    Raises:
        TypeError, ValueError: `quiet` is no such number.
    """
    bursts = _Bursts(write, seconds_or_zero("quiet", quiet))
    return [
        bus.subscribe(lambda event: write(_changed(event)), *_CHANGES),
        bus.subscribe(lambda event: write(_gave_up(event)), RetriesExhausted),
        bus.subscribe(bursts.hear, CallRefused),
        bus.subscribe(bursts.hear, CallbackFailed),
        bursts.finish,
    ]


def spelled(value: Enum) -> str:
    """Return an enum value as it is written in labels and fields."""
    return value.name.lower()


_Change = BreakerStateChanged | HealthChanged | ShutdownPhaseChanged
_CHANGES: dict[type[_Change], str] = {
    BreakerStateChanged: "breaker state changed",
    HealthChanged: "health changed",
    ShutdownPhaseChanged: "shutdown phase changed",
}
_GRAVE = frozenset({"open", "forced_open", "degraded", "unhealthy"})


def _changed(event: _Change) -> Line:
    old = None if event.old is None else spelled(event.old)
    new = spelled(event.new)
    fields: dict[str, object] = {"policy": event.policy, "old": old, "new": new}
    return Line(WARNING if new in _GRAVE else INFO, _CHANGES[type(event)], fields)


def _gave_up(event: RetriesExhausted) -> Line:
    fields: dict[str, object] = {
        "policy": event.policy,
        "attempts": event.attempts,
        "reason": spelled(event.reason),
        "error": None if event.error is None else type(event.error).__name__,
    }
    return Line(WARNING, "retries exhausted", fields)


@dataclass(slots=True)
class _Burst:
    """When a kind of refusal last had its line, and how many have come since."""

    told: float
    untold: int = 0


_Key = tuple[str, str, str]


class _Bursts:
    """Turns many refusals into few lines. Safe to be called from anywhere (see `mailbox`)."""

    def __init__(self, write: Callable[[Line], object], quiet: float) -> None:
        self._quiet = quiet
        self._bursts: OrderedDict[_Key, _Burst] = OrderedDict()
        self._mailbox: Mailbox[tuple[_Key, float], Line] = Mailbox(self._apply, self._tell)
        self._write = write

    def hear(self, event: CallRefused | CallbackFailed) -> None:
        """Take note of an event, and write a line when it is time for one."""
        what = "calls refused" if isinstance(event, CallRefused) else "callback failed"
        key = (what, event.policy, type(event.error).__name__)
        self._mailbox.post((key, event.at))

    def _tell(self, line: Line) -> None:
        self._write(line)

    def finish(self) -> None:
        """Write what is still untold."""
        with self._mailbox.lock:
            bursts, self._bursts = self._bursts, OrderedDict()
        self._mailbox.sweep()
        for key, burst in bursts.items():
            if burst.untold:
                self._write(_refused(key, burst.untold))

    def _apply(self, note: tuple[_Key, float]) -> Line | None:
        key, at = note
        burst = self._bursts.get(key)
        if burst is not None and at - burst.told < self._quiet:
            burst.untold += 1
            return None
        self._bursts[key] = _Burst(at)
        if len(self._bursts) > _KINDS:
            self._bursts.popitem(last=False)
        return _refused(key, 1 if burst is None else burst.untold + 1)


def _refused(key: _Key, times: int) -> Line:
    what, policy, error = key
    return Line(WARNING, what, {"policy": policy, "error": error, "times": times})
