"""Spans of OpenTelemetry: one for each attempt of a retry, and span events for the rest.

The span of an attempt is a child of the caller's, and is current while the attempt runs: what is called there, and
what happens there, belongs to it. All else is an event on the span that is current where it happens. Errors go by
their type; their text may hold what nobody should read in a trace.
"""

from collections.abc import Callable, Iterator

from opentelemetry.context import attach, detach
from opentelemetry.trace import (
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from uat_resilience.errors import CallRefusedError
from uat_resilience.integrations.lines import spelled
from uat_resilience.telemetry import (
    BreakerStateChanged,
    CallRefused,
    DeadlineMissed,
    EventBus,
    FallbackUsed,
    HedgeStarted,
    HedgeWon,
    RetriesExhausted,
    RetryScheduled,
    SlotQueued,
)

__all__ = ["trace_attempts", "trace_events"]

Fields = dict[str, str | int | float]


def trace_attempts(bus: EventBus, tracer: Tracer) -> Callable[[], None]:
    """Make a span of each attempt that a retry makes; return what ends that."""

    def attempting(policy: str, number: int) -> Callable[[BaseException | None], None]:
        span = tracer.start_span(
            f"{policy} attempt", attributes={"uat.policy": policy, "uat.attempt": number}
        )
        token = attach(set_span_in_context(span))

        def attempted(error: BaseException | None) -> None:
            # An abandoned coroutine ends wherever the garbage collector runs, where nothing was attached.
            if not isinstance(error, GeneratorExit) or get_current_span() is span:
                detach(token)
            span.set_attribute("uat.outcome", _outcome(error))
            if isinstance(error, Exception):
                span.set_attribute("error.type", _type(error))
                span.set_status(Status(StatusCode.ERROR))
            span.end()

        return attempted

    return bus.trace(attempting)


def trace_events(bus: EventBus) -> Iterator[Callable[[], None]]:
    """Write what happens to calls on the span that is current there; return what ends that."""
    for kind, (name, fields) in _EVENTS.items():
        yield bus.subscribe(_writer(name, fields), kind)


_Spanned = (
    BreakerStateChanged
    | CallRefused
    | DeadlineMissed
    | FallbackUsed
    | HedgeStarted
    | HedgeWon
    | RetriesExhausted
    | RetryScheduled
    | SlotQueued
)


def _writer(name: str, fields: Callable[..., Fields]) -> Callable[[_Spanned], None]:
    def write(event: _Spanned) -> None:
        span = get_current_span()
        if span.is_recording():
            span.add_event(name, {"uat.policy": event.policy, **fields(event)})

    return write


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "success"
    if isinstance(error, CallRefusedError):
        return "refused"
    return "failure" if isinstance(error, Exception) else "abandoned"


def _type(error: BaseException) -> str:
    """Return the name of an error's type as semantic conventions want it: in full, but for built-in ones."""
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _raised(error: Exception | None) -> Fields:
    return {} if error is None else {"error.type": _type(error)}


def _changed(event: BreakerStateChanged) -> Fields:
    return {"uat.breaker.old": spelled(event.old), "uat.breaker.new": spelled(event.new)}


def _refused(event: CallRefused) -> Fields:
    return _raised(event.error)


def _missed(event: DeadlineMissed) -> Fields:
    return {"uat.after": event.after}


def _fell_back(event: FallbackUsed) -> Fields:
    return _raised(event.error)


def _hedged(event: HedgeStarted | HedgeWon) -> Fields:
    return {"uat.attempt": event.attempt}


def _gave_up(event: RetriesExhausted) -> Fields:
    reason = spelled(event.reason)
    return {"uat.attempts": event.attempts, "uat.reason": reason, **_raised(event.error)}


def _scheduled(event: RetryScheduled) -> Fields:
    return {"uat.attempt": event.attempt, "uat.delay": event.delay, **_raised(event.error)}


def _queued(event: SlotQueued) -> Fields:
    return {"uat.waiting": event.waiting}


_EVENTS: dict[type[_Spanned], tuple[str, Callable[..., Fields]]] = {
    BreakerStateChanged: ("uat.breaker.changed", _changed),
    CallRefused: ("uat.call.refused", _refused),
    DeadlineMissed: ("uat.deadline.missed", _missed),
    FallbackUsed: ("uat.fallback.used", _fell_back),
    HedgeStarted: ("uat.hedge.started", _hedged),
    HedgeWon: ("uat.hedge.won", _hedged),
    RetriesExhausted: ("uat.retry.exhausted", _gave_up),
    RetryScheduled: ("uat.retry.scheduled", _scheduled),
    SlotQueued: ("uat.slot.queued", _queued),
}
