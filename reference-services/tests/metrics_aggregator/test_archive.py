"""What is still there after a restart, and how soon."""

import math
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from metrics_aggregator.metrics_support.day import DAY, filled, keep_a_day
from metrics_aggregator.metrics_support.served import client, parts
from sqlalchemy import func, select, table, text

from uat_platform.metrics_aggregator.archive.chunks import packed, thinned, unpacked
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.scraping.target import from_address
from uat_platform.metrics_aggregator.series.labels import labelled
from uat_platform.metrics_aggregator.series.samples import STALE, is_stale
from uat_resilience.clock import wall_time


def test_last_sample_of_each_step_is_kept_and_so_is_the_end_of_a_series() -> None:
    samples = filled((1_000, 1.0), (9_000, 2.0), (11_000, 3.0), (15_000, STALE), (21_000, 4.0))

    thin = thinned(samples, after=-1, until=20_999, step=10_000)

    assert [*thin.times] == [9_000, 15_000]
    assert thin.values[0] == 2.0
    assert is_stale(thin.values[1])


def test_samples_come_out_as_they_went_in() -> None:
    samples = filled((1, math.inf), (2, math.nan), (3, -0.0), (4, STALE))

    found = unpacked(packed(samples))

    assert found.times == samples.times
    assert found.values.tobytes() == samples.values.tobytes()


async def ask(asking: object, query: str, at: int) -> list[object]:
    answer = (await asking.get("/api/v1/query", params={"query": query, "time": at / 1000})).json()
    return [each["value"][1] for each in answer["data"]["result"]]


def show(made: Parts, name: str, at: int, value: float) -> None:
    kept = made.memory.series(labelled({"__name__": name, "job": "shop"}))
    assert kept is not None
    made.memory.append(kept, at, value)


async def test_what_was_measured_before_a_restart_is_answered_after_it(
    tmp_path: Path, url: str
) -> None:
    now = int(wall_time() * 1000)
    first = parts(tmp_path, database_url=url)
    async with client(first):
        for back in range(600_000, 0, -5_000):
            show(first, "busy", now - back, float(600_000 - back))

    second = parts(tmp_path, database_url=url)
    async with client(second) as asking:
        show(second, "busy", now + 1_000, 0.0)

        assert await ask(asking, "busy", now) == ["595000"]
        assert await ask(asking, "count_over_time(busy[10m])", now + 1_000) != []
        assert await ask(asking, "busy", now + 1_000) == ["0"]


async def test_services_that_have_registered_are_known_after_a_restart(
    tmp_path: Path, url: str
) -> None:
    first = parts(tmp_path, database_url=url)
    async with client(first):
        for port in (8001, 8002):
            shop = from_address(f"127.0.0.1:{port}", {"job": "shop"})
            await first.register("shop", shop, {"language": "go"})

    second = parts(tmp_path, database_url=url)
    async with client(second):
        await second.prepare()

        assert [each.instance for each in second.discovery.targets] == ["127.0.0.1:8002"]


async def test_samples_that_are_too_old_are_dropped_and_the_others_stay(
    tmp_path: Path, url: str
) -> None:
    now = int(wall_time() * 1000)
    made = parts(tmp_path, database_url=url, memory_span=60.0)
    async with client(made) as asking:
        for name, age in (("old", 16 * DAY), ("young", DAY // 2)):
            show(made, name, now - age, 1.0)
        await made.prepare()
        await made.archive.end(made.memory, now)
        await made.archive.flush(made.memory, now)
        made.memory.forget(now)

        await made.archive.forget(now)

        assert await ask(asking, "old", now - 16 * DAY + 1_000) == []
        assert await ask(asking, "young", now - DAY // 2 + 1_000) == ["1"]


async def live(made: Parts, minutes: int, series: int) -> int:
    """Let an archive keep what so many series show once a minute; return the milliseconds when that is over."""
    at = DAY
    for _ in range(minutes):
        at += 60_000
        for each in range(series):
            show(made, f"busy_{each}", at - 1, 1.0)
        await made.archive.flush(made.memory, at)
    return at


async def test_the_end_writes_close_together_what_the_past_has_spread(tmp_path: Path) -> None:
    made = parts(tmp_path)
    await made.prepare()
    at = await live(made, minutes=60, series=100)
    for each in range(100):
        show(made, f"busy_{each}", at + 1, 2.0)
    with closing(sqlite3.connect(tmp_path / "metrics.db")) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    await made.archive.end(made.memory, at + 2)

    pages = (tmp_path / "metrics.db-wal").stat().st_size / 4_096
    assert pages < 30  # and not one or two of each series
    await made.store.close()


async def test_what_the_end_has_written_is_among_the_rest_after_the_next_flush(
    tmp_path: Path, url: str
) -> None:
    now = int(wall_time() * 1000)
    first = parts(tmp_path, database_url=url)
    async with client(first):
        show(first, "busy", now, 7.0)

    second = parts(tmp_path, database_url=url)
    async with client(second) as asking:
        await second.prepare()
        await second.archive.flush(second.memory, now + 1)
        assert await rows(second, "tails") == 0
        assert await rows(second, "chunks") == 2  # one of each resolution
        assert await ask(asking, "busy", now) == ["7"]


async def rows(made: Parts, name: str) -> int:
    async with made.store.read() as connection:
        found = await connection.execute(select(func.count()).select_from(table(name)))
        return int(found.scalar_one())


async def test_of_samples_that_are_written_twice_the_longer_part_holds(
    tmp_path: Path, url: str
) -> None:
    now = int(wall_time() * 1000)
    made = parts(tmp_path, database_url=url)
    await made.prepare()
    show(made, "busy", now - 120_000, 1.0)
    await made.archive.flush(made.memory, now)
    show(made, "busy", now - 60_000, 2.0)
    for each in made.memory:
        each.archived.clear()  # As when whoever wrote was cancelled in the meantime.
    await made.archive.end(made.memory, now)
    await made.store.close()

    again = parts(tmp_path, database_url=url)
    async with client(again) as asking:
        before = await ask(asking, "busy", now)
        await again.prepare()
        await again.archive.flush(again.memory, now)

        assert [before, await ask(asking, "busy", now)] == [["2"], ["2"]]
        assert await rows(again, "tails") == 0


async def test_series_whose_number_was_rolled_back_gets_another(tmp_path: Path, url: str) -> None:
    now = int(wall_time() * 1000)
    made = parts(tmp_path, database_url=url)

    async def run(statement: str) -> None:
        await made.store.write(lambda connection: connection.exec_driver_sql(statement))

    async with client(made):
        await made.prepare()
        show(made, "busy", now - 60_000, 7.0)
        await run("ALTER TABLE tails RENAME TO away")
        with pytest.raises(Exception, match="tails"):
            await made.archive.end(made.memory, now)
        await run("ALTER TABLE away RENAME TO tails")
        await run(
            """INSERT INTO series (metric, labels) VALUES ('other', '{"__name__": "other"}')"""
        )

    again = parts(tmp_path, database_url=url)
    async with client(again) as asking:
        assert await ask(asking, "busy", now) == ["7"]
        assert await ask(asking, "other", now) == []


async def test_first_query_after_a_restart_with_a_day_of_data_comes_within_a_second(
    tmp_path: Path, url: str
) -> None:
    now = int(wall_time() * 1000)
    made = parts(tmp_path, database_url=url)
    async with client(made):
        await keep_a_day(made, now)

    began = time.process_time()
    again = parts(tmp_path, database_url=url)
    async with client(again) as asking:
        answer = await ask(asking, "sum(busy)", now - DAY // 2)
        took = time.process_time() - began

    assert answer != []
    assert took < 1.0


async def test_a_query_reads_nothing_of_other_series_or_other_times(
    tmp_path: Path, url: str
) -> None:
    now = int(wall_time() * 1000)
    made = parts(tmp_path, database_url=url)
    await made.prepare()
    for name, age in (("busy", 1_000), ("busy", 0), ("idle", 0)):
        show(made, name, now - age, 7.0)
        await made.archive.end(made.memory, now)
    unreadable = """
        UPDATE tails SET points = :x WHERE last < :now
        OR series = (SELECT id FROM series WHERE metric = 'idle')
    """
    told = {"x": b"x", "now": now}
    await made.store.write(lambda connection: connection.execute(text(unreadable), told))
    await made.store.close()

    again = parts(tmp_path, database_url=url, lookback=0.5)
    async with client(again) as asking:
        assert await ask(asking, "busy", now) == ["7"]
        spoiled = {"query": "idle", "time": now / 1000}
        assert (await asking.get("/api/v1/query", params=spoiled)).is_error


async def test_queries_are_answered_from_memory_while_the_archive_is_away(tmp_path: Path) -> None:
    now = int(wall_time() * 1000)
    (tmp_path / "nothing.db").mkdir()
    made = parts(tmp_path, database_url=f"sqlite:///{tmp_path / 'nothing.db'}")
    async with client(made) as asking:
        show(made, "busy", now, 1.0)

        answer = (await asking.get("/api/v1/query", params={"query": "busy"})).json()

    assert [each["value"][1] for each in answer["data"]["result"]] == ["1"]
    assert "archive" in answer["warnings"][0]
