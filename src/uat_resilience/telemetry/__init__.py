"""What policies tell: events, and the bus that carries them."""

from uat_resilience.telemetry.bus import EventBus, captured, default_bus
from uat_resilience.telemetry.events import (
    BreakerStateChanged,
    CallAbandoned,
    CallbackFailed,
    CallFailed,
    CallRefused,
    CallSucceeded,
    DeadlineMissed,
    Event,
    FallbackUsed,
    HedgeStarted,
    HedgeWon,
    KeyOverflowed,
    LimitChanged,
    RetriesExhausted,
    RetryScheduled,
    SlotQueued,
)

__all__ = [
    "BreakerStateChanged",
    "CallAbandoned",
    "CallFailed",
    "CallRefused",
    "CallSucceeded",
    "CallbackFailed",
    "DeadlineMissed",
    "Event",
    "EventBus",
    "FallbackUsed",
    "HedgeStarted",
    "HedgeWon",
    "KeyOverflowed",
    "LimitChanged",
    "RetriesExhausted",
    "RetryScheduled",
    "SlotQueued",
    "captured",
    "default_bus",
]
