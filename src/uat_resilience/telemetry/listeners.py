"""Who can be put on a bus: listeners, meters and tracers."""

from collections.abc import Callable

from uat_resilience.telemetry.events import CallAbandoned, CallFailed, CallSucceeded

__all__ = ["AttemptEnd", "End", "Meter", "Tracer", "check_listener"]

End = type[CallSucceeded] | type[CallFailed] | type[CallAbandoned]
"""How a call ended, named by the event that tells of it."""

Meter = Callable[[End, str, float], object]
"""Is told how a call ended, through which policy, and how many seconds it took."""

AttemptEnd = Callable[[BaseException | None], object]
"""Is told what an attempt raised, a cancellation too, or None when it returned."""

Tracer = Callable[[str, int], AttemptEnd]
"""Is told of an attempt that begins: through which retry, and its number. Returns what is told of its end."""


def check_listener(listener: object) -> None:
    """Raise for what a bus cannot call, or would call in vain."""
    if not callable(listener):
        raise TypeError(f"listener must be callable, not {listener!r}")
    code = getattr(listener, "__code__", None)
    if code is not None and code.co_flags & _CO_COROUTINE:
        raise TypeError(
            f"listener must be a plain function, not the coroutine function {listener!r}: "
            "start a task inside it"
        )


_CO_COROUTINE = 0x80
