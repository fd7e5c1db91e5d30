"""People see where they are signed in, end that, and change what they know; administrators look after the rest."""

from typing import Any

import httpx2
import pytest

from uat_platform.auth.parts import Parts
from uat_resilience.testing import FakeClock

RIGHT = {"email": "ann@example.com", "password": "correct horse"}


def bearer(told: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {told['token']}"}


@pytest.fixture
async def other(client: httpx2.AsyncClient, ann: dict[str, Any]) -> dict[str, Any]:
    """What Ann was answered when she logged in somewhere else."""
    answer = await client.post("/auth/login", json=RIGHT, headers={"User-Agent": "a telephone"})
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture
async def root(client: httpx2.AsyncClient, parts: Parts) -> dict[str, str]:
    """Headers of an administrator."""
    told = {"email": "root@example.com", "password": "correct horse"}
    await parts.accounts.register(**told, username="root", roles=("admin", "user"))
    return bearer((await client.post("/auth/login", json=told)).json())


async def test_people_see_where_they_are_signed_in_and_end_it(
    client: httpx2.AsyncClient, ann: dict[str, Any], other: dict[str, Any]
) -> None:
    sessions = (await client.get("/sessions", headers=bearer(ann))).json()["sessions"]
    here, there = sorted(sessions, key=lambda each: not each["current"])
    assert (here["current"], there["current"]) == (True, False)
    assert there["agent"] == "a telephone"

    ended = await client.delete(f"/sessions/{there['id']}", headers=bearer(ann))
    again = await client.delete(f"/sessions/{there['id']}", headers=bearer(ann))

    assert (ended.status_code, again.status_code) == (204, 404)
    assert (await client.get("/auth/verify", headers=bearer(other))).status_code == 401
    assert (await client.get("/auth/verify", headers=bearer(ann))).status_code == 200


async def test_people_end_only_what_is_theirs(
    client: httpx2.AsyncClient, ann: dict[str, Any], root: dict[str, str]
) -> None:
    (session,) = (await client.get("/sessions", headers=bearer(ann))).json()["sessions"]

    answer = await client.delete(f"/sessions/{session['id']}", headers=root)

    assert answer.status_code == 404
    assert (await client.get("/auth/verify", headers=bearer(ann))).status_code == 200


async def test_all_sessions_but_this_one_are_ended(
    client: httpx2.AsyncClient, ann: dict[str, Any], other: dict[str, Any]
) -> None:
    assert (await client.delete("/sessions", headers=bearer(other))).json() == {"ended": 1}

    assert (await client.get("/auth/verify", headers=bearer(ann))).status_code == 401
    assert (await client.get("/auth/verify", headers=bearer(other))).status_code == 200


async def test_another_password_ends_all_other_sessions(
    client: httpx2.AsyncClient, ann: dict[str, Any], other: dict[str, Any]
) -> None:
    change = {"old": "correct horse", "new": "battery staple"}

    wrong = await client.post(
        "/auth/password", json={**change, "old": "wrong"}, headers=bearer(other)
    )
    right = await client.post("/auth/password", json=change, headers=bearer(other))

    assert (wrong.status_code, right.status_code) == (401, 200)
    assert (await client.get("/auth/verify", headers=bearer(ann))).status_code == 401
    assert (await client.get("/auth/verify", headers=bearer(other))).status_code == 200
    assert (await client.post("/auth/login", json=RIGHT)).status_code == 401
    fresh = {**RIGHT, "password": "battery staple"}
    assert (await client.post("/auth/login", json=fresh)).status_code == 200


async def test_another_key_takes_the_place_of_the_first(
    client: httpx2.AsyncClient, ann: dict[str, Any]
) -> None:
    fresh = (await client.post("/auth/api-key", headers=bearer(ann))).json()["api_key"]

    old = {"X-API-Key": ann["user"]["api_key"]}
    assert (await client.get("/auth/verify-api-key", headers=old)).status_code == 401
    found = await client.get("/auth/verify-api-key", headers={"X-API-Key": fresh})
    assert found.status_code == 200


async def test_administrators_rotate_keys(
    client: httpx2.AsyncClient, root: dict[str, str], clock: FakeClock
) -> None:
    early = await client.post("/admin/keys/rotate", json={}, headers=root)
    bare = await client.post("/admin/keys/rotate", headers=root)
    clock.advance(250)
    forced = await client.post(
        "/admin/keys/rotate", json={"algorithm": "RS256", "force": True}, headers=root
    )

    assert early.status_code == bare.status_code == 409
    assert early.headers["retry-after"] == "900"
    assert forced.json()["state"] == "current"
    keys = (await client.get("/admin/keys", headers=root)).json()
    assert sorted(each["state"] for each in keys) == ["current", "current", "next", "next"]


async def test_administrators_give_roles_and_keep_people_out(
    client: httpx2.AsyncClient, ann: dict[str, Any], root: dict[str, str]
) -> None:
    path = f"/admin/users/{ann['user']['id']}"

    await client.patch(path, json={"roles": ["user", "orders:clerk"]}, headers=root)
    verified = await client.get("/auth/verify", headers=bearer(ann))
    await client.patch(path, json={"disabled": True}, headers=root)
    out = await client.get("/auth/verify", headers=bearer(ann))
    await client.patch(path, json={"disabled": False}, headers=root)

    assert verified.json()["user"]["roles"] == ["orders:clerk", "user"]
    assert out.status_code == 401
    assert (await client.post("/auth/login", json=RIGHT)).status_code == 200
    listed = (await client.get("/admin/users", headers=root)).json()
    assert [each["email"] for each in listed] == ["ann@example.com", "root@example.com"]
    after = await client.get("/admin/users", params={"after": "ann@example.com"}, headers=root)
    assert len(after.json()) == 1
    nobody = await client.patch("/admin/users/nobody", json={"disabled": True}, headers=root)
    assert nobody.status_code == 404


async def test_administrators_let_programs_in_and_out(
    client: httpx2.AsyncClient, root: dict[str, str]
) -> None:
    told = {"client_name": "Job", "grant_types": ["client_credentials"], "scope": "orders.read"}
    made = (await client.post("/admin/clients", json=told, headers=root)).json()
    path = f"/admin/clients/{made['client_id']}"

    async def status(secret: str) -> int:
        form = {
            "grant_type": "client_credentials",
            "client_id": made["client_id"],
            "client_secret": secret,
        }
        return (await client.post("/oauth2/token", data=form)).status_code

    assert await status(made["client_secret"]) == 200
    fresh = (await client.post(f"{path}/secret", headers=root)).json()["client_secret"]
    assert (await status(made["client_secret"]), await status(fresh)) == (401, 200)

    listed = (await client.get("/admin/clients", headers=root)).json()
    assert [each["client_name"] for each in listed] == ["Job"]
    assert "client_secret" not in listed[0]

    assert (await client.delete(path, headers=root)).status_code == 204
    assert (await client.delete(path, headers=root)).status_code == 404
    assert (await client.post(f"{path}/secret", headers=root)).status_code == 404
    assert await status(fresh) == 401


async def test_a_program_without_a_secret_gets_none(
    client: httpx2.AsyncClient, root: dict[str, str]
) -> None:
    told = {"client_name": "Page", "grant_types": ["authorization_code"], "scope": "openid"}
    public = {**told, "token_endpoint_auth_method": "none"}
    made = (await client.post("/admin/clients", json=public, headers=root)).json()

    answer = await client.post(f"/admin/clients/{made['client_id']}/secret", headers=root)

    assert "client_secret" not in made
    assert answer.status_code == 409
