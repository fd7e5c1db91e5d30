"""Chaos: faults, latency and hangs on purpose, by probability and by seed, for tests and game days."""

import random  # noqa: TID251 - chance is what this is for, and it is seeded
from collections.abc import Awaitable, Callable, Container, Coroutine, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any, ParamSpec, TypeVar, cast

from uat_resilience._core.arguments import callback_or_none, number, seconds, seconds_or_zero
from uat_resilience.ambient import current_drain
from uat_resilience.clock import Clock
from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.policy import Guard
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.waiting import threads, world

__all__ = ["Chaos", "ChaosSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")

Fault = Callable[[], Exception]
"""What makes a fresh exception for each fault: an exception type does, and so does a function."""


@dataclass(frozen=True, slots=True)
class ChaosSnapshot:
    """What a chaos has done so far.

    Attributes:
        calls: Calls it could have disturbed.
        faults: Calls it made fail.
        delays: Calls it held up.
        hangs: Calls it let hang.
    """

    calls: int
    faults: int
    delays: int
    hangs: int


class Chaos(Guard):
    """Disturb calls on purpose: put it innermost in a pipeline, and see what the rest makes of it.

    Each call is disturbed with the given probabilities: it may hang, it may be held up, and then it may fail
    instead of being made. The defaults disturb nothing, and `enabled` turns it off and on while the program runs.
    With a seed the same calls are disturbed in each run. Thread-safe.

    Args:
        fault: Exception type, or a function that makes an exception. Needed when `fault_rate` is above 0.
        fault_rate: Share of calls that fail, from 0 to 1.
        latency: Seconds that a held-up call is late, 0 or more.
        latency_rate: Share of calls that are held up, from 0 to 1.
        hang_rate: Share of calls that hang for `hang_for` seconds, from 0 to 1.
        hang_for: Seconds a hanging call takes before it fails or is made, above 0.
        key: Called with the arguments of each call; only calls whose key is in `only` are disturbed. Default: all.
        only: Keys of the calls to disturb, which belongs to `key`. A set may be changed while the program runs.
        seed: Where the drawing of lots begins, or None for a different run each time.
        enabled: False to begin turned off.
        name: Name in a pipeline's description. Default: `chaos`.
        clock: Time source. Default: the replaceable system clock.
        bus: Unused; every policy has one.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.

    Attributes:
        enabled: False while calls pass undisturbed.
    """

    __slots__ = (
        "_counts",
        "_fault",
        "_fault_rate",
        "_hang_for",
        "_hang_rate",
        "_key",
        "_latency",
        "_latency_rate",
        "_lock",
        "_lots",
        "_only",
        "enabled",
    )
    kind = "chaos"

    def __init__(
        self,
        *,
        fault: Fault | None = None,
        fault_rate: float = 0.0,
        latency: float = 0.0,
        latency_rate: float = 0.0,
        hang_rate: float = 0.0,
        hang_for: float = 3600.0,
        key: Callable[..., Hashable] | None = None,
        only: Container[Hashable] | None = None,
        seed: int | None = None,
        enabled: bool = True,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        self._fault = callback_or_none("fault", fault)
        self._fault_rate = _rate("fault_rate", fault_rate)
        if fault is None and fault_rate:
            raise ValueError(f"fault must be given for a fault_rate of {fault_rate!r}")
        self._latency = seconds_or_zero("latency", latency)
        self._latency_rate = _rate("latency_rate", latency_rate)
        self._hang_rate = _rate("hang_rate", hang_rate)
        self._hang_for = seconds("hang_for", hang_for)
        self._key = callback_or_none("key", key)
        self._only = _keys(only, given=key is not None)
        self._lots = random.Random(seed)  # noqa: S311 - lots, not secrets
        self._lock = Lock()
        self._counts = {"calls": 0, "faults": 0, "delays": 0, "hangs": 0}
        self.enabled = enabled

    def snapshot(self) -> ChaosSnapshot:
        """Return what it has done so far."""
        with self._lock:
            return ChaosSnapshot(**self._counts)

    def describe(self) -> str:
        """Say in a few words what it does."""
        return (
            f"on purpose, {self._fault_rate:.0%} of calls fail, {self._latency_rate:.0%} are late, "
            f"{self._hang_rate:.0%} hang"
        )

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` disturbed in sync code."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            late, fault = self._draw(*args, **kwargs)
            if late:
                threads.pause(self._time(), late, current_drain.get(), policy=name)
            if fault is not None:
                raise fault
            result = fn(*args, **kwargs)
            if type(result) is COROUTINE:
                raise refuse_coroutine(result)
            return result

        return guarded

    def awrap(
        self,
        fn: Callable[P, Awaitable[T]],
        name: str,  # noqa: ARG002 - pauses of tasks need none
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` disturbed in async code."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            late, fault = self._draw(*args, **kwargs)
            if late:
                await world().pause(self._time(), late, current_drain.get())
            if fault is not None:
                raise fault
            return await fn(*args, **kwargs)

        return guarded

    def _draw(self, /, *args: object, **kwargs: object) -> tuple[float, Exception | None]:
        """Return how late a call is to be, and the error it is to fail with, if any."""
        if not self.enabled or not switches.guarding:
            return 0.0, None
        if self._key is not None and self._key(*args, **kwargs) not in self._only:
            return 0.0, None
        with self._lock:
            # Always three draws, so that one rate does not shift what is drawn for the others.
            hangs = self._lots.random() < self._hang_rate
            delayed = self._lots.random() < self._latency_rate
            fails = self._lots.random() < self._fault_rate
            self._counts["calls"] += 1
            self._counts["hangs"] += hangs
            self._counts["delays"] += delayed
            self._counts["faults"] += fails
        late = (self._hang_for if hangs else 0.0) + (self._latency if delayed else 0.0)
        return late, self._fault() if fails and self._fault is not None else None


def _keys(only: object, *, given: bool) -> Container[Hashable]:
    """Return the keys to disturb, which must be given where `key` is, and only there: else it is a mistake."""
    if only is None:
        if given:
            raise ValueError("only must be given with key: the keys of the calls to disturb")
        return ()
    if not given:
        raise ValueError("key must be given with only: what names the calls")
    if isinstance(only, str) or not isinstance(only, Container):
        raise TypeError(f"only must be a container of keys, such as a set, not {only!r}")
    return cast("Container[Hashable]", only)


def _rate(argument: str, value: object) -> float:
    rule = "a share from 0 to 1"
    share = number(argument, value, rule)
    if not 0 <= share <= 1:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return share
