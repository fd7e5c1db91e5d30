"""A retry budget: keep extra attempts to a share of the calls, however many policies make them."""

from dataclasses import dataclass

from uat_resilience._core.arguments import non_negative, seconds
from uat_resilience._core.budget import BudgetMachine
from uat_resilience.clock import Clock, default_clock
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.policies.unset import Unset, given

__all__ = ["BudgetSnapshot", "RetryBudget"]


@dataclass(frozen=True, slots=True)
class BudgetSnapshot:
    """A budget at one moment.

    Attributes:
        calls: First attempts inside the window.
        extra_attempts: Extra attempts charged inside the window.
        available: Extra attempts that could be charged now.
    """

    calls: int
    extra_attempts: int
    available: float


class RetryBudget:
    """Keep extra attempts to a share of the calls, so that retries cannot multiply an outage.

    Inside the window, extra attempts are at most `ratio * calls + minimum_per_second * window`. Share one
    budget between all policies that call the same dependency: any number of `Retry` and `Hedge` objects.
    Thread-safe.

    Args:
        ratio: Extra attempts per call, 0 or more. A tenth keeps the load of a full outage at 110 %.
        minimum_per_second: Extra attempts a second that are always affordable, 0 or more, so that a
            client that calls once a minute may still retry.
        window: Seconds that are looked back on, above 0.
        clock: Time source. Default: the replaceable system clock.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("__weakref__", "_clock", "_machine", "_mailbox")

    def __init__(
        self,
        ratio: float = 0.1,
        *,
        minimum_per_second: float = 1.0,
        window: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        if clock is not None and not isinstance(clock, Clock):
            raise TypeError(f"clock must have now, random, wait and arm, not {clock!r}")
        self._clock = clock
        self._machine = BudgetMachine(
            ratio=non_negative("ratio", ratio),
            minimum_per_second=non_negative("minimum_per_second", minimum_per_second),
            window=seconds("window", window),
        )
        self._mailbox: Mailbox[float, None] = Mailbox(self._machine.deposit, lambda _: None)
        renew_after_fork(self)

    def deposit(self) -> None:
        """Count one call."""
        self._mailbox.post((self._clock or default_clock.clock).now())

    def withdraw(self) -> bool:
        """Charge one extra attempt; False, and no charge, when the budget is spent."""
        now = self._now()
        with self._mailbox.lock:
            granted = self._machine.withdraw(now)
        self._mailbox.sweep()
        return granted

    def update(
        self, *, ratio: float | Unset = Unset.UNSET, minimum_per_second: float | Unset = Unset.UNSET
    ) -> None:
        """Go by other settings from now on; what is not given stays.

        Calls and extra attempts inside the window stay counted, and are judged by the new settings.
        Thread-safe, all or nothing. Not for signal handlers, which may run while the lock is held.

        Args:
            ratio: Extra attempts per call, 0 or more.
            minimum_per_second: Extra attempts a second that are always affordable, 0 or more.

        Raises:
            TypeError, ValueError: As for the constructor. Nothing has changed then.
        """
        if not isinstance(ratio, Unset):
            ratio = non_negative("ratio", ratio)
        if not isinstance(minimum_per_second, Unset):
            minimum_per_second = non_negative("minimum_per_second", minimum_per_second)
        machine = self._machine
        with self._mailbox.lock:
            machine.ratio = given(ratio, machine.ratio)
            machine.minimum_per_second = given(minimum_per_second, machine.minimum_per_second)
        self._mailbox.sweep()

    def snapshot(self) -> BudgetSnapshot:
        """Return the budget at this moment."""
        now = self._now()
        with self._mailbox.lock:
            calls, extras = self._machine.counts(now)
            available = self._machine.available(now)
        self._mailbox.sweep()
        return BudgetSnapshot(calls, extras, available)

    def renew(self) -> None:
        """In a forked child: a free lock."""
        self._mailbox.renew()

    def _now(self) -> float:
        return (self._clock or default_clock.clock).now()
