"""Results that are judged failures: tried again, thrown away, and returned when nothing better comes."""

from collections.abc import Callable
from typing import Any, Never

import pytest
from tests.core.wording import exactly
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import CallbackFailed, EventBus, RetriesExhausted, Retry, captured
from uat_resilience.testing import FakeClock

pytestmark = pytest.mark.usefixtures("clock")


def below_two(number: int) -> bool:
    return number < 2


class Response:
    """Knows whether it was closed; async code closes it with `aclose` if it has that."""

    def __init__(self, status: int, **headers: str) -> None:
        self.status = status
        self.headers = headers
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def is_busy(response: Response) -> bool:
    return response.status == 503


def test_a_result_that_is_refused_is_tried_for_again(world: World) -> None:
    script = Script(0, 1, 2)

    assert world.call(Retry(on=(), on_result=below_two), script) == 2
    assert script.calls == 3


def test_the_last_result_is_returned_when_all_are_refused(world: World) -> None:
    script = Script(0, 1, 1)

    assert world.call(Retry(on=(), attempts=3, on_result=below_two), script) == 1
    assert script.calls == 3


def test_a_result_that_is_accepted_at_once_is_one_call(world: World) -> None:
    script = Script(5)

    assert world.call(Retry(on=(), on_result=below_two), script) == 5
    assert script.calls == 1


def test_the_word_of_on_result_counts_by_its_truth(world: World) -> None:
    script = Script([1], [])

    assert world.call(Retry(on=(), on_result=lambda found: found), script) == []


def test_errors_and_results_share_the_attempts(world: World) -> None:
    script = Script(ConnectionError, 0, ConnectionError, 0, 2)

    result = world.call(Retry(on=ConnectionError, on_result=below_two, attempts=5), script)

    assert (result, script.calls) == (2, 5)


def test_an_error_after_a_refused_result_comes_out(world: World) -> None:
    with pytest.raises(ConnectionError):
        world.call(
            Retry(on=ConnectionError, on_result=below_two, attempts=2), Script(0, ConnectionError)
        )


def test_what_on_result_raises_comes_out_and_ends_the_run(world: World) -> None:
    def broken(_: int) -> Never:
        raise LookupError("mine")

    script = Script(0)

    with pytest.raises(LookupError, match=exactly("mine")):
        world.call(Retry(on=Exception, on_result=broken), script)

    assert script.calls == 1


def test_thrown_away_results_are_closed_and_the_one_returned_is_not(world: World) -> None:
    responses = [Response(503) for _ in range(6)]

    last = world.call(Retry(on=(), attempts=6, on_result=is_busy), Script(*responses))

    assert last is responses[5]
    assert [response.closed for response in responses] == [1, 1, 1, 1, 1, 0]


def test_a_good_result_is_not_closed(world: World) -> None:
    response = Response(200)

    world.call(Retry(on=(), on_result=is_busy), Script(response))

    assert response.closed == 0


def test_a_result_is_closed_before_the_pause_and_not_after_it(
    world: World, clock: FakeClock
) -> None:
    class Timed(Response):
        def close(self) -> None:
            assert clock.sleeps == []
            super().close()

    timed = Timed(503)

    world.call(Retry(on=(), on_result=is_busy), Script(timed, Response(200)))

    assert timed.closed == 1
    assert len(clock.sleeps) == 1


@pytest.mark.parametrize("asks", ["7", " 7.0 "])
def test_a_pause_that_a_refused_result_asks_for_is_kept(
    world: World, clock: FakeClock, asks: str
) -> None:
    busy = Response(503, **{"retry-after": asks})

    world.call(Retry(on=(), on_result=is_busy), Script(busy, Response(200)))

    assert clock.sleeps == [7.0]


def test_a_refused_result_that_asks_for_too_long_a_pause_is_returned_open(world: World) -> None:
    busy = Response(503, **{"retry-after": "301"})

    assert world.call(Retry(on=(), on_result=is_busy), Script(busy)) is busy
    assert busy.closed == 0


def raising(error: BaseException) -> Callable[[], Never]:
    def close() -> Never:
        raise error

    return close


def test_what_closing_raises_is_told_and_the_next_attempt_is_made(
    world: World,
) -> None:
    busy, trouble = Response(503), OSError("cannot close")
    busy.close = raising(trouble)
    retry = Retry(on=(), on_result=is_busy, name="fetch", bus=(bus := EventBus()))

    with captured(bus) as events:
        result = world.call(retry, Script(busy, Response(200)))

    assert result.status == 200
    assert CallbackFailed("fetch", 0.0, "close", trouble) in events


def test_closing_trouble_hurts_nobody_when_nobody_listens(world: World) -> None:
    busy = Response(503)
    busy.close = raising(OSError())

    result = world.call(Retry(on=(), on_result=is_busy), Script(busy, Response(200)))

    assert result.status == 200


def test_leaving_while_a_result_is_closed_leaves(world: World) -> None:
    busy = Response(503)
    busy.close = raising(KeyboardInterrupt())
    script = Script(busy)

    with pytest.raises(KeyboardInterrupt):
        world.call(Retry(on=(), on_result=is_busy), script)

    assert script.calls == 1


class Streaming(Response):
    """Closed by awaiting `aclose`, as async clients do it."""

    async def aclose(self) -> None:
        self.closed += 10


def test_async_code_awaits_aclose_and_sync_code_calls_close(world: World) -> None:
    busy = Streaming(503)

    world.call(Retry(on=(), on_result=is_busy), Script(busy, Response(200)))

    assert busy.closed == (1 if world.name == "sync" else 10)


async def test_a_close_that_is_async_is_awaited() -> None:
    class Session(Response):
        async def close(self) -> None:
            self.closed += 1

    busy, fine = Session(503), Session(200)
    script = Script(busy, fine)

    async def fetch() -> Any:
        return script()

    assert await Retry(on=(), on_result=is_busy).acall(fetch) is fine
    assert (busy.closed, fine.closed) == (1, 0)


async def test_trouble_in_aclose_is_told_by_its_name() -> None:
    class Torn(Response):
        async def aclose(self) -> None:
            raise OSError("torn")

    script = Script(Torn(503), "row")

    async def fetch() -> Any:
        return script()

    with captured() as events:
        await Retry(on=(), on_result=lambda r: r != "row").acall(fetch)

    assert [e.argument for e in events if isinstance(e, CallbackFailed)] == ["aclose"]


@pytest.mark.parametrize("result", [None, 0, object(), type("Odd", (), {"close": 5})()])
def test_a_result_that_cannot_be_closed_is_let_go(world: World, result: object) -> None:
    script = Script(result)

    assert world.call(Retry(on=(), on_result=lambda _: True), script) is result
    assert script.calls == 3


def test_a_refused_last_result_is_told_without_an_error(world: World) -> None:
    with captured() as events:
        world.call(Retry(on=(), attempts=2, on_result=below_two), Script(0))

    assert [e.error for e in events if isinstance(e, RetriesExhausted)] == [None]
