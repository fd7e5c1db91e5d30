"""What a reader may count on in the docstring of every policy and setting."""

import inspect
import re

import pytest

import uat_resilience
from uat_resilience import simulate, testing

SHIPPED = (uat_resilience, simulate, testing)
MADE_BY_USERS = {
    f"{module.__name__}.{name}": found
    for module in SHIPPED
    for name in module.__all__
    if inspect.isclass(found := getattr(module, name))
    and "Args:" in (found.__doc__ or "")
    and not issubclass(found, Exception)
}
SHARED = [name for name in MADE_BY_USERS if name.count(".") == 1]

each_class = pytest.mark.parametrize("name", MADE_BY_USERS)


def test_policies_and_settings_are_among_those_that_are_looked_at() -> None:
    names = {name.rpartition(".")[2] for name in MADE_BY_USERS}

    assert {"AIMD", "CircuitBreaker", "FailureRate", "FakeClock", "Poisson"} <= names


@each_class
def test_it_names_every_argument(name: str) -> None:
    made = MADE_BY_USERS[name]
    written = inspect.getdoc(made) or ""

    named = set(re.findall(r"^    (\w+): ", written.partition("Args:")[2], re.MULTILINE))

    assert set(inspect.signature(made).parameters) <= named


@each_class
def test_it_says_what_is_refused(name: str) -> None:
    assert "Raises:\n" in (inspect.getdoc(MADE_BY_USERS[name]) or "")


@pytest.mark.parametrize("name", SHARED)
def test_it_says_who_may_share_it(name: str) -> None:
    written = inspect.getdoc(MADE_BY_USERS[name]) or ""

    assert re.search(r"thread-safe|safe\s+to\s+share|one block", written, re.IGNORECASE)
