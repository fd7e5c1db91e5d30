"""The six routes that the platform always had, with the shapes they always had."""

from typing import Any

import httpx2
import pytest

from uat_platform.auth.parts import Parts
from uat_resilience.testing import FakeClock


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def login(client: httpx2.AsyncClient) -> httpx2.Response:
    told = {"email": "ann@example.com", "password": "correct horse"}
    return await client.post("/auth/login", json=told)


async def test_who_registers_is_a_user_with_a_key_and_a_token(
    client: httpx2.AsyncClient, ann: dict[str, Any]
) -> None:
    assert ann["user"].keys() >= {"id", "email", "username", "api_key"}
    assert ann["user"]["email"] == "ann@example.com"
    assert ann["user"]["api_key"].startswith("sk-")
    assert len(ann["user"]["api_key"]) == 51

    verified = await client.get("/auth/verify", headers=bearer(ann["token"]))

    assert verified.json()["valid"] is True
    assert verified.json()["user"]["id"] == ann["user"]["id"]


async def test_an_address_is_taken_however_it_is_capitalised(
    client: httpx2.AsyncClient, ann: dict[str, Any]
) -> None:
    other = {"email": "ANN@example.com", "username": "other", "password": "another horse"}

    answer = await client.post("/auth/register", json=other)

    assert answer.status_code == 409
    assert answer.json()["detail"] == "User already exists"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "ann@example.com", "username": "ann"},
        {"email": "nowhere", "username": "ann", "password": "correct horse"},
        {"email": "ann@example.com", "username": "", "password": "correct horse"},
        {"email": "ann@example.com", "username": "ann", "password": "short"},
    ],
)
async def test_what_is_missing_or_wrong_is_said(
    client: httpx2.AsyncClient, body: dict[str, str]
) -> None:
    answer = await client.post("/auth/register", json=body)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_right_password_opens(client: httpx2.AsyncClient, ann: dict[str, Any]) -> None:
    answer = await login(client)

    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == ann["user"]["id"]
    assert "api_key" not in answer.json()["user"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com"])
async def test_a_wrong_password_and_an_unknown_address_look_the_same(
    client: httpx2.AsyncClient, ann: dict[str, Any], email: str
) -> None:
    answer = await client.post("/auth/login", json={"email": email, "password": "wrong"})

    assert answer.status_code == 401
    assert answer.json()["detail"] == "Invalid credentials"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_after_logging_out_no_token_of_the_session_is_good(
    client: httpx2.AsyncClient, ann: dict[str, Any]
) -> None:
    other = (await login(client)).json()

    answer = await client.post("/auth/logout", headers=bearer(ann["token"]))

    assert answer.json() == {"success": True, "message": "Logged out successfully"}
    verified = await client.get("/auth/verify", headers=bearer(ann["token"]))
    refreshed = await client.post("/auth/refresh", json={"refresh_token": ann["refresh_token"]})
    assert (verified.status_code, refreshed.status_code) == (401, 401)
    assert (await client.get("/auth/verify", headers=bearer(other["token"]))).status_code == 200


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "No authorization header"),
        ({"Authorization": "Basic YTpi"}, "No authorization header"),
        ({"Authorization": "Bearer nonsense"}, "Invalid token"),
        ({"Authorization": "Bearer " + "x" * 20_000}, "Invalid token"),
    ],
)
async def test_without_a_valid_token_nobody_is_verified(
    client: httpx2.AsyncClient, headers: dict[str, str], detail: str
) -> None:
    answer = await client.get("/auth/verify", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["detail"] == detail


async def test_an_expired_token_is_not_valid(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    clock.advance(301)

    answer = await client.get("/auth/verify", headers=bearer(ann["token"]))

    assert answer.status_code == 401


async def test_a_token_with_a_letter_changed_is_not_valid(
    client: httpx2.AsyncClient, ann: dict[str, Any]
) -> None:
    head, body, signature = ann["token"].split(".")
    changed = "A" if signature[10] != "A" else "B"
    forged = f"{head}.{body}.{signature[:10]}{changed}{signature[11:]}"

    answer = await client.get("/auth/verify", headers=bearer(forged))

    assert answer.status_code == 401


async def test_an_api_key_tells_who_has_it(client: httpx2.AsyncClient, ann: dict[str, Any]) -> None:
    right = await client.get("/auth/verify-api-key", headers={"X-API-Key": ann["user"]["api_key"]})
    wrong = await client.get("/auth/verify-api-key", headers={"X-API-Key": "sk-wrong"})
    none = await client.get("/auth/verify-api-key")

    assert right.json()["user"]["email"] == "ann@example.com"
    assert (wrong.status_code, wrong.json()["detail"]) == (401, "Invalid API key")
    assert (none.status_code, none.json()["detail"]) == (401, "No API key provided")


async def test_a_token_may_be_had_for_a_token_that_has_not_expired(
    client: httpx2.AsyncClient, ann: dict[str, Any], clock: FakeClock
) -> None:
    clock.advance(200)

    answer = await client.post("/auth/refresh", headers=bearer(ann["token"]))

    clock.advance(200)
    token = answer.json()["token"]
    assert (await client.get("/auth/verify", headers=bearer(token))).status_code == 200
    late = await client.post("/auth/refresh", headers=bearer(ann["token"]))
    assert late.status_code == 401


async def test_a_disabled_user_is_out_at_once(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    await parts.users.disable(ann["user"]["id"], disabled=True)

    answers = [
        await client.get("/auth/verify", headers=bearer(ann["token"])),
        await client.post("/auth/refresh", json={"refresh_token": ann["refresh_token"]}),
        await client.get("/auth/verify-api-key", headers={"X-API-Key": ann["user"]["api_key"]}),
        await login(client),
    ]

    assert [each.status_code for each in answers] == [401] * 4


async def test_a_hash_of_other_parameters_is_renewed_at_the_next_login(
    client: httpx2.AsyncClient, ann: dict[str, Any], parts: Parts
) -> None:
    before = await parts.users.by_id(ann["user"]["id"])
    parts.passwords._hasher = type(parts.passwords._hasher)(2, 64, 1)

    assert (await login(client)).status_code == 200

    after = await parts.users.by_id(ann["user"]["id"])
    assert before is not None
    assert after is not None
    assert "t=1" in before.password_hash
    assert "t=2" in after.password_hash
    assert (await login(client)).status_code == 200
