"""The events: frozen facts, each with the name of its policy and the time on that policy's clock."""

from dataclasses import dataclass

from uat_resilience._core.breaker import BreakerState
from uat_resilience._core.drain import Phase
from uat_resilience._core.hysteresis import Status
from uat_resilience._core.retry import GiveUp
from uat_resilience.errors import CallRefusedError

__all__ = [
    "BreakerStateChanged",
    "CallAbandoned",
    "CallFailed",
    "CallRefused",
    "CallSucceeded",
    "CallbackFailed",
    "DeadlineMissed",
    "Event",
    "FallbackUsed",
    "HealthChanged",
    "HedgeStarted",
    "HedgeWon",
    "KeyOverflowed",
    "LimitChanged",
    "RetriesExhausted",
    "RetryScheduled",
    "ShutdownPhaseChanged",
    "SlotQueued",
]


@dataclass(frozen=True, slots=True)
class BreakerStateChanged:
    """A breaker moved from one state to another."""

    policy: str
    at: float
    old: BreakerState
    new: BreakerState


@dataclass(frozen=True, slots=True)
class CallSucceeded:
    """A call through a policy ended well, after `elapsed` seconds."""

    policy: str
    at: float
    elapsed: float


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A call through a policy failed. `error` is None when its result was judged a failure."""

    policy: str
    at: float
    elapsed: float
    error: Exception | None


@dataclass(frozen=True, slots=True)
class CallAbandoned:
    """A call ended without saying anything: cancelled, ignored, or refused further in."""

    policy: str
    at: float
    elapsed: float


@dataclass(frozen=True, slots=True)
class CallRefused:
    """A policy did not make the call (or, for a breaker that only observes, would not have)."""

    policy: str
    at: float
    error: CallRefusedError


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """Attempt number `attempt` failed; the next one follows after `delay` seconds.

    `error` is None when a result was judged a failure.
    """

    policy: str
    at: float
    attempt: int
    delay: float
    error: Exception | None


@dataclass(frozen=True, slots=True)
class RetriesExhausted:
    """A retry gave up after `attempts` calls, for `reason`."""

    policy: str
    at: float
    attempts: int
    reason: GiveUp
    error: Exception | None


@dataclass(frozen=True, slots=True)
class DeadlineMissed:
    """A call did not end within the `after` seconds it was given."""

    policy: str
    at: float
    after: float


@dataclass(frozen=True, slots=True)
class SlotQueued:
    """A call waits for a slot; `waiting` calls are in the queue, this one included."""

    policy: str
    at: float
    waiting: int


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """What the results of a health check (named by `policy`) have come to; `old` is None for the first."""

    policy: str
    at: float
    old: Status | None
    new: Status


@dataclass(frozen=True, slots=True)
class ShutdownPhaseChanged:
    """A shutdown went from one phase to the next."""

    policy: str
    at: float
    old: Phase
    new: Phase


@dataclass(frozen=True, slots=True)
class HedgeStarted:
    """A further copy of a slow call was started; `attempt` is its number, from 2."""

    policy: str
    at: float
    attempt: int


@dataclass(frozen=True, slots=True)
class HedgeWon:
    """A further copy was the first to succeed; `attempt` is its number, from 2."""

    policy: str
    at: float
    attempt: int


@dataclass(frozen=True, slots=True)
class LimitChanged:
    """An adaptive limiter has found another limit."""

    policy: str
    at: float
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class KeyOverflowed:
    """A keyed store is full of policies in use: this key got one that is not kept."""

    policy: str
    at: float
    key: str


@dataclass(frozen=True, slots=True)
class FallbackUsed:
    """A fallback answered in place of `error`."""

    policy: str
    at: float
    error: Exception


@dataclass(frozen=True, slots=True)
class CallbackFailed:
    """A function given to a policy (named by `argument`) raised, or returned nonsense, and was overruled."""

    policy: str
    at: float
    argument: str
    error: Exception


Event = (
    BreakerStateChanged
    | CallAbandoned
    | CallFailed
    | CallRefused
    | CallSucceeded
    | CallbackFailed
    | DeadlineMissed
    | FallbackUsed
    | HealthChanged
    | HedgeStarted
    | HedgeWon
    | KeyOverflowed
    | LimitChanged
    | RetriesExhausted
    | RetryScheduled
    | ShutdownPhaseChanged
    | SlotQueued
)
"""Any event. Match on its type; a type checker can tell when a `match` forgets one."""
