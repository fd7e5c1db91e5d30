"""The parts of the core that no server can reach."""

import ast
import pickle
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from uat_resilience import (
    BreakerState,
    Bulkhead,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    ResilienceError,
    TimedOutError,
)
from uat_resilience.ambient import Deadline
from uat_resilience.clock import SystemClock
from uat_resilience.integrations import httpx as for_httpx
from uat_resilience.integrations import httpx2 as for_httpx2
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.deadlines import capped
from uat_resilience.integrations.http.kin import Kinship

KINSHIPS = [
    Kinship(
        refused=httpx.TransportError,
        timed_out=httpx.TimeoutException,
        attributes={"_request": None},
    ),
    Kinship(refused=aiohttp.ClientError, timed_out=aiohttp.ServerTimeoutError),
    Kinship(
        refused=requests.RequestException, timed_out=requests.Timeout, attributes={"request": None}
    ),
]
ERRORS = [
    CircuitOpenError("orders", state=BreakerState.OPEN, retry_after=2.0),
    TimedOutError("orders", after=3.0),
]


@pytest.mark.parametrize("kinship", KINSHIPS, ids=["httpx", "aiohttp", "requests"])
@pytest.mark.parametrize("error", ERRORS, ids=["refused", "late"])
def test_error_of_both_survives_pickling(kinship: Kinship, error: ResilienceError) -> None:
    both = kinship.adopt(pickle.loads(pickle.dumps(error)))  # noqa: S301 - our own

    copied = pickle.loads(pickle.dumps(both))  # noqa: S301 - our own

    assert type(copied) is type(both)
    assert (str(copied), copied.policy) == (str(error), "orders")


def test_error_keeps_its_cause_and_its_notes() -> None:
    error = CircuitOpenError("orders")
    error.__cause__ = KeyError("why")
    error.add_note("gave up")

    both = KINSHIPS[2].adopt(error)

    assert isinstance(both, requests.RequestException)
    assert (repr(both.__cause__), both.__notes__) == ("KeyError('why')", ["gave up"])


def test_error_is_adopted_once() -> None:
    both = KINSHIPS[0].adopt(CircuitOpenError("orders"))

    assert KINSHIPS[0].adopt(both) is both


def test_answer_that_is_dropped_gives_its_slot_back() -> None:
    bulkhead = Bulkhead(1)
    permit = bulkhead.permit()
    permit.__enter__()
    answer = Answer(None)
    answer.hold(permit)

    del answer

    assert bulkhead.snapshot().running == 0


def test_permit_that_comes_after_the_end_is_given_back_at_once() -> None:
    bulkhead = Bulkhead(1)
    permit = bulkhead.permit()
    permit.__enter__()
    answer = Answer(None)
    answer.end()

    answer.hold(permit)

    assert bulkhead.snapshot().running == 0


def test_all_permits_are_given_back_when_a_predicate_raises() -> None:
    def broken(_: Exception) -> bool:
        raise KeyError("broken")

    bulkhead = Bulkhead(1)
    answer = Answer(None)
    for policy in (CircuitBreaker("orders", on=broken), bulkhead):
        permit = policy.permit()
        permit.__enter__()
        answer.hold(permit)

    with pytest.raises(KeyError, match="broken"):
        answer.end(OSError())

    assert bulkhead.snapshot().running == 0


def test_first_end_counts() -> None:
    breaker = CircuitBreaker("orders", trip=ConsecutiveFailures(1))
    permit = breaker.permit()
    permit.__enter__()
    answer = Answer(None)
    answer.hold(permit)

    answer.end(OSError())
    answer.leave()

    assert breaker.state is BreakerState.OPEN


@pytest.mark.parametrize(("given", "most"), [(None, 10.0), (5.0, 5.0), (60.0, 10.0)])
def test_timeout_of_the_library_is_no_longer_than_what_is_left(
    given: float | None, most: float
) -> None:
    clock = SystemClock()
    deadline = Deadline(clock, clock.now() + 10.0, policy="total", after=10.0)

    seconds = capped(given, deadline)

    assert seconds is not None
    assert most - 1.0 < seconds <= most


@pytest.mark.parametrize("module", [for_httpx, for_httpx2])
@pytest.mark.parametrize("name", ["ResilientTransport", "AsyncResilientTransport"])
def test_settings_of_the_pool_beside_a_transport_are_refused(module: Any, name: str) -> None:
    with pytest.raises(ValueError, match="must be given to inner itself"):
        getattr(module, name)(inner=object(), verify=False)


def test_modules_for_httpx_and_httpx2_read_the_same() -> None:
    one, two = (Path(module.__file__).read_text() for module in (for_httpx, for_httpx2))

    renamed = two.replace("httpx2", "httpx")

    assert ast.unparse(ast.parse(renamed)) == ast.unparse(ast.parse(one))
