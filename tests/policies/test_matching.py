import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from uat_resilience import (
    BreakerState,
    Bulkhead,
    BulkheadFullError,
    CallRefusedError,
    CircuitOpenError,
    DrainingError,
    OverloadedError,
    RateLimitedError,
    Retry,
    TimedOutError,
)
from uat_resilience.errors import MisusedCallError
from uat_resilience.policies.matching import Matcher, says_nothing
from uat_resilience.policies.policy import Wrapper
from uat_resilience.policies.retry_after import asked_pause, sane


@pytest.mark.parametrize(
    ("spec", "error", "matches"),
    [
        (OSError, ConnectionError(), True),
        (OSError, KeyError(), False),
        ((OSError, KeyError), KeyError(), True),
        (lambda error: "x" in str(error), KeyError("x"), True),
        (lambda _: True, CircuitOpenError("db"), False),
        (Exception, CircuitOpenError("db"), False),
        (CallRefusedError, CircuitOpenError("db"), True),
        (Exception, MisusedCallError(), False),
        (OSError, ExceptionGroup("two", [ConnectionError(), OSError()]), True),
        (OSError, ExceptionGroup("two", [ConnectionError(), KeyError()]), False),
        (ExceptionGroup, ExceptionGroup("one", [KeyError()]), True),
        ((), KeyError(), False),
    ],
    ids=range(12),
)
def test_an_exception_is_one_of_those_named(spec: Any, error: Exception, *, matches: bool) -> None:
    assert Matcher("on", spec)(error) is matches


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        (3, "on must be"),
        (BaseException, "cancellation and exit"),
        ((KeyError, KeyboardInterrupt), "KeyboardInterrupt"),
        ((KeyError, 3), "on must name"),
        (int, "on must name"),
    ],
    ids=["number", "everything", "interrupt", "number in a tuple", "no exception"],
)
def test_what_names_no_exceptions_is_refused(spec: Any, named: str) -> None:
    with pytest.raises(TypeError, match=named):
        Matcher("on", spec)


def test_what_tells_nothing_about_the_dependency() -> None:
    assert says_nothing(KeyboardInterrupt())
    assert says_nothing(BulkheadFullError("b"))
    assert says_nothing(MisusedCallError())
    assert not says_nothing(KeyError())


class Response(Exception):  # noqa: N818 - stands for a response
    def __init__(self, headers: Any) -> None:
        self.headers = headers


class Answered(Exception):  # noqa: N818 - stands for an error with a response
    def __init__(self, headers: Any) -> None:
        self.response = Response(headers)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimitedError("api", retry_after=3.0), 3.0),
        (Answered({"Retry-After": "7"}), 7.0),
        (Answered({"retry-after": "7.5"}), 7.5),
        (Response({"Retry-After": "2"}), 2.0),
        (Answered({"Retry-After": "soon"}), None),
        (Answered({"Retry-After": "-1"}), None),
        (Answered({"Retry-After": "nan"}), None),
        (Answered({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), None),
        (Answered({"Retry-After": "Wed, 21 Oct 2015 07:28:00 -0000"}), None),
        (Answered({}), None),
        (Answered(None), None),
        (KeyError(), None),
    ],
    ids=range(12),
)
def test_the_pause_a_server_asks_for_is_read(error: Exception, seconds: float | None) -> None:
    assert asked_pause(error) == seconds


def test_a_date_to_come_is_so_many_seconds_away() -> None:
    pause = asked_pause(Answered({"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}))

    assert pause is not None
    assert pause > 1e9


@pytest.mark.parametrize("value", [True, "3", None, 0, -1, float("inf"), float("nan")])
def test_what_is_no_sane_pause_counts_as_not_said(value: object) -> None:
    assert sane(value) is None


@pytest.mark.parametrize(
    "error",
    [
        CallRefusedError("p", retry_after=1.5),
        CircuitOpenError("p", state=BreakerState.FORCED_OPEN, retry_after=None),
        BulkheadFullError("p", size=3, queue=1),
        RateLimitedError("p", retry_after=0.5),
        OverloadedError("p"),
        DrainingError("p"),
        TimedOutError("p", after=2.0),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
    ],
    ids=["copy", "pickle"],
)
def test_errors_keep_their_data_when_copied(error: Any, again: Callable[[Any], Any]) -> None:
    twin = again(error)

    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert vars(twin) == vars(error)
    assert "p" in str(error)


def test_a_message_says_what_to_do_next() -> None:
    assert str(CircuitOpenError("db", retry_after=12.0)) == "db is open; next probe in 12 s"
    assert "forced open" in str(CircuitOpenError("db", state=BreakerState.FORCED_OPEN))


class Thing:
    def method(self) -> int:
        return 1

    @classmethod
    def of_class(cls) -> int:
        return 2


def test_what_cannot_be_guarded_says_how_it_can_be() -> None:
    policy: Any = Bulkhead(1)

    with pytest.raises(TypeError, match="put it underneath @classmethod"):
        policy(classmethod(Thing.of_class))
    with pytest.raises(TypeError, match="functions and callables"):
        policy(3)
    assert policy(Thing().method)() == 1
    assert policy(Thing)().method() == 1


def test_a_policy_without_words_of_its_own_says_its_kind() -> None:
    class Quiet(Bulkhead):
        describe = Wrapper.describe

    assert Quiet(1).describe() == "bulkhead"


async def test_acall_refuses_what_cannot_be_awaited() -> None:
    policy: Any = Bulkhead(1)

    with pytest.raises(TypeError, match="use call"):
        await policy.acall(int)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "on must name the exceptions"),
        ({"on": ()}, "on"),
        ({"on": KeyError, "attempts": 0}, "attempts"),
        ({"on": KeyError, "attempts": None}, "attempts"),
        ({"on": KeyError, "backoff": 1.0}, "backoff"),
        ({"on": KeyError, "jitter": "full"}, "jitter"),
        ({"on": KeyError, "retry_after": 1.0}, "retry_after"),
        ({"on": KeyError, "retry_after_max": 0}, "retry_after_max"),
        ({"on": KeyError, "time_limit": -1}, "time_limit"),
        ({"on": KeyError, "budget": 0.1}, "budget"),
        ({"on": KeyError, "on_result": 3}, "on_result"),
        ({"on": KeyError, "clock": 3}, "clock"),
        ({"on": KeyError, "bus": 3}, "bus"),
    ],
    ids=range(13),
)
def test_a_bad_argument_of_a_retry_is_refused_by_name(
    arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        Retry(**arguments)


def test_a_coroutine_from_a_sync_call_is_never_retried() -> None:
    made: list[int] = []

    async def fetch() -> None: ...

    def get() -> object:
        made.append(1)
        return fetch()

    with pytest.raises(TypeError, match="acall"):
        Retry(Exception).call(get)

    assert made == [1]
