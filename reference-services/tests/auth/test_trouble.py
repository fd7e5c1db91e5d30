"""Nobody is called unknown because the database is away, and whoever guesses is slowed down."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest

from uat_platform.auth.parts import Parts
from uat_platform.auth.settings import AuthSettings
from uat_resilience import BulkheadFullError
from uat_resilience.testing import FakeClock

RIGHT = {"email": "ann@example.com", "password": "correct horse"}
WRONG = {**RIGHT, "password": "wrong"}


async def lose_the_database(parts: Parts) -> None:
    """Put a directory in the place of the file."""
    await parts.store.close()
    replace(Path(parts.settings.database_url.removeprefix("sqlite:///")))


def replace(file: Path) -> None:
    file.unlink()
    file.mkdir()


async def test_without_the_database_nobody_is_called_unknown(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    await lose_the_database(parts)
    headers = {"Authorization": f"Bearer {ann['token']}"}

    answers = [
        await client.get("/auth/verify", headers=headers),
        await client.get("/auth/verify-api-key", headers={"X-API-Key": ann["user"]["api_key"]}),
        await client.post("/auth/login", json=RIGHT),
        await client.post("/auth/register", json={**RIGHT, "username": "ann"}),
        await client.post("/auth/refresh", json={"refresh_token": ann["refresh_token"]}),
        await client.post("/auth/logout", headers=headers),
        await client.get("/sessions", headers=headers),
        await client.get("/oauth2/authorize", params={"client_id": "x"}),
        await client.post("/oauth2/token", data={"grant_type": "x", "client_id": "x"}),
    ]

    assert [each.status_code for each in answers] == [503] * 9
    assert all(each.headers["retry-after"] == "1" for each in answers)
    assert (await client.get("/.well-known/jwks.json")).status_code == 200


async def test_a_token_that_was_looked_up_is_good_for_a_moment_without_the_database(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts, clock: FakeClock
) -> None:
    headers = {"Authorization": f"Bearer {ann['token']}"}
    await client.get("/auth/verify", headers=headers)
    await lose_the_database(parts)
    clock.advance(4)

    still = await client.get("/auth/verify", headers=headers)
    clock.advance(2)
    late = await client.get("/auth/verify", headers=headers)

    assert (still.status_code, late.status_code) == (200, 503)


async def test_an_answer_from_before_the_end_of_a_session_is_not_remembered(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    caller = await parts.callers.of(ann["token"])
    assert caller.session is not None
    assert caller.user is not None
    memory, era = parts.sessions._memory, parts.sessions._memory.era
    await parts.sessions.end(caller.session.id, because="a test")

    memory.keep(caller.jti, caller.session, caller.user, era=era)

    assert memory.get(caller.jti) is None


async def test_keys_are_waited_for(parts: Parts, tmp_path: Path) -> None:
    empty = Parts(
        parts.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/empty.db"}),
        now=parts.now,
    )
    async with empty.lifespan():
        assert not empty.keys.ready

        assert await empty.signing()

        assert empty.keys.ready


async def test_who_is_wrong_too_often_waits_and_each_time_longer(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    waits = []
    for _ in range(5):
        assert (await client.post("/auth/login", json=WRONG)).status_code == 401
    for _ in range(3):
        locked = await client.post("/auth/login", json=RIGHT)
        waits.append((locked.status_code, int(locked.headers["retry-after"])))
        clock.advance(waits[-1][1])
        assert (await client.post("/auth/login", json=WRONG)).status_code == 401

    assert waits == [(429, 30), (429, 60), (429, 120)]
    clock.advance(240)
    assert (await client.post("/auth/login", json=RIGHT)).status_code == 200
    assert (await client.post("/auth/login", json=WRONG)).status_code == 401


async def test_a_stranger_does_not_lock_the_owner_out(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    for _ in range(5):
        await parts.accounts.authenticate(**WRONG, address="192.0.2.1")

    assert (await client.post("/auth/login", json=RIGHT)).status_code == 200


async def test_many_addresses_do_not_help_to_guess(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    for number in range(50):
        await parts.accounts.authenticate(**WRONG, address=f"192.0.2.{number}")

    assert (await client.post("/auth/login", json=RIGHT)).status_code == 429


async def test_one_address_tries_so_often_in_a_minute(
    client: httpx2.AsyncClient, parts: Parts
) -> None:
    parts.limits._rate = 3

    statuses = [(await client.post("/auth/login", json=WRONG)).status_code for _ in range(4)]

    assert statuses == [401, 401, 401, 429]


def test_one_core_is_left_for_those_who_only_want_a_token_checked() -> None:
    cores = os.cpu_count() or 1

    assert AuthSettings.read("auth", {}).hashing_threads == max(1, cores - 1)
    assert AuthSettings.read("auth", {"PASSWORD_THREADS": "7"}).hashing_threads == 7


async def test_whoever_finds_no_turn_to_hash_is_refused_before_anything_is_looked_up(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    parts.passwords.slots.update(size=1, queue=0)
    async with parts.passwords.turn():
        await lose_the_database(parts)

        answer = await client.post("/auth/login", json=RIGHT)

    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:uat-resilience:problem:bulkhead-full"
    assert answer.headers["retry-after"] == "1"


async def test_a_turn_is_kept_until_the_thread_is_free(parts: Parts) -> None:
    parts.passwords.slots.update(size=1, queue=0)

    async def login() -> None:
        async with parts.passwords.turn():
            await parts.passwords.hash("correct horse")

    hashing = asyncio.create_task(login())
    await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not a pause
    hashing.cancel()
    with pytest.raises(BulkheadFullError):
        await login()

    await asyncio.wait((hashing,))
    await login()


async def test_what_is_over_goes(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts, clock: FakeClock
) -> None:
    await client.post("/auth/refresh", json={"refresh_token": ann["refresh_token"]})
    await client.post("/auth/login", json=WRONG)
    await parts.revoked.add("a token", expires_at=clock.now() + 300)

    def rows(condition: str) -> int:
        file = parts.settings.database_url.removeprefix("sqlite:///")
        with sqlite3.connect(file) as database:
            question = f"SELECT COUNT(*) FROM {condition}"  # noqa: S608 - our own words
            found: int = database.execute(question).fetchone()[0]
        database.close()
        return found

    clock.advance(31)
    await parts._upkeep.once()
    assert rows("refresh_tokens WHERE salt IS NOT NULL") == 0
    assert rows("refresh_tokens") == 2

    clock.advance(38 * 86_400)
    await parts._upkeep.once()
    tables = ("refresh_tokens", "sessions", "revoked_tokens", "login_failures")
    assert [rows(table) for table in tables] == [0] * 4
    assert rows("users") == 1
