"""What is taken from targets, and when they are left alone."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from metrics_aggregator.metrics_support.served import client, parts, target

from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.scraping.exposition import identity
from uat_platform.metrics_aggregator.scraping.exposition import parts as said
from uat_platform.metrics_aggregator.scraping.ledger import Ledger
from uat_platform.metrics_aggregator.scraping.target import from_address, from_discovery
from uat_platform.metrics_aggregator.series.memory import Memory
from uat_platform.metrics_aggregator.series.samples import is_stale


def ledger(*, most: int = 100) -> Ledger:
    return Ledger(Memory(span=3_600_000, most=1_000), {"job": "shop", "instance": "a:1"}, most)


def show(book: Ledger, at: int, *lines: str) -> Any:
    taken = book.begin()
    for line in lines:
        book.line(line, at, taken)
    book.end(at)
    return taken


async def value(made: Parts, asking: Any, query: str) -> dict[str, str]:
    answer = (await asking.get("/api/v1/query", params={"query": query})).json()
    return {each["metric"].get("job", ""): each["value"][1] for each in answer["data"]["result"]}


def test_labels_may_hold_whatever_a_text_can() -> None:
    line = said('odd{path="/a{b} \\"c\\" \\\\d\\n,e",empty=""} 1e3 1700000000000')

    assert line is not None
    assert identity(line.series) == {
        "__name__": "odd",
        "path": '/a{b} "c" \\d\n,e',
        "empty": "",
    }
    assert (line.value, line.time) == (1000.0, 1_700_000_000_000)


def test_lines_that_make_no_sense_are_counted_and_the_others_taken() -> None:
    book = ledger()

    taken = show(
        book, 1_000, "good 1", "bad{ 1", 'worse{a="b} 1', "9lives 1", "no_value", "", "# a comment"
    )

    assert (taken.samples, taken.added) == (4, 1)
    assert taken.wrong == 4


def test_labels_of_the_target_win_and_what_the_service_says_is_kept_beside_them() -> None:
    book = ledger()

    show(book, 1_000, 'busy{job="mine",room="1"} 1')

    (kept,) = book.memory
    assert dict(kept.labels) == {
        "__name__": "busy",
        "exported_job": "mine",
        "instance": "a:1",
        "job": "shop",
        "room": "1",
    }


def test_series_that_is_not_shown_any_more_ends_at_once_and_may_come_back() -> None:
    book = ledger()
    show(book, 1_000, "busy 1", "idle 1")

    show(book, 2_000, "busy 2")
    show(book, 3_000, "busy 3", "idle 3")

    idle = next(each for each in book.memory if dict(each.labels)["__name__"] == "idle")
    assert [(time, is_stale(each)) for time, each in idle.samples] == [
        (1_000, False),
        (2_000, True),
        (3_000, False),
    ]


def test_series_beyond_the_cap_are_dropped_and_counted_and_the_first_ones_stay() -> None:
    book = ledger(most=2)

    taken = show(book, 1_000, *(f'many{{n="{each}"}} 1' for each in range(5)))
    again = show(book, 2_000, *(f'many{{n="{each}"}} 2' for each in range(5)))

    assert (taken.samples, taken.dropped) == (5, 3)
    assert (again.samples, again.dropped, len(book)) == (5, 3, 2)
    assert [each.samples.values[-1] for each in book.memory] == [2.0, 2.0]


async def test_target_that_is_down_ends_its_series_and_is_left_alone_after_five_failures(
    tmp_path: Path,
) -> None:
    pages: dict[str, Any] = {"/metrics": "busy 1\n"}
    made = parts(tmp_path, scrape_interval=30.0, scrape_timeout=20.0)
    with target(pages) as address:
        async with client(made) as asking:
            scrape = made.roster.made(from_address(address, {"job": "shop"}))
            await scrape.once()
            assert await value(made, asking, "busy") == {"shop": "1"}

            del pages["/metrics"]
            for _ in range(6):
                await scrape.once()

            assert await value(made, asking, "busy") == {}
            assert await value(made, asking, "up") == {"shop": "0"}
            assert scrape.count == {"success": 1, "failure": 5, "refused": 1}
            assert scrape.outcome.error.startswith("not asked")


async def test_target_that_hangs_is_cut_at_the_deadline(tmp_path: Path) -> None:
    enough = Event()
    made = parts(tmp_path, scrape_timeout=0.2)

    def hang(handler: BaseHTTPRequestHandler) -> None:
        enough.wait(10)

    with target({"/metrics": hang}) as address:
        async with client(made):
            scrape = made.roster.made(from_address(address, {"job": "slow"}))
            await scrape.once()
            enough.set()

    assert "TimedOutError" in scrape.outcome.error
    assert 0.15 < scrape.outcome.seconds < 2.0


def test_discovery_takes_groups_of_targets_with_their_labels() -> None:
    groups = [
        {
            "targets": ["10.0.0.1:80", "10.0.0.2:80"],
            "labels": {"service": "shop", "__metrics_path__": "/m", "__scheme__": "https"},
        }
    ]

    found = from_discovery(groups, most=10)

    assert [each.url for each in found] == ["https://10.0.0.1:80/m", "https://10.0.0.2:80/m"]
    assert dict(found[0].labels) == {
        "instance": "10.0.0.1:80",
        "job": "shop",
        "service": "shop",
    }


@pytest.mark.parametrize("groups", [{}, [1], [{"targets": "x"}], [{"targets": ["http://a/b"]}]])
def test_discovery_refuses_what_is_no_list_of_targets(groups: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        from_discovery(groups, most=10)


async def test_targets_come_from_the_load_balancer_and_stay_while_it_is_away(
    tmp_path: Path,
) -> None:
    pages: dict[str, Any] = {"/metrics": "busy 1\n"}
    with target(pages) as address:
        pages["/sd/prometheus"] = f'[{{"targets": ["{address}"], "labels": {{"service": "shop"}}}}]'
        made = parts(tmp_path, load_balancer_url=f"http://{address}")
        async with client(made):
            assert await made.discover()
            assert [each.target.job for each in made.roster] == ["shop"]

            del pages["/sd/prometheus"]

            assert not await made.discover()
            assert [each.target.job for each in made.roster] == ["shop"]

            pages["/sd/prometheus"] = "[]"

            assert await made.discover()
            assert len(made.roster) == 0
