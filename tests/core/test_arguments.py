from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import inf, nan
from typing import Any

import pytest
from tests.core.wording import exactly

from uat_resilience._core.arguments import (
    at_least,
    callback,
    callback_or_none,
    flag,
    fraction,
    non_negative,
    number,
    positive,
    seconds,
    seconds_or_zero,
    text,
    wait_or_none,
)

Check = Callable[[str, object], object]


def any_number(argument: str, value: object) -> float:
    return number(argument, value, "any number")


def at_least_three(argument: str, value: object) -> int:
    return at_least(argument, value, 3)


RULES: dict[Check, str] = {
    any_number: "any number",
    non_negative: "a finite number, 0 or more",
    positive: "a finite number above 0",
    seconds: "a finite number of seconds above 0",
    seconds_or_zero: "a finite number of seconds, 0 or more",
    fraction: "a fraction above 0 and at most 1",
    at_least_three: "a whole number of at least 3",
}
FLOATS = [check for check in RULES if check is not at_least_three]


@pytest.mark.parametrize("check", RULES)
@pytest.mark.parametrize(
    "value", [True, False, "1", b"1", None, 1j, [1.0], Decimal(1), Fraction(1, 2), object], ids=repr
)
def test_what_is_no_number_is_a_type_error_that_names_argument_rule_and_value(
    check: Check, value: object
) -> None:
    expected = f"pause must be {RULES[check]}, not {value!r}"

    with pytest.raises(TypeError, match=exactly(expected)):
        check("pause", value)


@pytest.mark.parametrize("check", FLOATS)
@pytest.mark.parametrize("value", [nan, inf, -inf, 10**400, -(10**400)])
def test_numbers_that_no_clock_can_count_are_value_errors(check: Check, value: object) -> None:
    expected = f"pause must be {RULES[check]}, not {value!r}"

    with pytest.raises(ValueError, match=exactly(expected)):
        check("pause", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (non_negative, -1),
        (non_negative, -5e-324),
        (positive, 0),
        (positive, -0.0),
        (positive, -5e-324),
        (seconds, 0),
        (seconds, 0.0),
        (seconds, -0.0),
        (seconds, -0.2),
        (seconds_or_zero, -1),
        (seconds_or_zero, -5e-324),
        (fraction, 0),
        (fraction, -0.1),
        (fraction, 1.0000000000000002),
        (fraction, 50),
        (at_least_three, 2),
        (at_least_three, -3),
    ],
)
def test_numbers_out_of_range_are_value_errors_that_name_argument_rule_and_value(
    check: Check, value: object
) -> None:
    expected = f"pause must be {RULES[check]}, not {value!r}"

    with pytest.raises(ValueError, match=exactly(expected)):
        check("pause", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (any_number, -3),
        (any_number, 1.7976931348623157e308),
        (any_number, -1.7976931348623157e308),
        (non_negative, 0),
        (non_negative, 7),
        (positive, 5e-324),
        (positive, 3),
        (seconds, 5e-324),
        (seconds, 0.2),
        (seconds, 1),
        (seconds_or_zero, 0),
        (seconds_or_zero, 0.2),
        (fraction, 5e-324),
        (fraction, 0.29),
        (fraction, 1),
    ],
)
def test_numbers_in_range_come_back_as_the_same_number_and_a_float(
    check: Check, value: object
) -> None:
    accepted = check("pause", value)

    assert accepted == value
    assert type(accepted) is float


@pytest.mark.parametrize("value", [None, 0.0, 0.2])
def test_a_wait_or_none_comes_back_as_it_is(value: object) -> None:
    assert wait_or_none("max_wait", value) == value


@pytest.mark.parametrize(("value", "error"), [("1", TypeError), (-1, ValueError)])
def test_a_wait_that_is_no_duration_is_an_error_that_names_argument_rule_and_value(
    value: object, error: type[Exception]
) -> None:
    expected = f"max_wait must be {RULES[seconds_or_zero]}, not {value!r}"

    with pytest.raises(error, match=exactly(expected)):
        wait_or_none("max_wait", value)


@pytest.mark.parametrize("value", [3, 4, 10**400])
def test_whole_numbers_come_back_as_they_are(value: int) -> None:
    assert at_least("size", value, 3) == value


@pytest.mark.parametrize("value", [3.0, 3.5, nan])
def test_a_float_is_no_whole_number(value: float) -> None:
    expected = f"size must be a whole number of at least 1, not {value!r}"

    with pytest.raises(TypeError, match=exactly(expected)):
        at_least("size", value, 1)


def test_a_name_comes_back_as_it_is() -> None:
    assert text("name", "orders-db") == "orders-db"


def test_an_empty_name_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=exactly("name must not be empty")):
        text("name", "")


@pytest.mark.parametrize("value", [None, b"orders", 7])
def test_a_name_that_is_no_string_is_a_type_error(value: object) -> None:
    expected = f"name must be a string, not {value!r}"

    with pytest.raises(TypeError, match=exactly(expected)):
        text("name", value)


@pytest.mark.parametrize("value", [True, False])
def test_a_flag_comes_back_as_it_is(*, value: bool) -> None:
    assert flag("observe", value) is value


@pytest.mark.parametrize("value", [1, 0, "yes", None])
def test_what_merely_looks_like_a_flag_is_a_type_error(value: object) -> None:
    expected = f"observe must be True or False, not {value!r}"

    with pytest.raises(TypeError, match=exactly(expected)):
        flag("observe", value)


@pytest.mark.parametrize("value", [None, len, str])
def test_a_callback_or_none_comes_back_as_it_is(value: object) -> None:
    assert callback_or_none("on_result", value) is value


def test_a_callback_that_cannot_be_called_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=exactly("on_result must be callable or None, not 7")):
        callback_or_none("on_result", 7)


async def answer_later(_: object) -> bool:
    return False


class AnswersLater:
    async def __call__(self, _: object) -> bool:
        return False


@pytest.mark.parametrize(
    "value",
    [answer_later, partial(answer_later, 1), AnswersLater()],
    ids=["def", "partial", "object"],
)
def test_a_callback_whose_answer_would_never_be_awaited_is_a_type_error(
    value: Callable[..., object],
) -> None:
    expected = (
        f"key must be a plain function, not the coroutine function {value!r}: "
        "its answer is needed at once"
    )

    with pytest.raises(TypeError, match=exactly(expected)):
        callback("key", value)
    with pytest.raises(TypeError, match=exactly(expected)):
        callback_or_none("key", value)


def test_a_callback_comes_back_as_it_is_and_anything_else_is_told_the_rule() -> None:
    nothing: Any = None

    assert callback("key", len, "a function of the call") is len
    with pytest.raises(TypeError, match=exactly("key must be a function of the call, not None")):
        callback("key", nothing, "a function of the call")


def test_a_callback_without_a_rule_of_its_own_has_to_be_callable() -> None:
    nothing: Any = None

    with pytest.raises(TypeError, match=exactly("key must be callable, not None")):
        callback("key", nothing)
