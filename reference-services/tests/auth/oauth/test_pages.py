"""People sign in and give leave on plain pages, and go back to where they came from."""

from typing import Any

import pytest

from uat_platform.auth.parts import Parts
from uat_resilience.testing import FakeClock

RIGHT = {"email": "ann@example.com", "password": "correct horse"}
WRONG = {**RIGHT, "password": "wrong"}


async def test_a_person_goes_through_and_back_with_a_code(visit: Any, back: Any) -> None:
    login = await visit.come()
    assert login.status_code == 200
    assert "Sign in to Shop &lt;&amp;&gt;" in login.text

    leave = await visit.sign_in(login)
    assert "see your e-mail address" in leave.text
    assert "orders.read" in leave.text

    told = back(await visit.submit(leave, decision="allow"))
    assert told["state"] == "a state"
    assert told["iss"] == "https://auth.test"
    assert told["code"]


async def test_who_was_asked_once_is_asked_again_only_for_more(visit: Any, back: Any) -> None:
    await visit.through()

    again = back(await visit.come())
    more = await visit.come(scope="openid email orders.read profile")

    assert "code" in again
    assert "see your name" in more.text


async def test_who_says_no_goes_back_without_a_code(visit: Any, back: Any) -> None:
    page = await visit.sign_in(await visit.come())

    assert back(await visit.submit(page, decision="deny"))["error"] == "access_denied"


async def test_a_wrong_password_is_said_on_the_page(visit: Any) -> None:
    page = await visit.submit(await visit.come(), **WRONG)

    assert page.status_code == 400
    assert 'role="alert">The address or the password is wrong.' in page.text
    assert 'value="ann@example.com" aria-describedby="error"' in page.text
    assert (await visit.sign_in(page)).status_code == 200


async def test_one_who_is_locked_out_reads_for_how_long(visit: Any) -> None:
    page = await visit.come()
    for _ in range(5):
        page = await visit.submit(page, **WRONG)

    page = await visit.submit(page, **RIGHT)

    assert page.status_code == 429
    assert page.headers["retry-after"] == "30"
    assert "Try again in 30 s." in page.text


@pytest.mark.parametrize(
    "wrong", [{"client_id": "nobody"}, {"client_id": None}, {"redirect_uri": "https://evil.test/"}]
)
async def test_nobody_is_sent_where_the_program_is_not_known_to_be(
    visit: Any, wrong: dict[str, str | None]
) -> None:
    page = await visit.come(**wrong)

    assert page.status_code == 400
    assert "location" not in page.headers
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"nonce": "n" * 501}, "invalid_request"),
    ],
)
async def test_a_program_is_told_what_it_asked_wrongly(
    visit: Any, back: Any, wrong: dict[str, str | None], error: str
) -> None:
    told = back(await visit.come(**wrong))

    assert (told["error"], told["state"]) == (error, "a state")


async def test_leave_is_not_asked_for_without_a_page(visit: Any, back: Any) -> None:
    await visit.sign_in(await visit.come())

    assert back(await visit.come(prompt="none"))["error"] == "consent_required"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}])
async def test_a_password_is_asked_for_anew_when_the_program_wants_it(
    visit: Any, back: Any, clock: FakeClock, asked: dict[str, str]
) -> None:
    await visit.through()
    clock.advance(61)

    page = await visit.come(**asked)

    assert "Sign in to" in page.text
    # And once it was given, that is it.
    assert "Let Shop" not in (await visit.sign_in(page)).text


async def test_leave_is_asked_for_anew_when_the_program_wants_it(visit: Any) -> None:
    await visit.through()

    assert "wants to" in (await visit.come(prompt="consent")).text


async def test_a_parameter_that_is_there_twice_is_refused(visit: Any, back: Any) -> None:
    query = [*visit.query.items(), ("scope", "admin")]

    answer = await visit.client.get("/oauth2/authorize", params=query)

    assert back(answer)["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://auth.test"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
    ],
)
async def test_forms_of_other_sites_are_not_taken(
    visit: Any, headers: dict[str, str], status: int
) -> None:
    answer = await visit.submit(await visit.come(), headers, **RIGHT)

    assert answer.status_code == status


async def test_pages_are_kept_out_of_frames_and_caches(visit: Any) -> None:
    page = await visit.come()

    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://shop.test;" in policy
    assert page.headers["cache-control"] == "no-store"


async def test_the_session_of_a_browser_is_out_of_reach_of_scripts_and_neighbours(
    visit: Any,
) -> None:
    page = await visit.come()
    answer = await visit.submit(page, **RIGHT)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-uat_session=")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))


async def test_a_program_on_ones_own_machine_listens_where_it_can(visit: Any) -> None:
    page = await visit.sign_in(await visit.come(redirect_uri="http://127.0.0.1:49152/back"))

    answer = await visit.submit(page, decision="allow")

    assert answer.headers["location"].startswith("http://127.0.0.1:49152/back?code=")


async def test_a_trusted_program_needs_no_leave(visit: Any, back: Any, parts: Parts) -> None:
    client, _ = await parts.clients.add(
        name="Ours",
        public=True,
        redirect_uris=["https://shop.test/back"],
        grants=["authorization_code"],
        scope=["openid"],
        trusted=True,
        id_token_algorithm="ES256",  # noqa: S106 - a kind of signature
    )

    answer = await visit.sign_in(await visit.come(client_id=client.id))

    assert "code" in back(answer)
