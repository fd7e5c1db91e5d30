from typing import Any

import pytest

from uat_resilience import Exponential, Retry


async def later(_: object) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "on must name the exceptions"),
        ({"on": ()}, "on"),
        ({"on": KeyError, "attempts": 0}, "attempts"),
        ({"on": KeyError, "attempts": None}, "attempts"),
        ({"on": KeyError, "backoff": 1.0}, "backoff"),
        ({"on": KeyError, "backoff": Exponential}, r"backoff must be made first.*Exponential'>$"),
        ({"on": KeyError, "jitter": "full"}, "jitter"),
        ({"on": KeyError, "retry_after": 1.0}, "retry_after"),
        ({"on": KeyError, "retry_after": later}, "retry_after must be a plain function"),
        ({"on": KeyError, "retry_after_max": 0}, "retry_after_max"),
        ({"on": KeyError, "time_limit": -1}, "time_limit"),
        ({"on": KeyError, "budget": 0.1}, "budget"),
        ({"on": KeyError, "on_result": 3}, "on_result"),
        ({"on": KeyError, "clock": 3}, "clock"),
        ({"on": KeyError, "bus": 3}, "bus"),
    ],
    ids=range(15),
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


def test_a_decorator_without_its_parentheses_is_told_how_to_write_it() -> None:
    decorate: Any = Retry

    def fetch() -> None: ...

    with pytest.raises(TypeError, match="cannot be called with one exception") as refused:
        decorate(fetch)

    assert "@Retry(on=ConnectionError)" in refused.value.__notes__[0]


def test_what_could_not_have_been_decorated_gets_no_such_hint() -> None:
    named: Any = "ConnectionError"

    with pytest.raises(TypeError) as refused:
        Retry(named)

    assert not hasattr(refused.value, "__notes__")
