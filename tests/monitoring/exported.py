"""What `instrument()` really exports, after everything that it counts has happened once."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from uat_resilience import (
    BreakerState,
    BreakerStateChanged,
    Bulkhead,
    CallRefused,
    CallRefusedError,
    CircuitBreaker,
    DeadlineMissed,
    EventBus,
    GiveUp,
    HedgeStarted,
    HedgeWon,
    Pipeline,
    RetriesExhausted,
    RetryScheduled,
)
from uat_resilience.integrations.prometheus import instrument

__all__ = ["exported_labels", "exported_text"]


def exported_text() -> str:
    """Return a scrape in which no metric is empty."""
    registry, bus = CollectorRegistry(), EventBus()
    handle = instrument(bus, registry=registry)
    orders = Pipeline(CircuitBreaker("db", bus=bus), Bulkhead(3, name="slots", bus=bus))
    handle.watch(orders)
    orders.call(int)
    for event in (
        BreakerStateChanged("db", 0.0, BreakerState.CLOSED, BreakerState.OPEN),
        CallRefused("db", 0.0, CallRefusedError("db")),
        DeadlineMissed("whole", 0.0, after=1.0),
        HedgeStarted("read", 0.0, attempt=2),
        HedgeWon("read", 0.0, attempt=2),
        RetriesExhausted("again", 0.0, attempts=3, reason=GiveUp.ATTEMPTS, error=None),
        RetryScheduled("again", 0.0, attempt=1, delay=1.0, error=None),
    ):
        bus.emit(event)
    return generate_latest(registry).decode()


def exported_labels() -> dict[str, set[str]]:
    """Return the labels of each metric by its name, as queries name it."""
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(exported_text())
        for sample in family.samples
    }
