"""Policies tell what they do on a bus; snapshots say how things are."""

from uat_resilience import (
    BreakerStateChanged,
    CallRefusedError,
    CircuitBreaker,
    ConsecutiveFailures,
    EventBus,
    Jitter,
    Pipeline,
    Retry,
    RetryScheduled,
)
from uat_resilience.testing import FakeClock, captured

bus = EventBus()  # one of its own; policies that are given none share `default_bus`
breaker = CircuitBreaker("stock-db", trip=ConsecutiveFailures(4), bus=bus)
retry = Retry(ConnectionError, attempts=3, jitter=Jitter.NONE, bus=bus)
pipeline = Pipeline(retry, breaker, name="stock")


@pipeline
def count_stock() -> int:
    """Fail, always."""
    raise ConnectionError("no route to host")


def main() -> None:
    """Listen to two kinds of events, then to all of them."""

    def on_retry(event: RetryScheduled) -> None:
        print(f"{event.policy}: attempt {event.attempt} failed, next in {event.delay:g} s")

    def on_state(event: BreakerStateChanged) -> None:
        print(f"{event.policy}: {event.old.name} -> {event.new.name} at {event.at:g} s")

    stop_retries = bus.subscribe(on_retry, RetryScheduled)
    bus.subscribe(on_state, BreakerStateChanged)

    with FakeClock(auto=True):
        for _ in range(2):
            try:
                count_stock()
            except (ConnectionError, CallRefusedError) as error:
                print(f"  ended with {type(error).__name__}")
        stop_retries()
        with captured(bus) as events:
            try:
                count_stock()
            except CallRefusedError:
                print("the third call told:", [type(event).__name__ for event in events])
        print(breaker.snapshot())


if __name__ == "__main__":
    main()
