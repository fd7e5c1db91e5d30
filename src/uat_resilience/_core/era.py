"""What a circuit breaker is made of: its states, eras, probes, and the facts it tells.

All of it is immutable. What it means is written in `breaker`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from uat_resilience._core.judges import Judge
from uat_resilience._core.straggling import STRAGGLING

__all__ = ["BreakerState", "Era", "Probe", "Refusal", "Ticket", "Transition"]


class BreakerState(IntEnum):
    """Where a breaker stands; the numbers are those shown in JSON and metrics."""

    CLOSED = 0
    """Calls pass and are judged."""

    HALF_OPEN = 1
    """A few probes pass; the rest are refused."""

    OPEN = 2
    """Calls are refused until the recovery time is over."""

    FORCED_OPEN = 3
    """Calls are refused until somebody resets the breaker."""

    FORCED_CLOSED = 4
    """Calls pass and are not judged until somebody resets the breaker."""


_OPEN = BreakerState.OPEN  # Looking a member up on its class takes as long as a call.


@dataclass(frozen=True, slots=True, eq=False)
class Era:
    """One stretch of time in one state. Immutable, so it can be read without a lock."""

    state: BreakerState
    generation: int
    judge: Judge
    since: float
    until: float
    admits: bool
    """True when every call passes."""

    def is_open(self, now: float) -> bool:
        """Return True while this is an opening that lasts."""
        return self.state is _OPEN and self.since - STRAGGLING <= now < self.until

    def refusal(self, now: float) -> "Refusal | None":
        """Return the refusal that holds for every call at `now`, or None when the machine has to decide."""
        if self.is_open(now):
            return Refusal(self.state, self.until - now)
        if self.state is BreakerState.FORCED_OPEN:
            return Refusal(self.state, None)
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """The place of one call in a half-open era, and until when it is held for it."""

    since: float
    until: float

    def holds(self, now: float) -> bool:
        """Return True while the lease lasts."""
        return self.since - STRAGGLING <= now < self.until


class Refusal(NamedTuple):
    """A call that must not be made. `retry_after` is above 0, or None when no time helps.

    A tuple, because refusing must be cheap: a frozen dataclass takes three times as long to make.
    """

    state: BreakerState
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Transition:
    """A fact to tell once the lock is free."""

    old: BreakerState
    new: BreakerState
    at: float
    generation: int
    times_opened: int


Ticket = Era | Probe
"""What an admitted call hands back with its outcome."""
