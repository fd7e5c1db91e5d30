"""What OpenTelemetry's own SDK is shown: spans and span events."""

from collections.abc import Generator
from contextlib import suppress
from contextvars import copy_context
from typing import Never

import anyio
import anyio.lowlevel
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, StatusCode, Tracer, get_current_span
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import (
    Bulkhead,
    CallRefusedError,
    CircuitBreaker,
    ConsecutiveFailures,
    Constant,
    EventBus,
    Fallback,
    Hedge,
    Jitter,
    Pipeline,
    Retry,
    TimedOutError,
    Timeout,
)
from uat_resilience.integrations.opentelemetry import instrument
from uat_resilience.telemetry import SlotQueued


class Suspended:
    """Suspends whoever awaits it."""

    def __await__(self) -> Generator[None]:
        yield


class Traces:
    """A provider of the SDK, and the spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def tracer(self) -> Tracer:
        return self.provider.get_tracer("tests")

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def events(self, span: ReadableSpan) -> list[tuple[str, dict[str, object]]]:
        return [(event.name, dict(event.attributes or {})) for event in span.events]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def traces() -> Traces:
    return Traces()


@pytest.fixture(autouse=True)
def _instrumented(bus: EventBus, traces: Traces) -> Generator[None]:
    metrics = MeterProvider(shutdown_on_exit=False)
    handle = instrument(bus, tracer_provider=traces.provider, meter_provider=metrics)
    yield
    handle.close()


def steadily(bus: EventBus, **settings: int) -> Retry:
    backoff = Constant(2.0)
    return Retry(
        ConnectionError, name="fetch", backoff=backoff, jitter=Jitter.NONE, bus=bus, **settings
    )


def fails() -> Never:
    raise ConnectionError("db:5432 refused")


@pytest.mark.usefixtures("clock")
def test_each_attempt_is_a_child_of_the_callers_span(
    bus: EventBus, traces: Traces, world: World
) -> None:
    guarded = world.guard(steadily(bus), Script(ConnectionError, "row"))

    with traces.tracer.start_as_current_span("request") as caller:
        guarded()

    attempts = traces.named("fetch attempt")
    assert [dict(span.attributes or {}) for span in attempts] == [
        {
            "uat.policy": "fetch",
            "uat.attempt": 1,
            "uat.outcome": "failure",
            "error.type": "ConnectionError",
        },
        {"uat.policy": "fetch", "uat.attempt": 2, "uat.outcome": "success"},
    ]
    assert [span.status.status_code for span in attempts] == [StatusCode.ERROR, StatusCode.UNSET]
    assert [span.parent for span in attempts] == [caller.get_span_context()] * 2


async def test_attempts_of_two_tasks_stay_with_their_own_callers(
    bus: EventBus, traces: Traces
) -> None:
    retry = steadily(bus)

    async def request(name: str) -> None:
        body = Script(ConnectionError, "row")

        async def fetch() -> object:
            await anyio.lowlevel.checkpoint()
            return body()

        with traces.tracer.start_as_current_span(name):
            await retry.acall(fetch)

    async with anyio.create_task_group() as group:
        group.start_soon(request, "a")
        group.start_soon(request, "b")

    callers = {span.context.span_id: span.name for span in (*traces.named("a"), *traces.named("b"))}
    parents = [
        callers[span.parent.span_id] for span in traces.named("fetch attempt") if span.parent
    ]
    assert sorted(parents) == ["a", "a", "b", "b"]


def test_attempt_is_the_current_span_while_it_runs_and_not_afterwards(
    bus: EventBus, traces: Traces, world: World
) -> None:
    def fetch() -> None:
        with traces.tracer.start_as_current_span("GET db"):
            pass

    def checked() -> None:
        steadily_guarded.call(fetch)
        current.append(get_current_span())

    current: list[Span] = []
    steadily_guarded = steadily(bus)
    with traces.tracer.start_as_current_span("request") as caller:
        world.call(Bulkhead(1, bus=bus), checked)

    (attempt,), (inner,) = traces.named("fetch attempt"), traces.named("GET db")
    assert inner.parent == attempt.context
    assert attempt.parent == caller.get_span_context()
    assert current == [caller]


def test_coroutine_that_is_closed_elsewhere_leaves_the_span_there_alone(
    bus: EventBus, traces: Traces, caplog: pytest.LogCaptureFixture
) -> None:
    async def hangs() -> None:
        await Suspended()

    coroutine = steadily(bus).acall(hangs)
    copy_context().run(coroutine.send, None)
    with traces.tracer.start_as_current_span("elsewhere") as elsewhere:
        coroutine.close()
        current = get_current_span()

    (attempt,) = traces.named("fetch attempt")
    assert (attempt.attributes or {})["uat.outcome"] == "abandoned"
    assert current is elsewhere
    assert caplog.records == []


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (ValueError, "failure", StatusCode.ERROR),
        (CallRefusedError("slots"), "refused", StatusCode.ERROR),
        (KeyboardInterrupt, "abandoned", StatusCode.UNSET),
    ],
)
def test_attempt_says_how_it_ended(
    bus: EventBus, traces: Traces, error: type[BaseException], outcome: str, status: StatusCode
) -> None:
    with suppress(ValueError, CallRefusedError, KeyboardInterrupt):
        steadily(bus).call(Script(error))

    (span,) = traces.named("fetch attempt")
    assert (span.attributes or {})["uat.outcome"] == outcome
    assert span.status.status_code is status


@pytest.mark.usefixtures("clock")
def test_what_happens_is_an_event_on_the_span_it_happens_in(
    bus: EventBus, traces: Traces, world: World
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), bus=bus)
    guarded = world.guard(Pipeline(steadily(bus), breaker), Script(ConnectionError))

    with traces.tracer.start_as_current_span("request"), suppress(CallRefusedError):
        guarded()

    first, second = traces.named("fetch attempt")
    assert traces.events(first) == [
        (
            "uat.breaker.changed",
            {"uat.policy": "db", "uat.breaker.old": "closed", "uat.breaker.new": "open"},
        )
    ]
    assert traces.events(second) == [
        (
            "uat.call.refused",
            {"uat.policy": "db", "error.type": "uat_resilience.errors.CircuitOpenError"},
        )
    ]
    assert traces.events(*traces.named("request")) == [
        (
            "uat.retry.scheduled",
            {
                "uat.policy": "fetch",
                "uat.attempt": 1,
                "uat.delay": 2.0,
                "error.type": "ConnectionError",
            },
        )
    ]


@pytest.mark.usefixtures("clock")
def test_a_call_that_is_given_up_says_why(bus: EventBus, traces: Traces) -> None:
    with traces.tracer.start_as_current_span("request"), suppress(ConnectionError):
        steadily(bus, attempts=1).call(fails)

    assert traces.events(*traces.named("request")) == [
        (
            "uat.retry.exhausted",
            {
                "uat.policy": "fetch",
                "uat.attempts": 1,
                "uat.reason": "attempts",
                "error.type": "ConnectionError",
            },
        )
    ]


@pytest.mark.usefixtures("clock")
def test_results_that_are_retried_name_no_error(bus: EventBus, traces: Traces) -> None:
    retry = Retry((), on_result=lambda row: row == "busy", name="poll", bus=bus)

    with traces.tracer.start_as_current_span("request"):
        retry.call(Script("busy", "row"))

    ((_, fields),) = traces.events(*traces.named("request"))
    assert "error.type" not in fields


def test_fallbacks_and_queues_are_events(bus: EventBus, traces: Traces) -> None:
    with traces.tracer.start_as_current_span("request"):
        Fallback(on=ConnectionError, value=0, name="cached", bus=bus).call(fails)
        bus.emit(SlotQueued("slots", 0.0, waiting=3))

    assert traces.events(*traces.named("request")) == [
        ("uat.fallback.used", {"uat.policy": "cached", "error.type": "ConnectionError"}),
        ("uat.slot.queued", {"uat.policy": "slots", "uat.waiting": 3}),
    ]


async def test_hedges_and_missed_deadlines_are_events_on_the_span_of_the_task(
    bus: EventBus, traces: Traces
) -> None:
    async def hangs() -> None:
        await anyio.Event().wait()

    with traces.tracer.start_as_current_span("request"), suppress(TimedOutError):
        await Pipeline(Timeout(3.0, name="whole", bus=bus), Hedge(1.0, name="read", bus=bus)).acall(
            hangs
        )

    assert traces.events(*traces.named("request")) == [
        ("uat.hedge.started", {"uat.policy": "read", "uat.attempt": 2}),
        ("uat.deadline.missed", {"uat.policy": "whole", "uat.after": 3.0}),
    ]


def test_text_of_an_error_stays_out_of_the_trace(bus: EventBus, traces: Traces) -> None:
    with traces.tracer.start_as_current_span("request"), suppress(ConnectionError):
        steadily(bus, attempts=1).call(fails)

    shown = "".join(span.to_json() for span in traces.named("fetch attempt"))
    assert "ConnectionError" in shown
    assert "5432" not in shown
    assert "5432" not in str(traces.events(*traces.named("request")))


def test_metrics_alone_make_no_spans(traces: Traces) -> None:
    bus = EventBus()
    provider = MeterProvider(shutdown_on_exit=False)
    handle = instrument(bus, tracer_provider=traces.provider, meter_provider=provider, spans=False)

    steadily(bus).call(int)
    handle.close()

    assert traces.named("fetch attempt") == []
