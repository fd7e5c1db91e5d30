"""Prometheus: count what policies do, and show it when the server scrapes.

    handle = instrument()                   # every policy on the default bus, in the default registry
    handle.watch(orders)                    # gauges too: state, slots, limit

Counters are plain numbers (see `tally`) and are only turned into metrics at scrape time; gauges are read from
`snapshot()` then. Labels are names of policies and enum values, so there are as many series as policies.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from uat_resilience._core.breaker import BreakerState
from uat_resilience.integrations.handle import bus_or_default
from uat_resilience.integrations.lines import spelled
from uat_resilience.integrations.tally import DURATIONS, OUTCOMES, Calls, Count, Tally, count_events
from uat_resilience.integrations.watched import Instrumentation, Watched, slots_of, snapshots
from uat_resilience.policies.circuit_breaker import BreakerSnapshot
from uat_resilience.telemetry import (
    BreakerStateChanged,
    CallRefused,
    DeadlineMissed,
    Event,
    EventBus,
    HedgeStarted,
    HedgeWon,
    RetriesExhausted,
    RetryScheduled,
)

try:
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImportError(
        "prometheus-client is not installed: pip install 'uat-resilience[prometheus]'"
    ) from error

__all__ = ["Instrumentation", "Watched", "instrument"]


def instrument(
    bus: EventBus | None = None,
    *,
    registry: CollectorRegistry = REGISTRY,
    buckets: Sequence[float] = DURATIONS,
    names: int = 1000,
) -> Instrumentation:
    """Count how calls end, how long they take, retries, transitions, refusals and missed deadlines.

    Args:
        bus: Whose policies to count. Default: `default_bus`.
        registry: Where the metrics go, one set in each. Default: the one that `prometheus_client` exposes.
        buckets: Upper bounds of `uat_call_seconds` in seconds, rising.
        names: Names of policies kept apart at most; further ones are counted together as `other`.

    Returns:
        A handle to watch policies with, and to close.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range, or the registry has these
            metrics already.
    """
    bus = bus_or_default(bus)
    if not isinstance(registry, CollectorRegistry):
        raise TypeError(f"registry must be a CollectorRegistry, not {registry!r}")
    tally = Tally(buckets, names=names)
    collector = _Collector(tally)
    registry.register(collector)
    ends = [
        bus.meter(tally.end),
        *count_events(bus, tally, _COUNTED),
        lambda: registry.unregister(collector),
    ]
    return Instrumentation(collector, ends, tally)


class _Collector(Collector):
    """Turns the counts and the snapshots into metrics, each time it is asked."""

    def __init__(self, tally: Tally) -> None:
        self.watched: tuple[Watched, ...] = ()
        self._tally = tally
        self._hedges_lost: dict[str, int] = {}

    def describe(self) -> Iterable[Metric]:
        """Name the metrics, so that the registry finds out who else has them."""
        return [*self._counters({}, {}), *_gauges(())]

    def collect(self) -> Iterable[Metric]:
        """Return all metrics as they are now."""
        return [*self._counters(*self._tally.read()), *_gauges(self.watched)]

    def _counters(self, calls: dict[str, Calls], counts: dict[Count, int]) -> Iterator[Metric]:
        ended = CounterMetricFamily(
            "uat_calls", "Calls by how they ended", labels=("policy", "outcome")
        )
        lasted = HistogramMetricFamily(
            "uat_call_seconds",
            "Seconds that calls took; refused ones take none",
            labels=("policy",),
        )
        for policy, each in calls.items():
            for kind, row in each.buckets.items():
                ended.add_metric((policy, OUTCOMES[kind]), sum(row))
            lasted.add_metric((policy,), *self._histogram(each))
        counters = {"uat_calls": ended} | {
            name: CounterMetricFamily(name, text, labels=labels) for name, text, labels in _COUNTERS
        }
        for (metric, policy, label), number in counts.items():
            if metric in counters:
                counters[metric].add_metric((policy, label) if label else (policy,), number)
        for policy, started, won in _hedges(counts):
            # A copy has lost until it wins, but a counter must not fall.
            lost = max(started - won, self._hedges_lost.get(policy, 0))
            self._hedges_lost[policy] = lost
            counters["uat_hedges"].add_metric((policy, "true"), won)
            counters["uat_hedges"].add_metric((policy, "false"), lost)
        yield from counters.values()
        yield lasted

    def _histogram(self, calls: Calls) -> tuple[list[tuple[str, float]], float]:
        rows = [sum(column) for column in zip(*calls.buckets.values(), strict=True)]
        bounds = [*(str(bound) for bound in self._tally.bounds), "+Inf"]
        return list(zip(bounds, accumulate(rows), strict=True)), calls.seconds


_STARTED, _WON = "started", "won"  # Of hedges: shown as those that won and those that lost.
_COUNTED: dict[type[Event], str] = {
    CallRefused: "uat_calls",
    BreakerStateChanged: "uat_breaker_transitions",
    RetryScheduled: "uat_retries",
    RetriesExhausted: "uat_retries_exhausted",
    DeadlineMissed: "uat_deadlines_missed",
    HedgeStarted: _STARTED,
    HedgeWon: _WON,
}
_COUNTERS = (
    ("uat_breaker_transitions", "Changes of a breaker's state", ("policy", "to")),
    ("uat_retries", "Further attempts that were decided on", ("policy",)),
    ("uat_retries_exhausted", "Calls that a retry gave up", ("policy",)),
    ("uat_deadlines_missed", "Calls that were not over in time", ("policy",)),
    ("uat_hedges", "Further copies of slow calls, by whether they came first", ("policy", "won")),
)


def _hedges(counts: dict[Count, int]) -> Iterator[tuple[str, int, int]]:
    for (metric, policy, label), started in counts.items():
        if metric == _STARTED:
            yield policy, started, counts.get((_WON, policy, label), 0)


def _gauges(watched: Iterable[Watched]) -> Iterator[Metric]:
    state = GaugeMetricFamily(
        "uat_breaker_state", "1 for the state a breaker is in", labels=("policy", "state")
    )
    running = GaugeMetricFamily("uat_bulkhead_running", "Calls with a slot", labels=("policy",))
    waiting = GaugeMetricFamily("uat_bulkhead_waiting", "Calls in the queue", labels=("policy",))
    limit = GaugeMetricFamily("uat_limit", "Calls at once at most", labels=("policy",))
    for policy, snapshot in snapshots(watched).items():
        if isinstance(snapshot, BreakerSnapshot):
            for each in BreakerState:
                state.add_metric((policy, spelled(each)), each is snapshot.state)
        slots = slots_of(snapshot)
        if slots is not None:
            running.add_metric((policy,), slots.running)
            waiting.add_metric((policy,), slots.waiting)
            limit.add_metric((policy,), slots.limit)
    yield from (state, running, waiting, limit)
