from typing import Any

import pytest
from tests.worlds import World

from uat_resilience import (
    CallRefusedError,
    CircuitBreaker,
    CircuitOpenError,
    Fallback,
    FallbackUsed,
    ResilienceError,
    captured,
)
from uat_resilience.testing import disabled


def fail() -> int:
    raise ConnectionError("down")


def test_another_value_is_given_for_the_named_errors(world: World) -> None:
    fallback = Fallback(on=ConnectionError, value=None)

    assert world.call(fallback, fail) is None
    assert world.guard(fallback, fail)() is None
    assert world.call(fallback, int) == 0
    with pytest.raises(KeyError):
        world.call(fallback, lambda: {}["x"])


def test_another_function_is_called_with_the_error(world: World) -> None:
    fallback = Fallback(on=ConnectionError, call=str)

    assert world.call(fallback, fail) == "down"


def test_in_async_code_the_other_function_may_be_async(async_world: Any) -> None:
    async def answer(error: Exception) -> str:
        return f"instead of {error}"

    assert async_world.call(Fallback(on=ConnectionError, call=answer), fail) == "instead of down"


def test_in_sync_code_an_async_answer_is_refused() -> None:
    async def answer(error: Exception) -> str:
        return str(error)

    with pytest.raises(TypeError, match="acall"):
        Fallback(on=ConnectionError, call=answer).call(fail)


def test_what_the_other_function_raises_comes_out(world: World) -> None:
    def worse(error: Exception) -> int:
        raise KeyError(str(error))

    with captured() as events, pytest.raises(KeyError) as raised:
        world.call(Fallback(on=ConnectionError, call=worse), fail)

    assert isinstance(raised.value.__context__, ConnectionError)
    assert [type(event).__name__ for event in events] == ["FallbackUsed", "CallFailed"]


@pytest.mark.parametrize("named", [Exception, ResilienceError, CallRefusedError, CircuitOpenError])
def test_refusal_is_covered_like_any_other_error(world: World, named: type[Exception]) -> None:
    breaker = CircuitBreaker("db")
    breaker.force_open()

    answer = world.call(Fallback(on=named, value=1), breaker.call, int)

    assert answer == 1


def test_predicate_sees_refusals_too(world: World) -> None:
    breaker = CircuitBreaker("db")
    breaker.force_open()
    seen: list[Exception] = []

    world.call(Fallback(on=lambda error: not seen.append(error), value=1), breaker.call, int)

    assert [type(error) for error in seen] == [CircuitOpenError]


def test_its_use_is_told(world: World) -> None:
    with captured() as events:
        world.call(Fallback(on=ConnectionError, value=1, name="cached"), fail)

    used = [event for event in events if isinstance(event, FallbackUsed)]
    assert [(event.policy, str(event.error)) for event in used] == [("cached", "down")]


def test_disabled_lets_the_error_out(world: World) -> None:
    with disabled(), pytest.raises(ConnectionError):
        world.call(Fallback(on=ConnectionError, value=1), fail)


def test_it_says_what_it_does() -> None:
    assert Fallback(on=KeyError, value=1).describe() == "gives another value"
    assert Fallback(on=KeyError, call=str).describe() == "calls another function"
    assert Fallback(on=KeyError, value=1).snapshot().calls is False


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"on": KeyError}, "value and call must be given, not neither"),
        ({"on": KeyError, "value": 1, "call": str}, "value and call must be given, not both"),
        ({"on": KeyError, "call": 3}, "call"),
        ({"on": 3, "value": 1}, "on"),
    ],
    ids=["neither", "both", "no function", "no exception"],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(TypeError, match=named):
        Fallback(**arguments)
