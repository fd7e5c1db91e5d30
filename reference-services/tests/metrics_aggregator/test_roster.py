"""Targets are asked as long as they are known, whatever comes of it once."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from metrics_aggregator.metrics_support.served import target
from tests.integrations.server.serving import PATIENCE

from uat_platform.metrics_aggregator.scraping.discovery import Discovery
from uat_platform.metrics_aggregator.scraping.fetching import Fetcher
from uat_platform.metrics_aggregator.scraping.roster import Roster
from uat_platform.metrics_aggregator.scraping.scrape import Cadence, Health, Scrape
from uat_platform.metrics_aggregator.scraping.target import Target, from_address
from uat_platform.metrics_aggregator.series.memory import Memory
from uat_resilience import BreakerState, Bulkhead, deadline

PATIENT = Cadence(0.05, 5.0)


@dataclass
class Asking:
    """A roster, and what it has been told."""

    roster: Roster
    fetcher: Fetcher
    rounds: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, true: Callable[[Scrape], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.rounds:
            await self.rounds.wait_for(lambda: all(map(true, self.roster)))


@asynccontextmanager
async def asking(cadence: Cadence) -> AsyncGenerator[Asking]:
    tasks = set[asyncio.Task[None]]()

    async def tell() -> None:
        async with made.rounds:
            made.rounds.notify_all()

    def told() -> None:
        task = asyncio.create_task(tell())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async with AsyncExitStack() as ends:
        fetcher = Fetcher(caller="tests", most=1 << 20)
        ends.push_async_callback(fetcher.aclose)
        memory, slots = Memory(span=3_600_000, most=100), Bulkhead(2, name="scrapes")
        roster = Roster(memory, fetcher=fetcher, cadence=cadence, slots=slots, series=50, told=told)
        ends.push_async_callback(roster.aclose)
        made = Asking(roster, fetcher)
        yield made
    await asyncio.gather(*tasks)


def shop(address: str, instance: str = "first") -> Target:
    return from_address(address, {"job": "shop", "__meta_uat_instance": instance})


async def test_page_that_is_nested_too_deeply_is_no_end_of_the_scrapes() -> None:
    pages: dict[str, Any] = {"/metrics": "busy 1\n", "/resilience": "[" * 100_000}
    with target(pages) as address:
        async with asking(PATIENT) as made:
            made.roster.update([shop(address)])

            await made.until(lambda scrape: scrape.count["success"] >= 3)


async def test_error_that_nobody_has_thought_of_is_a_failure_and_no_end_of_the_scrapes(
    monkeypatch: Any,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError("odd")

    with target({"/metrics": "busy 1\n"}) as address:
        async with asking(PATIENT) as made:
            monkeypatch.setattr(made.fetcher, "lines", broken)
            made.roster.update([shop(address)])
            await made.until(lambda scrape: scrape.count["failure"] >= 2)
            (scrape,) = made.roster
            assert scrape.outcome.error == "LookupError: odd"

            monkeypatch.undo()

            await made.until(lambda scrape: scrape.outcome.health is Health.UP)


async def test_target_is_asked_for_longer_than_the_request_that_named_it_may_take() -> None:
    with target({"/metrics": "busy 1\n"}) as address:
        async with asking(PATIENT) as made:
            with deadline(0.02):
                made.roster.update([shop(address)])

            await made.until(lambda scrape: scrape.count["success"] >= 3)

            assert [each.count["failure"] for each in made.roster] == [0]


async def test_one_scrape_that_takes_too_long_is_followed_by_others() -> None:
    slow, enough = Event(), Event()

    def page(handler: Any) -> None:
        if not slow.is_set():
            slow.set()
            enough.wait(PATIENCE)
        body = b"busy 1\n"
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with target({"/metrics": page}) as address:
        async with asking(Cadence(0.5, 0.3)) as made:
            made.roster.update([shop(address)])
            await made.until(lambda scrape: scrape.count["failure"] >= 1)
            enough.set()

            await made.until(lambda scrape: scrape.outcome.health is Health.UP)


def test_target_is_left_alone_for_three_scrapes_at_most() -> None:
    cadence = Cadence(5.0, 4.0)

    assert [cadence.recovery(openings) for openings in (1, 2, 9)] == [10.0, 15.0, 15.0]


class Unforgiving(Cadence):
    """Asks nobody again who has failed."""

    def recovery(self, openings: int) -> float:
        return 3_600.0 * openings


async def test_another_process_at_an_address_that_was_left_alone_is_asked_at_once() -> None:
    pages: dict[str, Any] = {}
    with target(pages) as address:
        async with asking(Unforgiving(0.05, 5.0, failures=1)) as made:
            made.roster.update([shop(address)])
            await made.until(lambda scrape: scrape.count["refused"] >= 1)
            pages["/metrics"] = "busy 1\n"
            made.roster.update([shop(address)])
            assert [each.breaker.state for each in made.roster] == [BreakerState.OPEN]

            made.roster.update([shop(address, "second")])

            await made.until(lambda scrape: scrape.outcome.health is Health.UP)
            assert [each.count["refused"] for each in made.roster] == [0]


async def test_load_balancer_that_answers_late_takes_no_target_away() -> None:
    late = Event()
    pages: dict[str, Any] = {}
    with target(pages) as address:
        pages["/sd"] = f'[{{"targets": ["{address}"], "labels": {{"service": "shop"}}}}]'
        async with asking(PATIENT) as made:
            discovery = Discovery(made.fetcher, url=f"http://{address}/sd", fixed=[], seconds=1.0)
            assert await discovery.refresh()
            pages["/sd"] = lambda _: late.wait(PATIENCE)

            answered = await discovery.refresh()
            late.set()

            assert not answered
            assert [each.job for each in discovery.targets] == ["shop"]
