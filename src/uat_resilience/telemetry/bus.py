"""The bus: listeners subscribe to event types; what nobody listens to is never built.

Listeners are plain sync functions, called in the thread and task that the event happened in, after every
lock is free, so a listener may call the policy it hears from. One that raises hurts nobody: it is logged
once per exception type and counted.

Every call through every policy has an end, so that is where building an event costs most. A meter hears of the
same ends as three arguments, without an event: for metrics, which keep a number and throw the rest away.
A tracer hears in the same way of each attempt that a retry makes, when it begins and when it ends.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import TypeVar, get_args

from uat_resilience.telemetry.events import (
    CallAbandoned,
    CallFailed,
    CallRefused,
    CallSucceeded,
    Event,
)
from uat_resilience.telemetry.listeners import AttemptEnd, End, Meter, Tracer, check_listener

__all__ = ["EventBus", "captured", "default_bus"]

E = TypeVar("E", bound=Event)

_ALL_TYPES: tuple[type[Event], ...] = get_args(Event)
_OUTCOMES: frozenset[type[Event]] = frozenset({CallSucceeded, CallFailed, CallAbandoned})


class EventBus:
    """Carry events from policies to listeners.

    Thread-safe. Subscribing copies a small table; emitting takes no lock.

    Attributes:
        outcomes_wanted: True while somebody hears how calls end, or attempts. Policies read it once per call
            and take no time and build nothing while it is False.
        refusals_wanted: True while somebody listens to refusals.
        attempts_wanted: True while somebody hears of each attempt of a retry.
        listener_errors: How many times a listener raised.
    """

    __slots__ = (
        "_listeners",
        "_lock",
        "_logged",
        "_meters",
        "_put_on",
        "_tracers",
        "attempts_wanted",
        "listener_errors",
        "outcomes_wanted",
        "refusals_wanted",
    )

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: dict[type[Event], tuple[Callable[..., object], ...]] = {}
        self._logged: set[type[Exception]] = set()
        self._put_on: dict[object, Meter] = {}
        self._meters: tuple[Meter, ...] = ()
        self._tracers: tuple[Tracer, ...] = ()
        self.attempts_wanted = False
        self.listener_errors = 0
        self.outcomes_wanted = False
        self.refusals_wanted = False

    def subscribe(self, listener: Callable[[E], object], *types: type[E]) -> Callable[[], None]:
        """Call `listener` with every event of the given types, or of all types when none is given.

        Returns:
            A function that ends the subscription; calling it twice is no error.

        Raises:
            TypeError: `listener` is not callable, is a coroutine function, or a type is not an event type.
        """
        check_listener(listener)
        wanted = types or _ALL_TYPES
        for kind in wanted:
            if kind not in _ALL_TYPES:
                raise TypeError(f"types must be event types, not {kind!r}")

        # A subscription is an object of its own, so that one listener can subscribe twice.
        def deliver(event: E) -> None:
            listener(event)

        self._change(lambda kind, now: (*now, deliver) if kind in wanted else now)

        def unsubscribe() -> None:
            self._change(lambda _, now: tuple(each for each in now if each is not deliver))

        return unsubscribe

    def meter(self, meter: Meter) -> Callable[[], None]:
        """Call `meter(kind, policy, elapsed)` at the end of every call, without building an event for it.

        `kind` is `CallSucceeded`, `CallFailed` or `CallAbandoned`. The quickest way to count.

        Returns:
            A function that ends it; calling it twice is no error.

        Raises:
            TypeError: `meter` is not callable, or is a coroutine function.
        """
        check_listener(meter)

        key = object()  # One meter may be put on twice.
        self._put_meter(key, meter)
        return lambda: self._put_meter(key, None)

    def ended(self, kind: End, policy: str, elapsed: float) -> bool:
        """Tell the meters how a call ended; True when somebody wants the event as well.

        Never call it under a lock.
        """
        for meter in self._meters:
            try:
                meter(kind, policy, elapsed)
            except Exception as error:  # noqa: BLE001 - as for a listener
                self._contain(error)
        return kind in self._listeners

    def trace(self, tracer: Tracer) -> Callable[[], None]:
        """Call `tracer(policy, number)` when a retry begins an attempt, and what that returns when it ends.

        Attempts are numbered from 1. The end is told what the attempt raised, a cancellation too, or None when
        it returned. Both are called in the context of the attempt: around it, and not around the pause after it.

        Returns:
            A function that ends it; calling it twice is no error.

        Raises:
            TypeError: `tracer` is not callable, or is a coroutine function.
        """
        check_listener(tracer)
        traced = partial(tracer)  # One tracer may be put on twice.
        self._put_tracers(lambda now: (*now, traced))
        return lambda: self._put_tracers(lambda now: tuple(t for t in now if t is not traced))

    def attempting(self, policy: str, number: int) -> list[AttemptEnd]:
        """Tell the tracers that an attempt begins; return what they want called when it ends."""
        ends: list[AttemptEnd] = []
        for traced in self._tracers:
            try:
                ends.append(traced(policy, number))
            except Exception as fault:  # noqa: BLE001 - as for a listener
                self._contain(fault)
        return ends

    def attempted(self, ends: Sequence[AttemptEnd], error: BaseException | None) -> None:
        """Tell how the attempt ended that these were returned for. Never call it under a lock."""
        for end in reversed(ends):
            try:
                end(error)
            except Exception as fault:  # noqa: BLE001 - as for a listener
                self._contain(fault)

    def wants(self, kind: type[Event]) -> bool:
        """Return True when somebody listens to this type of event."""
        return kind in self._listeners

    def emit(self, event: Event) -> None:
        """Hand an event to its listeners. Never call it under a lock."""
        for listener in self._listeners.get(type(event), ()):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a listener's fault must not reach the call
                self._contain(error)

    def _change(
        self,
        edit: Callable[
            [type[Event], tuple[Callable[..., object], ...]], tuple[Callable[..., object], ...]
        ],
    ) -> None:
        with self._lock:
            edited = {kind: edit(kind, self._listeners.get(kind, ())) for kind in _ALL_TYPES}
            self._listeners = {kind: listeners for kind, listeners in edited.items() if listeners}
            self._notice()

    def _put_meter(self, key: object, meter: Meter | None) -> None:
        with self._lock:
            if meter is None:
                self._put_on.pop(key, None)
            else:
                self._put_on[key] = meter
            self._meters = tuple(self._put_on.values())
            self._notice()

    def _put_tracers(self, edit: Callable[[tuple[Tracer, ...]], tuple[Tracer, ...]]) -> None:
        with self._lock:
            self._tracers = edit(self._tracers)
            self._notice()

    def _notice(self) -> None:
        self.attempts_wanted = bool(self._tracers)
        heard = bool(self._meters or self._tracers)
        self.refusals_wanted = CallRefused in self._listeners
        self.outcomes_wanted = heard or not _OUTCOMES.isdisjoint(self._listeners)

    def _contain(self, error: Exception) -> None:
        with self._lock:
            self.listener_errors += 1
            first = type(error) not in self._logged
            self._logged.add(type(error))
        if first:
            # Loaded at the first fault only: `import uat_resilience` must stay light.
            from logging import getLogger  # noqa: PLC0415 - see above

            getLogger("uat_resilience").error("an event listener raised", exc_info=error)


default_bus = EventBus()
"""Where policies tell that were given no `bus=`."""


@contextmanager
def captured(bus: EventBus = default_bus) -> Generator[list[Event]]:
    """Collect the events that a bus carries inside the block, in order."""
    events: list[Event] = []
    unsubscribe = bus.subscribe(events.append)
    try:
        yield events
    finally:
        unsubscribe()
