"""Two ways to have metrics: count in plain Python for a scrape to read, or tell prometheus-client each time.

Both keep what `uat_calls_total{policy,outcome}` and `uat_call_seconds{policy}` need, for every policy of the
pipeline, exact under threads.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from threading import Lock

from benchmarks.contenders.contender import NotOffered
from uat_resilience import CallAbandoned, CallFailed, CallSucceeded, EventBus

__all__ = ["Tally", "count_outcomes", "tell_prometheus"]

_OUTCOMES = {CallSucceeded: "success", CallFailed: "failure", CallAbandoned: "abandoned"}
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_MANY = 1000


class Tally:
    """Calls of one outcome by policy, and the buckets of their durations.

    A call only notes its event, which needs no lock; the notes are added up before a scrape reads them,
    and now and then so that they do not pile up.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._heard: deque[CallSucceeded | CallFailed | CallAbandoned] = deque()
        self.seconds: dict[str, float] = defaultdict(float)
        self.buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))

    def hear(self, event: CallSucceeded | CallFailed | CallAbandoned) -> None:
        """Note one call."""
        heard = self._heard
        heard.append(event)
        if len(heard) >= _MANY:
            self.add_up()

    def add_up(self) -> None:
        """Count what was noted."""
        heard, seconds, buckets = self._heard, self.seconds, self.buckets
        with self._lock:
            for _ in range(len(heard)):
                event = heard.popleft()
                seconds[event.policy] += event.elapsed
                buckets[event.policy][bisect_left(_BOUNDS, event.elapsed)] += 1


def count_outcomes(bus: EventBus) -> dict[str, Tally]:
    """Count every outcome on this bus; what is counted would be read when Prometheus asks."""
    tallies = {outcome: Tally() for outcome in _OUTCOMES.values()}
    for kind, outcome in _OUTCOMES.items():
        bus.subscribe(tallies[outcome].hear, kind)
    return tallies


def tell_prometheus(bus: EventBus) -> None:
    """Add every outcome on this bus to a Counter, and its duration to a Histogram.

    Raises:
        NotOffered: prometheus-client is not installed.
    """
    try:
        from prometheus_client import (  # noqa: PLC0415 - optional here too
            CollectorRegistry,
            Counter,
            Histogram,
        )
    except ImportError as error:
        raise NotOffered from error
    registry = CollectorRegistry()
    calls = Counter("uat_calls", "Calls by outcome", ["policy", "outcome"], registry=registry)
    seconds = Histogram("uat_call_seconds", "Duration", ["policy"], registry=registry)

    # A labelled child is looked up once per policy, as prometheus-client's documentation advises.
    children: dict[tuple[str, type], tuple[Counter, Histogram]] = {}

    def hear(event: CallSucceeded | CallFailed | CallAbandoned) -> None:
        key = (event.policy, type(event))
        child = children.get(key)
        if child is None:
            outcome = _OUTCOMES[type(event)]
            child = calls.labels(event.policy, outcome), seconds.labels(event.policy)
            children[key] = child
        child[0].inc()
        child[1].observe(event.elapsed)

    for kind in _OUTCOMES:
        bus.subscribe(hear, kind)
