"""What a refusal leaves behind: nothing."""

import gc
import weakref
from collections.abc import Callable, Generator
from typing import Any

import pytest

from uat_resilience import (
    AIMD,
    AdaptiveLimiter,
    Bulkhead,
    CallRefusedError,
    CircuitBreaker,
    GracefulShutdown,
    LoadShedder,
    RateLimiter,
)


@pytest.fixture(autouse=True)
def _no_collector() -> Generator[None]:
    """Let nothing but its last reference end an object."""
    gc.disable()
    yield
    gc.enable()


def refusing(policy: Any) -> Callable[[], Any]:
    """Return a policy that refuses: forced open, or with somebody inside."""
    if isinstance(policy, GracefulShutdown):
        policy.force()
        return policy.track().__enter__
    if isinstance(policy, CircuitBreaker):
        policy.force_open()
    else:
        policy.permit().__enter__()
    return policy(int)


POLICIES = pytest.mark.parametrize(
    "policy",
    [
        lambda: CircuitBreaker("db"),
        lambda: Bulkhead(1),
        lambda: RateLimiter(1.0, per=1e9, burst=1),
        lambda: AdaptiveLimiter(AIMD(initial=1)),
        lambda: LoadShedder(1, queue=0),
        GracefulShutdown,
    ],
    ids=["breaker", "bulkhead", "rate limiter", "adaptive limiter", "load shedder", "shutdown"],
)


@POLICIES
def test_a_thousand_refusals_are_as_long_as_one_and_each_is_an_error_of_its_own(
    policy: Any,
) -> None:
    guarded = refusing(policy())

    refusals = [refusal(guarded) for _ in range(1_000)]

    assert len({id(error) for error in refusals}) == 1_000
    assert len({length(error) for error in refusals}) == 1
    assert all(error.__context__ is None for error in refusals)


@POLICIES
def test_nothing_keeps_the_frames_of_a_refused_call_alive(policy: Any) -> None:
    class Argument:
        pass

    def call(_: Argument) -> None:
        guarded()

    guarded = refusing(policy())
    argument = Argument()
    watched = weakref.ref(argument)

    with pytest.raises(CallRefusedError):
        call(argument)
    del argument

    assert watched() is None


def test_nothing_keeps_the_frames_of_a_failed_call_alive() -> None:
    class Argument:
        pass

    @CircuitBreaker("db")
    def fail(_: Argument) -> None:
        raise ConnectionError

    argument = Argument()
    watched = weakref.ref(argument)

    with pytest.raises(ConnectionError):
        fail(argument)
    del argument

    assert watched() is None


def refusal(call: Callable[[], Any]) -> CallRefusedError:
    try:
        call()
    except CallRefusedError as error:
        return error
    raise AssertionError("it was not refused")


def length(error: BaseException) -> int:
    """Return the number of frames in an error's traceback."""
    frames, trace = 0, error.__traceback__
    while trace is not None:
        frames, trace = frames + 1, trace.tb_next
    return frames
