from contextlib import suppress
from typing import Any, Never

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
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
from uat_resilience.integrations.prometheus import Instrumentation, instrument
from uat_resilience.telemetry import HedgeStarted, HedgeWon
from uat_resilience.testing import FakeClock


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def handle(bus: EventBus, registry: CollectorRegistry) -> Instrumentation:
    return instrument(bus, registry=registry)


def fails() -> Never:
    raise ConnectionError


@pytest.mark.usefixtures("handle")
def test_ends_of_calls_are_counted_by_policy_and_outcome(
    bus: EventBus, registry: CollectorRegistry, world: World
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2), bus=bus)

    world.call(breaker, lambda: 1)
    for _ in range(3):
        with suppress(ConnectionError, CallRefusedError):
            world.call(breaker, fails)
    with suppress(KeyboardInterrupt):
        world.call(Bulkhead(1, name="slots", bus=bus), interrupted)

    assert registry.get_sample_value("uat_calls_total", {"policy": "db", "outcome": "success"}) == 1
    assert registry.get_sample_value("uat_calls_total", {"policy": "db", "outcome": "failure"}) == 2
    assert registry.get_sample_value("uat_calls_total", {"policy": "db", "outcome": "refused"}) == 1
    abandoned = {"policy": "slots", "outcome": "abandoned"}
    assert registry.get_sample_value("uat_calls_total", abandoned) == 1


def test_durations_fall_into_cumulative_buckets(
    bus: EventBus, registry: CollectorRegistry, clock: FakeClock
) -> None:
    instrument(bus, registry=registry, buckets=[1.0, 2.0])
    bulkhead = Bulkhead(1, name="slots", bus=bus)

    for seconds in (0.5, 1.0, 1.5, 3.0):
        bulkhead.call(clock.advance, seconds)

    shown = {
        sample.labels["le"]: sample.value
        for sample in samples(registry)
        if sample.name == "uat_call_seconds_bucket"
    }
    assert shown == {"1.0": 2, "2.0": 3, "+Inf": 4}
    assert registry.get_sample_value("uat_call_seconds_sum", {"policy": "slots"}) == 6.0
    assert registry.get_sample_value("uat_call_seconds_count", {"policy": "slots"}) == 4


@pytest.mark.usefixtures("handle", "clock")
def test_transitions_retries_and_missed_deadlines_are_counted(
    bus: EventBus, registry: CollectorRegistry
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2), bus=bus)
    retry = Retry(on=ConnectionError, attempts=2, name="again", bus=bus)

    with suppress(ConnectionError):
        Pipeline(retry, breaker).call(fails)
    bus.emit(DeadlineMissed("slow", 0.0, 1.0))

    transitions = {"policy": "db", "to": "open"}
    assert registry.get_sample_value("uat_breaker_transitions_total", transitions) == 1
    assert registry.get_sample_value("uat_retries_total", {"policy": "again"}) == 1
    assert registry.get_sample_value("uat_retries_exhausted_total", {"policy": "again"}) == 1
    assert registry.get_sample_value("uat_deadlines_missed_total", {"policy": "slow"}) == 1


@pytest.mark.usefixtures("handle")
def test_hedges_are_counted_by_whether_they_won_and_neither_count_falls(
    bus: EventBus, registry: CollectorRegistry
) -> None:
    def lost() -> float | None:
        return registry.get_sample_value("uat_hedges_total", {"policy": "read", "won": "false"})

    bus.emit(HedgeStarted("read", 0.0, 2))
    while_running = lost()
    bus.emit(HedgeWon("read", 0.0, 2))
    after_the_win = lost()
    bus.emit(HedgeStarted("read", 0.0, 2))

    assert registry.get_sample_value("uat_hedges_total", {"policy": "read", "won": "true"}) == 1
    assert (while_running, after_the_win, lost()) == (1, 1, 1)


def test_gauges_of_watched_policies_are_read_at_the_scrape(
    bus: EventBus, registry: CollectorRegistry, handle: Instrumentation
) -> None:
    breaker, bulkhead = CircuitBreaker("db", bus=bus), Bulkhead(3, bus=bus)
    handle.watch(Pipeline(breaker, Pipeline(bulkhead, name="inner"), name="orders"))

    breaker.force_open()
    with bulkhead.permit():
        running = registry.get_sample_value("uat_bulkhead_running", {"policy": "inner/bulkhead"})

    assert running == 1
    assert registry.get_sample_value("uat_bulkhead_running", {"policy": "inner/bulkhead"}) == 0
    assert registry.get_sample_value("uat_bulkhead_waiting", {"policy": "inner/bulkhead"}) == 0
    assert registry.get_sample_value("uat_limit", {"policy": "inner/bulkhead"}) == 3
    states = {
        sample.labels["state"]: sample.value
        for sample in samples(registry)
        if sample.name == "uat_breaker_state"
    }
    assert states.pop("forced_open") == 1
    assert set(states.values()) == {0}
    assert set(states) == {"closed", "half_open", "open", "forced_closed"}


@pytest.mark.parametrize("other", ["db", CircuitBreaker, len], ids=["name", "class", "function"])
def test_what_is_no_policy_is_not_watched(
    bus: EventBus, registry: CollectorRegistry, handle: Instrumentation, other: Any
) -> None:
    with pytest.raises(TypeError, match="policies must each have a name"):
        handle.watch(Bulkhead(1, bus=bus), other)

    assert registry.get_sample_value("uat_limit", {"policy": "bulkhead"}) is None


def test_policies_that_share_a_name_make_one_series(
    bus: EventBus, registry: CollectorRegistry, handle: Instrumentation
) -> None:
    handle.watch(Bulkhead(1, bus=bus)).watch(Bulkhead(2, bus=bus))

    limits = [sample.value for sample in samples(registry) if sample.name == "uat_limit"]

    assert limits == [2]


@pytest.mark.usefixtures("handle")
def test_two_registries_count_apart(bus: EventBus, registry: CollectorRegistry) -> None:
    other = CollectorRegistry()
    Bulkhead(1, bus=bus).call(int)
    second = instrument(bus, registry=other)
    Bulkhead(1, bus=bus).call(int)

    labels = {"policy": "bulkhead", "outcome": "success"}
    assert registry.get_sample_value("uat_calls_total", labels) == 2
    assert other.get_sample_value("uat_calls_total", labels) == 1
    second.close()
    assert list(other.collect()) == []


@pytest.mark.usefixtures("handle")
def test_one_registry_takes_one_set(bus: EventBus, registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        instrument(bus, registry=registry)


@pytest.mark.usefixtures("handle")
def test_refused_registration_leaves_nothing_on_the_bus(registry: CollectorRegistry) -> None:
    bus = EventBus()

    with suppress(ValueError):
        instrument(bus, registry=registry)

    assert not bus.outcomes_wanted


def test_closed_handle_leaves_no_trace_and_may_be_closed_again(
    bus: EventBus, registry: CollectorRegistry, handle: Instrumentation
) -> None:
    handle.close()
    handle.close()

    assert list(registry.collect()) == []
    assert not bus.outcomes_wanted
    instrument(bus, registry=registry)


def test_leaving_the_block_of_a_handle_closes_it(
    bus: EventBus, registry: CollectorRegistry
) -> None:
    with instrument(bus, registry=registry) as handle:
        assert isinstance(handle, Instrumentation)
        assert list(registry.collect())

    assert list(registry.collect()) == []
    assert not bus.outcomes_wanted


def test_bus_and_registry_default_to_the_ones_everybody_uses() -> None:
    from prometheus_client import REGISTRY  # noqa: PLC0415 - only here

    handle = instrument()
    try:
        Bulkhead(1, name="everybody").call(int)

        labels = {"policy": "everybody", "outcome": "success"}
        assert REGISTRY.get_sample_value("uat_calls_total", labels) == 1
    finally:
        handle.close()


def interrupted() -> Never:
    raise KeyboardInterrupt


def samples(registry: CollectorRegistry) -> list[Sample]:
    text = generate_latest(registry).decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def test_policy_in_place_of_a_bus_is_refused_and_registers_nothing(
    registry: CollectorRegistry,
) -> None:
    policy: Any = Bulkhead(1)

    with pytest.raises(TypeError, match="bus must be an EventBus or None"):
        instrument(policy, registry=registry)

    assert list(registry.collect()) == []


def test_what_is_no_registry_is_refused_and_leaves_nothing_on_the_bus(bus: EventBus) -> None:
    registry: Any = "registry"

    with pytest.raises(TypeError, match="registry must be a CollectorRegistry"):
        instrument(bus, registry=registry)

    assert not bus.outcomes_wanted
