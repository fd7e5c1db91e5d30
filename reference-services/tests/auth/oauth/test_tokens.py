"""Programs get tokens: for a code, for a refresh token, in their own name; ask about them, and take them back."""

from base64 import b64encode
from typing import Any

import httpx2
import jwt
import pytest

from uat_platform.auth.parts import Parts
from uat_resilience.testing import FakeClock

VERIFIER = "v" * 43
REDIRECT = "https://shop.test/back"


def basic(machine: tuple[str, str]) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(":".join(machine).encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_code_gives_tokens_for_what_was_allowed(
    client: httpx2.AsyncClient, signed_in: dict[str, Any], ann: dict[str, Any], visit: Any
) -> None:
    assert signed_in["scope"] == "email openid orders.read"
    identity = jwt.decode(signed_in["id_token"], options={"verify_signature": False})
    assert identity["nonce"] == "a nonce"
    assert identity["aud"] == visit.query["client_id"]
    assert identity["sub"] == ann["user"]["id"]

    answer = await client.get("/userinfo", headers=bearer(signed_in["access_token"]))
    posted = await client.post("/userinfo", headers=bearer(signed_in["access_token"]))

    assert answer.json() == {
        "sub": ann["user"]["id"],
        "email": "ann@example.com",
        "email_verified": False,
    }
    assert posted.json() == answer.json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "guessed"},
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "https://shop.test/other"},
    ],
)
async def test_a_code_is_good_for_who_can_prove_that_it_is_theirs(
    visit: Any, token: Any, wrong: dict[str, str]
) -> None:
    code = (await visit.through())["code"]
    form = {"client_id": visit.query["client_id"], "code": code, "redirect_uri": REDIRECT}

    refused = await token("authorization_code", **{**form, "code_verifier": VERIFIER, **wrong})

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await token("authorization_code", **form, code_verifier=VERIFIER)).status_code == 200


async def test_a_code_is_good_for_a_minute(visit: Any, token: Any, clock: FakeClock) -> None:
    code = (await visit.through())["code"]
    clock.advance(61)

    form = {"client_id": visit.query["client_id"], "code": code, "redirect_uri": REDIRECT}
    answer = await token("authorization_code", **form, code_verifier=VERIFIER)

    assert answer.json()["error"] == "invalid_grant"


async def test_a_code_that_is_used_twice_ends_what_it_has_begun(
    client: httpx2.AsyncClient, visit: Any, token: Any
) -> None:
    code = (await visit.through())["code"]
    form = {"client_id": visit.query["client_id"], "code": code, "redirect_uri": REDIRECT}
    first = await token("authorization_code", **form, code_verifier=VERIFIER)

    second = await token("authorization_code", **form, code_verifier=VERIFIER)

    assert second.json()["error"] == "invalid_grant"
    headers = bearer(first.json()["access_token"])
    assert (await client.get("/userinfo", headers=headers)).status_code == 401


async def test_a_program_goes_on_with_a_refresh_token_and_may_ask_for_less(
    visit: Any, token: Any, signed_in: dict[str, Any], clock: FakeClock
) -> None:
    form = {"client_id": visit.query["client_id"], "refresh_token": signed_in["refresh_token"]}

    less = await token("refresh_token", **form, scope="openid")
    more = await token("refresh_token", **form, scope="openid admin")
    clock.advance(31)
    reused = await token("refresh_token", **form)

    assert less.json()["scope"] == "openid"
    assert more.json()["error"] == "invalid_scope"
    assert reused.json()["error"] == "invalid_grant"


async def test_a_refresh_token_is_good_for_the_program_it_was_given_to(
    client: httpx2.AsyncClient, token: Any, signed_in: dict[str, Any], machine: tuple[str, str]
) -> None:
    ours = await client.post("/auth/refresh", json={"refresh_token": signed_in["refresh_token"]})
    client_id, secret = machine
    other = await token(
        "refresh_token",
        client_id=client_id,
        client_secret=secret,
        refresh_token=signed_in["refresh_token"],
    )

    assert ours.status_code == 401
    assert other.json()["error"] == "unauthorized_client"


async def test_a_program_acts_in_its_own_name(
    client: httpx2.AsyncClient, token: Any, machine: tuple[str, str]
) -> None:
    client_id, secret = machine

    answer = await token("client_credentials", client_id=client_id, client_secret=secret)

    assert answer.json()["scope"] == "orders.read orders.write"
    assert "refresh_token" not in answer.json()
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["sub"] == client_id
    verified = await client.get("/auth/verify", headers=bearer(answer.json()["access_token"]))
    assert verified.status_code == 401


@pytest.mark.parametrize(
    ("form", "headers", "status", "error"),
    [
        ({}, {}, 400, "invalid_request"),
        ({"grant_type": "password"}, {}, 401, "invalid_client"),
        ({"grant_type": "x", "client_id": "nobody"}, {}, 401, "invalid_client"),
        ({"grant_type": "x"}, {"Authorization": "Basic nonsense"}, 401, "invalid_client"),
        ({"grant_type": "x"}, {"Authorization": "Bearer x"}, 401, "invalid_client"),
    ],
)
async def test_who_is_not_known_is_told_so_in_the_words_of_oauth(
    client: httpx2.AsyncClient,
    form: dict[str, str],
    headers: dict[str, str],
    status: int,
    error: str,
) -> None:
    answer = await client.post("/oauth2/token", data=form, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_program_that_proves_itself_in_two_ways_is_refused(
    client: httpx2.AsyncClient, machine: tuple[str, str]
) -> None:
    form = {"grant_type": "client_credentials", "client_secret": machine[1]}

    answer = await client.post("/oauth2/token", data=form, headers=basic(machine))

    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unauthorized_client"),
        ({"grant_type": "client_credentials", "scope": "admin"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "openid"}, "invalid_scope"),
    ],
)
async def test_a_program_gets_what_it_may_have(
    client: httpx2.AsyncClient, machine: tuple[str, str], form: dict[str, str], error: str
) -> None:
    answer = await client.post("/oauth2/token", data=form, headers=basic(machine))

    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_token_is_known_until_it_is_taken_back(
    client: httpx2.AsyncClient, visit: Any, signed_in: dict[str, Any], machine: tuple[str, str]
) -> None:
    async def active(token: str) -> dict[str, Any]:
        answer = await client.post(
            "/oauth2/introspect", data={"token": token}, headers=basic(machine)
        )
        found: dict[str, Any] = answer.json()
        return found

    access, refresh = signed_in["access_token"], signed_in["refresh_token"]
    assert (await active(access))["username"] == "ann"
    assert (await active(refresh))["active"] is True

    form = {"client_id": visit.query["client_id"], "token": access}
    assert (await client.post("/oauth2/revoke", data=form)).status_code == 200
    assert await active(access) == {"active": False}
    assert (await active(refresh))["active"] is True

    form["token"] = refresh
    assert (await client.post("/oauth2/revoke", data=form)).status_code == 200
    assert await active(refresh) == {"active": False}
    assert (await client.post("/oauth2/revoke", data=form)).status_code == 200


async def test_a_program_takes_back_its_own_tokens_only(
    client: httpx2.AsyncClient, signed_in: dict[str, Any], machine: tuple[str, str]
) -> None:
    for token in (signed_in["access_token"], signed_in["refresh_token"]):
        form = {"token": token}
        answer = await client.post("/oauth2/revoke", data=form, headers=basic(machine))
        assert answer.status_code == 200

    headers = bearer(signed_in["access_token"])
    assert (await client.get("/userinfo", headers=headers)).status_code == 200


async def test_a_program_without_a_secret_learns_nothing_of_tokens(
    client: httpx2.AsyncClient, visit: Any, signed_in: dict[str, Any]
) -> None:
    form = {"client_id": visit.query["client_id"], "token": signed_in["access_token"]}

    assert (await client.post("/oauth2/introspect", data=form)).status_code == 401


async def test_an_id_token_is_no_leave_to_do_anything(
    client: httpx2.AsyncClient, signed_in: dict[str, Any]
) -> None:
    answer = await client.get("/userinfo", headers=bearer(signed_in["id_token"]))

    assert answer.status_code == 401


async def test_a_program_gets_no_power_that_its_user_does_not_have(
    client: httpx2.AsyncClient, visit: Any, token: Any, parts: Parts
) -> None:
    async def admitted() -> int:
        code = (await visit.through(scope="openid admin", prompt="login consent"))["code"]
        form = {"client_id": visit.query["client_id"], "code": code, "redirect_uri": REDIRECT}
        answer = await token("authorization_code", **form, code_verifier=VERIFIER)
        headers = bearer(answer.json()["access_token"])
        return (await client.get("/admin/keys", headers=headers)).status_code

    assert await admitted() == 403

    user = await parts.users.by_email("ann@example.com")
    assert user is not None
    await parts.users.give_roles(user.id, ["admin", "user"])
    assert await admitted() == 200

    await parts.users.give_roles(user.id, ["user"])
    assert await admitted() == 403
