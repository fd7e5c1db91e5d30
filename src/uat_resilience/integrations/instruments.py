"""The instruments of OpenTelemetry that show what was counted, and the snapshots of watched policies.

Names are in the style of its semantic conventions: in dots, with units, with `usage` and `limit` for what is used
up to a limit. What can be added up over processes is an up-down counter.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from threading import Lock
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from uat_resilience._core.breaker import BreakerState
from uat_resilience.integrations.lines import spelled
from uat_resilience.integrations.tally import OUTCOMES, Tally
from uat_resilience.integrations.watched import Slots, Watched, slots_of, snapshots
from uat_resilience.policies.circuit_breaker import BreakerSnapshot

__all__ = ["Instruments", "Source", "instruments_of"]


class Source:
    """What one `instrument()` has counted and watches."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.watched: tuple[Watched, ...] = ()

    def counted(self, metric: str) -> Iterator[Observation]:
        """Return what has been counted so far."""
        calls, counts = self.tally.read()
        if metric == "uat.calls":
            for policy, each in calls.items():
                for kind, row in each.buckets.items():
                    attributes = {"uat.policy": policy, "uat.outcome": OUTCOMES[kind]}
                    yield Observation(sum(row), attributes)
        for (name, policy, value), number in counts.items():
            if name == metric:
                extra = {_MORE[metric]: value} if value else {}
                yield Observation(number, {"uat.policy": policy, **extra})

    def states(self) -> Iterator[Observation]:
        """Return 1 for the state that each breaker is in, and 0 for the others."""
        for policy, snapshot in snapshots(self.watched).items():
            if isinstance(snapshot, BreakerSnapshot):
                for each in BreakerState:
                    attributes = {"uat.policy": policy, "uat.breaker.state": spelled(each)}
                    yield Observation(int(each is snapshot.state), attributes)

    def slots(self, figure: Callable[[Slots], int]) -> Iterator[Observation]:
        """Return a figure of each bulkhead and limiter."""
        for policy, snapshot in snapshots(self.watched).items():
            slots = slots_of(snapshot)
            if slots is not None:
                yield Observation(figure(slots), {"uat.policy": policy})


class Instruments:
    """The instruments of one provider: made once, as it cannot forget any, and fed by one source at a time."""

    def __init__(self, meter: Meter, bounds: Sequence[float]) -> None:
        self._lock = Lock()
        self._source: Source | None = None
        self.duration = meter.create_histogram(
            "uat.call.duration",
            unit="s",
            description="How long calls took that succeeded or failed",
            explicit_bucket_boundaries_advisory=list(bounds),
        )
        for name, unit, text in _COUNTERS:
            meter.create_observable_counter(name, [self._counting(name)], unit, text)
        for name, unit, text, read in _READINGS:
            meter.create_observable_up_down_counter(name, [self._reading(read)], unit, text)

    def show(self, source: Source) -> None:
        """Be fed by a source from now on.

        Raises:
            ValueError: Another one feeds it.
        """
        with self._lock:
            if self._source is not None:
                raise ValueError(
                    "the meter provider has these metrics already: close the handle of the other instrument()"
                )
            self._source = source

    def hide(self) -> None:
        """Be fed by nobody."""
        with self._lock:
            self._source = None

    def _counting(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return self._reading(lambda source: source.counted(name))

    def _reading(
        self, read: Callable[[Source], Iterable[Observation]]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            source = self._source
            return () if source is None else read(source)

        return observe


_COUNTERS = (
    ("uat.calls", "{call}", "Calls by how they ended"),
    ("uat.breaker.transitions", "{transition}", "Changes of a breaker's state"),
    ("uat.retry.scheduled", "{attempt}", "Further attempts that were decided on"),
    ("uat.retry.exhausted", "{call}", "Calls that a retry gave up"),
    ("uat.deadline.missed", "{call}", "Calls that were not over in time"),
    ("uat.hedge.started", "{copy}", "Further copies of slow calls"),
    ("uat.hedge.won", "{copy}", "Further copies of slow calls that came first"),
)

_MORE = {"uat.calls": "uat.outcome", "uat.breaker.transitions": "uat.breaker.state"}

_READINGS: tuple[tuple[str, str, str, Callable[[Source], Iterable[Observation]]], ...] = (
    ("uat.breaker.state", "1", "1 for the state a breaker is in", Source.states),
    (
        "uat.slots.usage",
        "{call}",
        "Calls with a slot",
        lambda source: source.slots(lambda slots: slots.running),
    ),
    (
        "uat.slots.waiting",
        "{call}",
        "Calls in the queue",
        lambda source: source.slots(lambda slots: slots.waiting),
    ),
    (
        "uat.slots.limit",
        "{call}",
        "Calls at once at most",
        lambda source: source.slots(lambda slots: slots.limit),
    ),
)

_lock = Lock()
_made: WeakKeyDictionary[MeterProvider, Instruments] = WeakKeyDictionary()


def instruments_of(provider: MeterProvider, bounds: Sequence[float]) -> Instruments:
    """Return the instruments of a provider; the first to ask has them made, with these bounds advised."""
    with _lock:
        made = _made.get(provider)
        if made is None:
            meter = provider.get_meter("uat_resilience", version("uat-resilience"))
            made = _made[provider] = Instruments(meter, bounds)
    return made
