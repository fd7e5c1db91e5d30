"""Keys are published before they sign and after, so that a rotation is noticed by nobody."""

from typing import Any

import httpx2
import jwt
import pytest
from sqlalchemy import text

from uat_platform.auth.keys.ring import KeyRing, KeyTooNewError
from uat_platform.auth.keys.signing_key import KeyState
from uat_platform.auth.parts import Parts
from uat_resilience.testing import FakeClock
from uat_service.store import StoreUnavailableError


async def published(client: httpx2.AsyncClient) -> set[str]:
    told = (await client.get("/.well-known/jwks.json")).json()
    return {key["kid"] for key in told["keys"]}


def kid(token: str) -> str:
    found: str = jwt.get_unverified_header(token)["kid"]
    return found


def states(ring: KeyRing, algorithm: str = "ES256") -> list[KeyState]:
    return sorted(key.state for key in ring.keys if key.algorithm == algorithm)


async def test_there_are_keys_of_both_kinds_and_those_to_come(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/.well-known/jwks.json")

    assert sorted(key["alg"] for key in answer.json()["keys"]) == ["ES256"] * 2 + ["RS256"] * 2
    assert not any({"d", "p", "q"} & key.keys() for key in answer.json()["keys"])
    assert "max-age=300" in answer.headers["cache-control"]


async def test_a_key_was_published_before_it_signs_and_is_after(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts, clock: FakeClock
) -> None:
    before = await published(client)
    clock.advance(901)

    await parts.keys.rotate("ES256")

    fresh = (
        await client.post("/auth/refresh", json={"refresh_token": ann["refresh_token"]})
    ).json()
    assert kid(fresh["token"]) in before
    assert kid(fresh["token"]) != kid(ann["token"])
    assert await published(client) >= before
    assert states(parts.keys) == ["current", "next", "retired"]


async def test_a_key_that_nobody_can_have_seen_does_not_sign(parts: Parts) -> None:
    with pytest.raises(KeyTooNewError) as raised:
        await parts.keys.rotate("ES256")

    assert raised.value.retry_after == 900


async def test_a_stolen_key_goes_at_once_and_its_tokens_with_it(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    await parts.keys.rotate("ES256", force=True)

    answer = await client.get("/auth/verify", headers={"Authorization": f"Bearer {ann['token']}"})
    assert answer.status_code == 401
    assert kid(ann["token"]) not in await published(client)


async def test_keys_take_turns_by_themselves_and_go_when_their_last_token_has_expired(
    client: httpx2.AsyncClient, parts: Parts, clock: FakeClock
) -> None:
    first = parts.keys.signing("ES256").kid
    clock.advance(30 * 86_400)
    await parts.keys.tend()
    second = parts.keys.signing("ES256").kid
    assert first != second
    assert first in await published(client)

    clock.advance(601)
    await parts.keys.tend()

    assert first not in await published(client)
    assert parts.keys.signing("ES256").kid == second


async def test_two_processes_rotate_once(parts: Parts, clock: FakeClock) -> None:
    other = KeyRing(parts.store, clock.now, lifetime=86_400 * 30, notice=900, kept=600)
    await other.load()
    assert {key.kid for key in other.keys} == {key.kid for key in parts.keys.keys}
    clock.advance(30 * 86_400)

    await parts.keys.tend()
    await other.tend()

    assert other.signing("ES256").kid == parts.keys.signing("ES256").kid
    assert states(other) == ["current", "next", "retired"]


async def test_private_keys_are_encrypted_when_there_is_something_to_do_so_with(
    parts: Parts, clock: FakeClock
) -> None:
    words = {"passphrase": "sesame"}
    locked = KeyRing(parts.store, clock.now, lifetime=9, notice=9, kept=9, **words)
    await locked.load()
    await locked.rotate("ES256", force=True)

    async with parts.store.read() as connection:
        rows = (await connection.execute(text("SELECT private_key FROM signing_keys"))).scalars()
        assert sum("ENCRYPTED" in each for each in rows) == 1
    without = KeyRing(parts.store, clock.now, lifetime=9, notice=9, kept=9)
    with pytest.raises(TypeError):
        await without.load()


async def test_without_keys_nobody_is_called_unknown(parts: Parts, clock: FakeClock) -> None:
    empty = KeyRing(parts.store, clock.now, lifetime=9, notice=9, kept=9)

    assert not empty.ready
    with pytest.raises(StoreUnavailableError):
        empty.signing("ES256")
