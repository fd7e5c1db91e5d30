"""What OpenTelemetry's own SDK is shown: metrics."""

from contextlib import suppress
from typing import Any, Never

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from tests.worlds import World

from uat_resilience import (
    Bulkhead,
    CallRefusedError,
    CircuitBreaker,
    ConsecutiveFailures,
    DeadlineMissed,
    EventBus,
    Pipeline,
    Retry,
)
from uat_resilience.integrations.opentelemetry import Instrumentation, instrument
from uat_resilience.telemetry import HedgeStarted, HedgeWon
from uat_resilience.testing import FakeClock


class Meters:
    """A provider of the SDK, and what it has collected."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        scopes = (
            [scope for each in data.resource_metrics for scope in each.scope_metrics]
            if data
            else []
        )
        metrics = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        return [point for metric in metrics for point in metric.data.data_points]

    def values(self, name: str) -> dict[tuple[object, ...], float]:
        return {tuple(point.attributes.values()): point.value for point in self.points(name)}


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def meters() -> Meters:
    return Meters()


@pytest.fixture
def handle(bus: EventBus, meters: Meters) -> Instrumentation:
    return instrument(bus, meter_provider=meters.provider)


def fails() -> Never:
    raise ConnectionError


def interrupted() -> Never:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("handle")
def test_ends_of_calls_are_counted_by_policy_and_outcome(
    bus: EventBus, meters: Meters, world: World
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2), bus=bus)

    world.call(breaker, lambda: 1)
    for _ in range(3):
        with suppress(ConnectionError, CallRefusedError):
            world.call(breaker, fails)
    with suppress(KeyboardInterrupt):
        world.call(Bulkhead(1, name="slots", bus=bus), interrupted)

    counted = meters.values("uat.calls")
    assert counted["db", "success"] == 1
    assert counted["db", "failure"] == 2
    assert counted["db", "refused"] == 1
    assert counted["slots", "abandoned"] == 1
    assert meters.values("uat.breaker.transitions") == {("db", "open"): 1}


def test_durations_fall_into_the_advised_buckets_and_abandoned_calls_have_none(
    bus: EventBus, meters: Meters, clock: FakeClock
) -> None:
    instrument(bus, meter_provider=meters.provider, buckets=[1.0, 2.0])
    bulkhead = Bulkhead(1, name="slots", bus=bus)

    for seconds in (0.5, 1.0, 1.5, 3.0):
        bulkhead.call(clock.advance, seconds)
    with suppress(KeyboardInterrupt):
        bulkhead.call(interrupted)

    (point,) = meters.points("uat.call.duration")
    assert isinstance(point, HistogramDataPoint)
    assert point.attributes == {"uat.policy": "slots", "uat.outcome": "success"}
    assert (list(point.bucket_counts), point.sum) == ([2, 1, 1], 6.0)


@pytest.mark.usefixtures("handle", "clock")
def test_retries_missed_deadlines_and_hedges_are_counted(bus: EventBus, meters: Meters) -> None:
    retry = Retry(on=ConnectionError, attempts=3, name="again", bus=bus)

    with suppress(ConnectionError):
        retry.call(fails)
    bus.emit(DeadlineMissed("slow", 0.0, 1.0))
    bus.emit(HedgeStarted("read", 0.0, 2))
    bus.emit(HedgeWon("read", 0.0, 2))

    assert meters.values("uat.retry.scheduled") == {("again",): 2}
    assert meters.values("uat.retry.exhausted") == {("again",): 1}
    assert meters.values("uat.deadline.missed") == {("slow",): 1}
    assert meters.values("uat.hedge.started") == {("read",): 1}
    assert meters.values("uat.hedge.won") == {("read",): 1}


def test_states_and_slots_of_watched_policies_are_read_at_the_collection(
    bus: EventBus, meters: Meters, handle: Instrumentation
) -> None:
    breaker, bulkhead = CircuitBreaker("db", bus=bus), Bulkhead(3, bus=bus)
    handle.watch(Pipeline(breaker, Pipeline(bulkhead, name="inner"), name="orders"))

    breaker.force_open()
    with bulkhead.permit():
        used = meters.values("uat.slots.usage")

    assert used == {("inner/bulkhead",): 1}
    assert meters.values("uat.slots.usage") == {("inner/bulkhead",): 0}
    assert meters.values("uat.slots.waiting") == {("inner/bulkhead",): 0}
    assert meters.values("uat.slots.limit") == {("inner/bulkhead",): 3}
    states = meters.values("uat.breaker.state")
    assert states.pop(("db", "forced_open")) == 1
    assert set(states.values()) == {0}
    assert len(states) == 4


def test_names_above_the_limit_are_counted_together(bus: EventBus, meters: Meters) -> None:
    instrument(bus, meter_provider=meters.provider, names=2)

    for name in ("a", "b", "c", "d"):
        Bulkhead(1, name=name, bus=bus).call(int)

    named = {point.attributes["uat.policy"] for point in meters.points("uat.call.duration")}
    assert named == {"a", "b", "other"}
    assert meters.values("uat.calls")["other", "success"] == 2


@pytest.mark.usefixtures("handle")
def test_one_provider_takes_one_set(meters: Meters) -> None:
    bus = EventBus()

    with pytest.raises(ValueError, match="close the handle of the other"):
        instrument(bus, meter_provider=meters.provider)

    assert not bus.outcomes_wanted
    assert not bus.attempts_wanted


def test_two_providers_count_apart(bus: EventBus, meters: Meters, handle: Instrumentation) -> None:
    other = Meters()
    Bulkhead(1, bus=bus).call(int)
    instrument(bus, meter_provider=other.provider)
    Bulkhead(1, bus=bus).call(int)

    assert meters.values("uat.calls")["bulkhead", "success"] == 2
    assert other.values("uat.calls")["bulkhead", "success"] == 1
    handle.close()


def test_closed_handle_leaves_no_trace_and_lets_another_take_its_place(
    bus: EventBus, meters: Meters, handle: Instrumentation
) -> None:
    Bulkhead(1, bus=bus).call(int)

    handle.close()
    handle.close()
    afterwards = meters.values("uat.calls")
    listened = bus.outcomes_wanted or bus.attempts_wanted
    other_bus = EventBus()
    instrument(other_bus, meter_provider=meters.provider)
    Bulkhead(1, name="later", bus=other_bus).call(int)

    assert afterwards == {}
    assert not listened
    assert meters.values("uat.calls")["later", "success"] == 1


def test_handle_that_is_closed_late_leaves_its_successor_alone(
    bus: EventBus, meters: Meters, handle: Instrumentation
) -> None:
    handle.close()
    instrument(bus, meter_provider=meters.provider)

    handle.close()
    Bulkhead(1, bus=bus).call(int)

    assert meters.values("uat.calls")["bulkhead", "success"] == 1


def test_without_an_sdk_nothing_is_done_and_calls_are_unharmed() -> None:
    handle = instrument()
    try:
        result = Retry(on=ConnectionError, name="plain").call(int)
    finally:
        handle.close()

    assert result == 0


def test_policy_in_place_of_a_bus_is_refused() -> None:
    policy: Any = Bulkhead(1)

    with pytest.raises(TypeError, match="bus must be an EventBus or None"):
        instrument(policy)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"meter_provider": "meters"}, "meter_provider must be a MeterProvider or None"),
        ({"tracer_provider": "tracers"}, "tracer_provider must be a TracerProvider or None"),
        ({"spans": "no"}, "spans must be True or False"),
    ],
)
def test_what_is_refused_leaves_the_provider_to_the_next_one(
    wrong: dict[str, Any], says: str, bus: EventBus, meters: Meters
) -> None:
    with pytest.raises(TypeError, match=says):
        instrument(bus, **{"meter_provider": meters.provider, **wrong})

    assert not bus.outcomes_wanted
    instrument(bus, meter_provider=meters.provider).close()
