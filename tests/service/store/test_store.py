"""What is written is there, what failed is not, and a database that is away is said to be away."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_resilience.integrations.serving.problem import problem
from uat_service.settings import ConfigurationError, Settings
from uat_service.store import MigrationError, Store, StoreUnavailableError, StoreUrl
from uat_service.store.url import store_url

Run = Callable[[Callable[[Store], Awaitable[Any]]], Any]
Work = Callable[[AsyncConnection], Awaitable[Any]]
TABLE = "CREATE TABLE things (name VARCHAR(50) PRIMARY KEY, number INTEGER NOT NULL)"


def insert(name: str, number: int = 1) -> Work:
    async def work(connection: AsyncConnection) -> str:
        await connection.execute(
            text("INSERT INTO things VALUES (:name, :number)"), {"name": name, "number": number}
        )
        return name

    return work


async def create(store: Store) -> None:
    await store.write(lambda connection: connection.exec_driver_sql(TABLE))


async def names(store: Store) -> list[str]:
    async with store.read() as connection:
        rows = await connection.execute(text("SELECT name FROM things ORDER BY name"))
        return [str(row[0]) for row in rows]


def test_what_was_written_is_read(run: Run) -> None:
    async def work(store: Store) -> tuple[str, list[str]]:
        await create(store)
        told = await store.write(insert("a"))
        return told, await names(store)

    assert run(work) == ("a", ["a"])


def test_what_failed_is_rolled_back_and_what_was_written_beside_it_stays(run: Run) -> None:
    async def half(connection: AsyncConnection) -> None:
        await insert("lost")(connection)
        raise LookupError("no")

    async def work(store: Store) -> tuple[list[Any], list[str]]:
        await create(store)
        writes = [store.write(insert("a")), store.write(half), store.write(insert("b"))]
        return await asyncio.gather(*writes, return_exceptions=True), await names(store)

    outcomes, found = run(work)

    assert found == ["a", "b"]
    assert [type(each) for each in outcomes] == [str, LookupError, str]


def test_a_broken_rule_is_told_to_who_broke_it(run: Run) -> None:
    async def work(store: Store) -> list[Any]:
        await create(store)
        return await asyncio.gather(
            *(store.write(insert("same")) for _ in range(3)), return_exceptions=True
        )

    outcomes = run(work)

    assert sorted(type(each) is IntegrityError for each in outcomes) == [False, True, True]


def test_many_writers_lose_nothing(run: Run) -> None:
    async def work(store: Store) -> int:
        await create(store)
        await asyncio.gather(*(store.write(insert(f"{number:03}")) for number in range(200)))
        return len(await names(store))

    assert run(work) == 200


def test_what_is_written_while_reading_is_not_kept(run: Run) -> None:
    async def work(store: Store) -> list[str]:
        await create(store)
        async with store.read() as connection:
            await insert("a")(connection)
        return await names(store)

    assert run(work) == []


def test_a_sign_of_life_is_given(run: Run) -> None:
    assert run(lambda store: store.check()) is None


def test_writers_that_wait_are_committed_together(tmp_path: Path) -> None:
    commits: list[str] = []

    async def main() -> None:
        store = Store(f"sqlite:///{tmp_path}/store.db")
        await create(store)
        event.listen(store._engine.sync_engine, "commit", lambda _: commits.append("commit"))
        await asyncio.gather(*(store.write(insert(str(number))) for number in range(50)))
        await store.close()

    asyncio.run(main())

    assert len(commits) <= 2


def test_a_write_that_is_cancelled_before_it_began_is_dropped(tmp_path: Path) -> None:
    async def main() -> list[str]:
        store = Store(f"sqlite:///{tmp_path}/store.db")
        await create(store)
        entered, gate = asyncio.Event(), asyncio.Event()

        async def slow(connection: AsyncConnection) -> None:
            entered.set()
            await gate.wait()
            await insert("slow")(connection)

        first = asyncio.create_task(store.write(slow))
        await entered.wait()
        second = asyncio.create_task(store.write(insert("dropped")))
        third = asyncio.create_task(store.write(insert("third")))
        await asyncio.sleep(0)  # noqa: TID251 - lets both queue up
        second.cancel()
        gate.set()
        await asyncio.wait((first, second, third))
        found = await names(store)
        await store.close()
        return found

    assert asyncio.run(main()) == ["slow", "third"]


def test_a_write_that_reads_first_has_the_lock_already(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def main() -> None:
        store = Store(f"sqlite:///{path}")
        await create(store)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text("SELECT count(*) FROM things"))
            other = sqlite3.connect(path, isolation_level=None, timeout=0)
            try:
                other.execute("BEGIN IMMEDIATE")
            finally:
                other.close()

        try:
            await store.write(work)
        finally:
            await store.close()

    # Otherwise the other one writes in between, and our own write fails for good.
    with pytest.raises(Exception, match="locked"):
        asyncio.run(main())


def test_readers_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    async def main() -> list[str]:
        store = Store(f"sqlite:///{tmp_path}/store.db")
        await create(store)
        entered, gate = asyncio.Event(), asyncio.Event()

        async def slow(connection: AsyncConnection) -> None:
            await insert("slow")(connection)
            entered.set()
            await gate.wait()

        writing = asyncio.create_task(store.write(slow))
        await entered.wait()
        found = await names(store)
        gate.set()
        await writing
        await store.close()
        return found

    assert asyncio.run(main()) == []


def test_a_database_that_stays_locked_is_said_to_be_away(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def main() -> None:
        store = Store(f"sqlite:///{path}", patience=0.05, retry_after=2.0)
        await create(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            await store.write(insert("a"))
        finally:
            other.close()
            await store.close()

    with pytest.raises(StoreUnavailableError) as raised:
        asyncio.run(main())

    answer = problem(raised.value)
    assert answer is not None
    assert (answer.status, answer.headers) == (503, (("Retry-After", "2"),))


def test_a_database_that_nobody_serves_is_said_to_be_away() -> None:
    async def main() -> None:
        store = Store("postgresql://test:secret@127.0.0.1:1/x", patience=1.0)
        try:
            await store.check()
        finally:
            await store.close()

    with pytest.raises(StoreUnavailableError) as raised:
        asyncio.run(main())

    assert "secret" not in str(raised.value)


def test_a_file_is_for_the_eyes_of_its_owner(tmp_path: Path) -> None:
    async def work() -> list[int]:
        store = Store(f"sqlite:///{tmp_path}/deep/store.db")
        await create(store)
        modes = [each.stat().st_mode & 0o777 for each in (tmp_path / "deep").iterdir()]
        await store.close()
        return modes

    assert asyncio.run(work()) == [0o600] * 3  # The file, its log, and the index of that.


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"this is no database" * 100)

    async def main() -> None:
        store = Store(f"sqlite:///{path}")
        try:
            await store.check()
        finally:
            await store.close()

    with pytest.raises(Exception, match="not a database"):
        asyncio.run(main())


class Shop(Settings):
    database_url: StoreUrl = "sqlite:///shop.db"


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("secret", "be like sqlite:///path or postgresql://user@host/database"),
        ("sqlite:secret.db", "be like sqlite:///path"),
        ("sqlite://secret/shop.db", "three slashes"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("mysql://root:secret@x/y", "or postgresql://"),
        ("postgresql://root:secret@x:secret/y", "or postgresql://"),
        ("postgresql://root:secret@x:65536/y", "a port from 1 to 65535"),
    ],
)
def test_a_url_of_no_database_that_lasts_is_refused_in_code_and_in_settings(
    url: str, rule: str
) -> None:
    with pytest.raises(ValueError, match="url must") as raised:
        Store(url)
    with pytest.raises(ConfigurationError) as told:
        Shop.read("shop", {"SHOP_DATABASE_URL": url})

    assert rule in str(raised.value)
    assert rule in told.value.problems["SHOP_DATABASE_URL"]
    assert "secret" not in str(raised.value) + str(told.value)
    assert raised.value.__cause__ is None


def test_urls_of_databases_that_last_are_taken() -> None:
    for url in ("sqlite:///a.db", "sqlite:////a/b.db", "postgresql:///x", "postgres://u:p@h:1/x"):
        assert Shop.read("shop", {"DATABASE_URL": url}).database_url == url
    with pytest.raises(TypeError, match="not a NoneType"):
        store_url("url", None)


def test_migrations_run_once_and_in_order(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "migrations"
    directory.mkdir()
    (directory / "0001_things.sql").write_text(f"-- What there is.\n{TABLE};\n")
    (directory / "0002_one.sqlite.sql").write_text("INSERT INTO things VALUES ('lite; 1', 1);\n")
    (directory / "0002_one.postgresql.sql").write_text(
        "INSERT INTO things VALUES ('post; 1', 1);\n"
    )

    async def work(store: Store) -> tuple[int, int, list[str]]:
        return await store.migrate(directory), await store.migrate(directory), await names(store)

    first, second, found = run(work)

    assert (first, second) == (2, 0)
    assert found in (["lite; 1"], ["post; 1"])


def test_a_migration_that_fails_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    (tmp_path / "0001_bad.sql").write_text(f"{TABLE};\nINSERT INTO nowhere VALUES (1);\n")

    async def work(store: Store) -> str:
        with pytest.raises(Exception, match="nowhere"):
            await store.migrate(tmp_path)
        await create(store)  # The table is not there.
        return "created"

    assert run(work) == "created"


def test_a_migration_that_was_changed_after_it_had_run_is_an_error(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "0001_things.sql").write_text(f"{TABLE};\n")

    async def work(store: Store) -> None:
        await store.migrate(tmp_path)
        (tmp_path / "0001_things.sql").write_text(f"{TABLE} ;\n")
        await store.migrate(tmp_path)

    with pytest.raises(MigrationError, match=r"0001_things\.sql was changed"):
        run(work)


def test_a_database_that_is_ahead_of_its_files_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "0001_things.sql").write_text(f"{TABLE};\n")

    async def work(store: Store) -> None:
        await store.migrate(tmp_path)
        (tmp_path / "0001_things.sql").unlink()
        await store.migrate(tmp_path)

    with pytest.raises(MigrationError, match="the database is ahead"):
        run(work)


def test_processes_that_migrate_at_once_do_so_once(url: str, tmp_path: Path) -> None:
    (tmp_path / "0001_things.sql").write_text(f"{TABLE};\n")

    async def main() -> list[int]:
        stores = [Store(url) for _ in range(3)]
        ran = await asyncio.gather(*(store.migrate(tmp_path) for store in stores))
        for store in stores:
            await store.close()
        return ran

    assert sorted(asyncio.run(main())) == [0, 0, 1]


def test_many_may_open_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    """SQLite's patience has gaps while a file gets its write-ahead log: some of these rounds met one."""
    (tmp_path / "0001_things.sql").write_text(f"{TABLE};\n")

    async def main(file: Path) -> list[int]:
        stores = [Store(f"sqlite:///{file}") for _ in range(6)]
        ran = await asyncio.gather(*(store.migrate(tmp_path) for store in stores))
        await asyncio.gather(*(store.close() for store in stores))
        return ran

    for round_ in range(15):
        assert sum(asyncio.run(main(tmp_path / f"{round_}.db"))) == 1


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["1_a.sql"], "must be called like"),
        (["0001_a.sql", "0001_b.sql"], "has the number of"),
        (["0001_a.sql", "0003_b.sql"], "migration 0002 is missing"),
    ],
)
def test_files_that_do_not_make_a_row_are_refused(
    tmp_path: Path, files: list[str], says: str
) -> None:
    for file in files:
        (tmp_path / file).write_text("SELECT 1;\n")

    async def main() -> None:
        store = Store(f"sqlite:///{tmp_path}/store.db")
        await store.migrate(tmp_path)

    with pytest.raises(MigrationError, match=says):
        asyncio.run(main())
