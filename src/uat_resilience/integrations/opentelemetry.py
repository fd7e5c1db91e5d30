"""OpenTelemetry: spans for attempts, span events for what happens to calls, and metrics of both.

    handle = instrument()                   # every policy on the default bus, with the global providers
    handle.watch(orders)                    # state, slots and limit too

Only the API is needed; the program chooses an SDK, and without one nothing is done. Counts are plain numbers (see
`tally`) that are read when metrics are collected, as are the snapshots. Only durations are recorded call by call.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version

from uat_resilience._core.arguments import flag
from uat_resilience.integrations.handle import bus_or_default
from uat_resilience.integrations.tally import DURATIONS, OTHER, OUTCOMES, Tally, count_events
from uat_resilience.integrations.watched import Instrumentation, Watched
from uat_resilience.telemetry import (
    BreakerStateChanged,
    CallAbandoned,
    CallRefused,
    DeadlineMissed,
    Event,
    EventBus,
    HedgeStarted,
    HedgeWon,
    RetriesExhausted,
    RetryScheduled,
)
from uat_resilience.telemetry.listeners import End

try:
    from opentelemetry.metrics import Histogram, MeterProvider, get_meter_provider
    from opentelemetry.trace import TracerProvider, get_tracer
except ImportError as error:
    raise ImportError(
        "opentelemetry-api is not installed: pip install 'uat-resilience[opentelemetry]'"
    ) from error

# These need the library as well, so they come after the message.
from uat_resilience.integrations.instruments import Source, instruments_of
from uat_resilience.integrations.spans import trace_attempts, trace_events

__all__ = ["Instrumentation", "Watched", "instrument"]


def instrument(
    bus: EventBus | None = None,
    *,
    meter_provider: MeterProvider | None = None,
    tracer_provider: TracerProvider | None = None,
    spans: bool = True,
    buckets: Sequence[float] = DURATIONS,
    names: int = 1000,
) -> Instrumentation:
    """Make a span of each attempt, write the rest on the caller's span, and keep metrics of all of it.

    Args:
        bus: Whose policies to tell of. Default: `default_bus`.
        meter_provider: Where metrics go, one set in each. Default: the global one.
        tracer_provider: Where spans go. Default: the global one.
        spans: False for metrics only.
        buckets: Upper bounds advised for `uat.call.duration` in seconds, rising. A view of the SDK has the last
            word, and what the first `instrument()` of a provider advised stays.
        names: Names of policies kept apart at most; further ones are counted together as `other`.

    Returns:
        A handle to watch policies with, and to close.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range, or the provider has these
            metrics already.
    """
    bus = bus_or_default(bus)
    tally = Tally(buckets, names=names)
    provider = get_meter_provider() if meter_provider is None else meter_provider
    if not isinstance(provider, MeterProvider):
        raise TypeError(f"meter_provider must be a MeterProvider or None, not {provider!r}")
    if tracer_provider is not None and not isinstance(tracer_provider, TracerProvider):
        raise TypeError(
            f"tracer_provider must be a TracerProvider or None, not {tracer_provider!r}"
        )
    flag("spans", spans)
    instruments = instruments_of(provider, tally.bounds)
    source = Source(tally)
    instruments.show(source)
    ends = [
        bus.meter(tally.end),
        bus.meter(_recorder(instruments.duration, names)),
        *count_events(bus, tally, _COUNTED),
        instruments.hide,
    ]
    if spans:
        tracer = get_tracer("uat_resilience", version("uat-resilience"), tracer_provider)
        ends += [trace_attempts(bus, tracer), *trace_events(bus)]
    return Instrumentation(source, ends, tally)


def _recorder(duration: Histogram, names: int) -> Callable[[End, str, float], None]:
    """Return a meter that records durations.

    Abandoned calls are left out. How long they took says nothing, and the garbage collector can end one in the
    middle of the SDK, whose locks must then not be asked for again.
    """
    other = _attributes(OTHER)
    known: dict[str, dict[End, dict[str, str]]] = {}

    def record(kind: End, policy: str, elapsed: float) -> None:
        if kind is CallAbandoned:
            return
        attributes = known.get(policy)
        if attributes is None:
            if len(known) < names:
                attributes = known[policy] = _attributes(policy)
            else:
                attributes = other
        duration.record(elapsed, attributes[kind])

    return record


def _attributes(policy: str) -> dict[End, dict[str, str]]:
    return {
        kind: {"uat.policy": policy, "uat.outcome": outcome} for kind, outcome in OUTCOMES.items()
    }


_COUNTED: dict[type[Event], str] = {
    CallRefused: "uat.calls",
    BreakerStateChanged: "uat.breaker.transitions",
    RetryScheduled: "uat.retry.scheduled",
    RetriesExhausted: "uat.retry.exhausted",
    DeadlineMissed: "uat.deadline.missed",
    HedgeStarted: "uat.hedge.started",
    HedgeWon: "uat.hedge.won",
}
