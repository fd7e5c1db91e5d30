from inspect import signature
from typing import Any

import pytest

from uat_resilience import (
    BulkheadFullError,
    CallRefusedError,
    CircuitOpenError,
)
from uat_resilience.errors import MisusedCallError
from uat_resilience.policies.matching import Matcher, says_nothing


async def answers_later(_: Exception) -> bool:
    return True


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
        (lambda: True, "cannot be called with one exception"),
        (lambda _, __: True, "cannot be called with one exception"),
        (answers_later, "on must be a plain function"),
    ],
    ids=[
        "number",
        "everything",
        "interrupt",
        "number in a tuple",
        "no exception",
        "takes nothing",
        "takes two",
        "is async",
    ],
)
def test_what_names_no_exceptions_is_refused(spec: Any, named: str) -> None:
    with pytest.raises(TypeError, match=named):
        Matcher("on", spec)


def test_what_tells_nothing_about_the_dependency() -> None:
    assert says_nothing(KeyboardInterrupt())
    assert says_nothing(BulkheadFullError("b"))
    assert says_nothing(MisusedCallError())
    assert not says_nothing(KeyError())


def test_a_predicate_that_does_not_tell_what_it_takes_is_believed() -> None:
    silent: Any = max
    with pytest.raises(ValueError, match="signature"):
        signature(silent)

    assert not Matcher("on", silent).empty
