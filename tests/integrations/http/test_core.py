"""The parts of the core that no server can reach."""

import ast
import gc
import pickle
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import httpx
import httpx2
import pytest
import requests
from requests.adapters import HTTPAdapter
from tests.integrations.http.drivers import Driver
from tests.integrations.http.servers import RawServer

from uat_resilience import (
    BreakerState,
    Bulkhead,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    Hedge,
    Pipeline,
    ResilienceError,
    Retry,
    TimedOutError,
    remaining,
)
from uat_resilience import deadline as tightened
from uat_resilience.ambient import Deadline
from uat_resilience.clock import SystemClock, default_clock
from uat_resilience.integrations import httpx as for_httpx
from uat_resilience.integrations import httpx2 as for_httpx2
from uat_resilience.integrations.http import exchange
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.deadlines import awithin, capped, within
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat
from uat_resilience.integrations.requests import ResilientAdapter
from uat_resilience.testing import FakeClock, instant

SYNC = {"httpx-sync", "httpx2-sync", "requests"}  # where there are no hedges
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
    inner = httpx.MockTransport(httpx.Response)

    with pytest.raises(ValueError, match="must be given to inner itself"):
        getattr(module, name)(inner=inner, verify=False)


@pytest.mark.parametrize("module", [for_httpx, for_httpx2])
@pytest.mark.parametrize("name", ["ResilientTransport", "AsyncResilientTransport"])
@pytest.mark.parametrize("argument", ["inner", "limits", "verify"])
@pytest.mark.parametrize("value", [5, dict], ids=["number", "class"])
def test_arguments_of_a_wrong_type_are_refused_by_name(
    module: Any, name: str, argument: str, value: object
) -> None:
    with pytest.raises(TypeError, match=f"^{argument} must be "):
        getattr(module, name)(**{argument: value})


@pytest.mark.parametrize(("library", "module"), [(httpx, for_httpx), (httpx2, for_httpx2)])
def test_transport_of_the_users_own_is_given_a_request_of_its_own(
    library: Any, module: Any
) -> None:
    given: list[Any] = []
    inner = library.MockTransport(lambda request: given.append(request) or library.Response(200))

    with library.Client(transport=module.ResilientTransport(inner=inner)) as client:
        asked = client.post("http://service/", content=b"body").request

    assert (given[0].method, given[0].content) == ("POST", b"body")
    assert "X-Request-Timeout-Ms" in given[0].headers
    assert "X-Request-Timeout-Ms" not in asked.headers


@pytest.mark.parametrize(("library", "module"), [(httpx, for_httpx), (httpx2, for_httpx2)])
async def test_async_transport_of_the_users_own_is_given_a_request_of_its_own(
    library: Any, module: Any
) -> None:
    given: list[Any] = []
    inner = library.MockTransport(lambda request: given.append(request) or library.Response(200))

    async with library.AsyncClient(transport=module.AsyncResilientTransport(inner=inner)) as client:
        asked = (await client.post("http://service/", content=b"body")).request

    assert (given[0].method, given[0].content) == ("POST", b"body")
    assert "X-Request-Timeout-Ms" in given[0].headers
    assert "X-Request-Timeout-Ms" not in asked.headers


def test_modules_for_httpx_and_httpx2_read_the_same() -> None:
    one, two = (Path(str(module.__file__)).read_text() for module in (for_httpx, for_httpx2))

    renamed = two.replace("httpx2", "httpx")

    assert ast.unparse(ast.parse(renamed)) == ast.unparse(ast.parse(one))


@pytest.fixture
def due() -> Generator[tuple[FakeClock, Deadline]]:
    """A deadline in ten seconds, on a clock that stands still."""
    with FakeClock() as clock:
        yield clock, Deadline(clock, 10.0, policy="total", after=10.0)


def test_step_is_not_begun_when_its_deadline_has_passed(due: tuple[FakeClock, Deadline]) -> None:
    clock, deadline = due
    begun: list[int] = []
    clock.advance(10.0)

    with pytest.raises(TimedOutError):
        within(deadline, OSError, begun.append, 1)

    assert begun == []


def test_step_goes_by_the_tighter_deadline(due: tuple[FakeClock, Deadline]) -> None:
    _, deadline = due

    with tightened(5.0):
        inside = within(deadline, OSError, remaining)
    outside = within(deadline, OSError, remaining)

    assert (inside, outside) == (5.0, 10.0)


def test_wait_that_was_the_librarys_own_comes_out_as_it_is(due: tuple[FakeClock, Deadline]) -> None:
    _, deadline = due

    def slow() -> None:
        raise requests.Timeout

    with pytest.raises(requests.Timeout):
        within(deadline, requests.Timeout, slow)


async def test_error_before_an_inherited_deadline_comes_out_as_it_is() -> None:
    clock = default_clock.clock
    inherited = Deadline(clock, clock.now() + 10.0, policy="total", after=10.0)

    async def broken() -> None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        await awithin(inherited, broken)


async def test_step_is_cut_at_a_deadline_that_it_inherited() -> None:
    clock = default_clock.clock
    inherited = Deadline(clock, clock.now() + 10.0, policy="total", after=10.0)

    with pytest.raises(TimedOutError):
        await awithin(inherited, anyio.sleep_forever)


def test_attempt_is_not_begun_when_nothing_is_left(due: tuple[FakeClock, Deadline]) -> None:
    clock, deadline = due
    call = Call("request", None, repeat=Repeat.FREELY, repeats=False)
    clock.advance(10.0)

    with pytest.raises(TimedOutError):
        call.attempt(deadline, ())

    assert call.attempts == 0


def test_no_connection_in_time_means_that_nothing_was_sent() -> None:
    sent: list[int] = []

    class Slow(HTTPAdapter):
        def send(self, *_: object, **__: object) -> requests.Response:
            sent.append(1)
            raise requests.ConnectTimeout

    class Guarded(ResilientAdapter, Slow):
        pass

    with requests.Session() as session, instant():
        session.mount("http://", Guarded())
        with pytest.raises(requests.ConnectTimeout):
            session.post("http://nowhere", data=b"order")

    assert len(sent) == 3


class Foreign:
    """Somebody else's policy."""

    name = "foreign"

    def __init__(self) -> None:
        self.calls = 0

    def call(self, fn: Any, /, *args: Any) -> Any:
        self.calls += 1
        return fn(*args)

    async def acall(self, fn: Any, /, *args: Any) -> Any:
        self.calls += 1
        return await fn(*args)


def test_policy_of_somebody_elses_is_called(server: RawServer, driver: Driver) -> None:
    foreign = Foreign()

    with driver.open(Pipeline(foreign, Bulkhead(1), name="orders")) as client:
        answer = client.send("GET", server.url)

    assert (answer.status, foreign.calls) == (200, 1)


def test_hedges_and_retries_of_streamed_bodies_are_left_out(
    server: RawServer, driver: Driver
) -> None:
    policy = Pipeline(Retry(Exception), Hedge(0.1), name="orders")
    if driver.name in SYNC:
        policy = Pipeline(Retry(Exception), name="orders")
    server.script = lambda _: None

    with driver.open(policy) as client, pytest.raises(driver.error):
        client.send("POST", server.url, content=iter([b"a"]))

    assert server.attempts() == 1


def test_policies_made_for_each_request_are_not_kept_for_ever(
    server: RawServer, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_KEPT", 2)
    made: list[weakref.ref[Bulkhead]] = []

    def fresh(_: object) -> Bulkhead:
        bulkhead = Bulkhead(1)
        made.append(weakref.ref(bulkhead))
        return bulkhead

    with driver.open(fresh) as client:
        for _ in range(8):
            client.send("GET", server.url)
        gc.collect()
        alive = sum(each() is not None for each in made)

    assert alive <= 3
