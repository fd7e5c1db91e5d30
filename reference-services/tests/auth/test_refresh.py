"""A refresh token is good once, and two tabs that use one at the same time both stay signed in."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from uat_platform.auth.parts import Parts
from uat_resilience.testing import FakeClock


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, url: str) -> str:
    """With PostgreSQL two transactions run at the same time."""
    if request.param == "postgresql":
        found: str = request.getfixturevalue("empty_postgresql")
        return found
    return url


async def refresh(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def test_a_refresh_gives_the_next_pair(
    client: httpx2.AsyncClient, ann: dict[str, Any]
) -> None:
    answer = await refresh(client, ann["refresh_token"])

    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != ann["refresh_token"]
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await client.get("/auth/verify", headers=headers)).status_code == 200


async def test_fifty_at_once_get_one_successor_and_nobody_is_logged_out(
    client: httpx2.AsyncClient, ann: dict[str, Any]
) -> None:
    answers = await asyncio.gather(*(refresh(client, ann["refresh_token"]) for _ in range(50)))

    assert {each.status_code for each in answers} == {200}
    (successor,) = {each.json()["refresh_token"] for each in answers}
    assert (await refresh(client, successor)).status_code == 200


async def test_within_the_grace_a_lost_answer_is_given_again(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    first = (await refresh(client, ann["refresh_token"])).json()["refresh_token"]
    second = (await refresh(client, first)).json()["refresh_token"]
    clock.advance(30)

    # The other tab is two steps behind, and gets there by the same steps.
    late = (await refresh(client, ann["refresh_token"])).json()["refresh_token"]
    again = (await refresh(client, late)).json()["refresh_token"]

    assert (late, again) == (first, second)


async def test_reuse_after_the_grace_ends_the_session(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    fresh = (await refresh(client, ann["refresh_token"])).json()
    clock.advance(30.5)

    stolen = await refresh(client, ann["refresh_token"])

    assert stolen.status_code == 401
    assert (await refresh(client, fresh["refresh_token"])).status_code == 401
    headers = {"Authorization": f"Bearer {fresh['token']}"}
    assert (await client.get("/auth/verify", headers=headers)).status_code == 401


async def test_the_grace_is_not_prolonged_by_using_it(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    statuses = []
    for _ in range(3):
        statuses.append((await refresh(client, ann["refresh_token"])).status_code)
        clock.advance(20)

    assert statuses == [200, 200, 401]


async def test_reuse_in_one_session_leaves_the_others_alone(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    told = {"email": "ann@example.com", "password": "correct horse"}
    other = (await client.post("/auth/login", json=told)).json()
    await refresh(client, ann["refresh_token"])
    clock.advance(31)
    await refresh(client, ann["refresh_token"])

    assert (await refresh(client, other["refresh_token"])).status_code == 200


async def test_a_session_ends_by_itself(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    token = ann["refresh_token"]
    clock.advance(29 * 86_400)
    token = (await refresh(client, token)).json()["refresh_token"]
    clock.advance(86_401)

    assert (await refresh(client, token)).status_code == 401


async def test_an_unknown_token_is_refused(client: httpx2.AsyncClient) -> None:
    assert (await refresh(client, "unknown")).status_code == 401


async def test_the_database_does_not_tell_a_token(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    fresh = (await refresh(client, ann["refresh_token"])).json()["refresh_token"]

    async with parts.store.read() as connection:
        rows = (await connection.execute(text("SELECT * FROM refresh_tokens"))).all()

    assert len(rows) == 2
    assert ann["refresh_token"] not in str(rows)
    assert fresh not in str(rows)
