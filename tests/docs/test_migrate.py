"""The tables of the migration guides: every argument they name is one, there and here."""

import builtins
import inspect
import re
from collections.abc import Iterable

import backoff
import circuitbreaker
import pybreaker
import pytest
import stamina
import tenacity
from tests.docs.pages import DOCS, prose

import uat_resilience
from uat_resilience import testing

THERE = {
    "tenacity": [tenacity.Retrying, tenacity.wait_random_exponential],
    "stamina": [stamina.retry],
    "backoff": [
        backoff.on_exception,
        backoff.on_predicate,
        backoff.runtime,
        backoff.expo,
        backoff.constant,
    ],
    "pybreaker": [pybreaker.CircuitBreaker],
    "circuitbreaker": [circuitbreaker.CircuitBreaker],
}
HERE = [getattr(uat_resilience, name) for name in uat_resilience.__all__]

each_library = pytest.mark.parametrize("library", THERE)
# The last is not of Python, so only what is ours can be compared with code.
each_guide = pytest.mark.parametrize("library", [*THERE, "polly-and-resilience4j"])


def _rows(library: str) -> list[tuple[str, str]]:
    """Return the cells of the table: what is written there, and what here."""
    text = prose(DOCS / "migrate" / f"from-{library}.md")
    cells = re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE)
    return [(old, new) for old, new in cells if old != library]


def _named(cells: Iterable[str]) -> set[str]:
    """Return the arguments that stand in code: `name=value`."""
    code = " ".join(part for cell in cells for part in re.findall(r"`([^`]+)`", cell))
    return set(re.findall(r"(?<![\w.])([a-z_]+)=(?!=)", code))


def _parameters(callables: Iterable[object]) -> set[str]:
    known = [each for each in callables if callable(each)]
    return {name for each in known for name in _signature(each)}


def _signature(each: object) -> Iterable[str]:
    try:
        return inspect.signature(each).parameters
    except (TypeError, ValueError):  # an enumeration, or an alias of types
        return ()


@each_guide
def test_table_has_rows(library: str) -> None:
    assert len(_rows(library)) >= 10


@each_library
def test_argument_on_the_left_is_one_of_the_library(library: str) -> None:
    assert _named(old for old, _ in _rows(library)) - _parameters(THERE[library]) == set()


@each_guide
def test_argument_on_the_right_is_one_of_ours(library: str) -> None:
    assert _named(new for _, new in _rows(library)) - _parameters(HERE) == set()


@each_guide
def test_name_on_the_right_that_looks_like_a_class_is_one_of_ours(library: str) -> None:
    cells = (new for _, new in _rows(library))
    code = " ".join(part for cell in cells for part in re.findall(r"`([^`]+)`", cell))
    classes = set(re.findall(r"(?<![\w.])([A-Z][a-z]\w+)", code))

    ours = {*vars(testing), *uat_resilience.__all__}
    assert {name for name in classes - ours if not hasattr(builtins, name)} == set()
