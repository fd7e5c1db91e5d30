"""Who a caller is, is shown by a token or a key, and told to services in a way that nobody can forge."""

import asyncio
from typing import Any

import jwt
import pytest
from gateway.stand_ins import ISSUER

from uat_resilience.clock import wall_time
from uat_service.tokens import KeySet, Verifier


def headers_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["headers"])


def identity(gateway: Any, signed: str) -> dict[str, Any]:
    """Read an identity as a service does that has nothing but the gateway's address."""

    async def fetch() -> dict[str, Any]:
        keys: dict[str, Any] = gateway.get("/.well-known/gateway-jwks.json").json()
        return keys

    verifier = Verifier(KeySet(fetch), issuer="api-gateway", audience="uat-internal")
    return dict(asyncio.run(verifier.verify(signed)))


def test_a_caller_with_a_token_is_told_to_the_service(platform: Any) -> None:
    told = headers_of(platform.gateway.get("/closed", user="ann"))
    claims = identity(platform.gateway, told["x-internal-identity"])

    assert told["x-user-id"] == "ann"
    assert (claims["sub"], claims["scope"], claims["kind"]) == ("ann", "read write", "token")
    assert claims["exp"] - wall_time() <= 61


def test_a_caller_with_an_api_key_is_told_too_and_asked_for_once(platform: Any) -> None:
    before = platform.auth.seen.count("/auth/verify-api-key")
    for _ in range(3):
        told = headers_of(platform.gateway.get("/closed", **{"X-API-Key": "sk-bob"}))

    assert told["x-user-id"] == "bob"
    assert identity(platform.gateway, told["x-internal-identity"])["kind"] == "api-key"
    assert platform.auth.seen.count("/auth/verify-api-key") == before + 1


@pytest.mark.parametrize("path", ["/open", "/perhaps", "/closed"])
@pytest.mark.parametrize(
    "name",
    ["X-User-ID", "x_user_id", "X-Internal-Identity", "X-Authenticated-User", "X-User-Roles"],
)
def test_nobody_can_say_who_they_are_by_themselves(platform: Any, path: str, name: str) -> None:
    user = "ann" if path == "/closed" else None
    told = headers_of(platform.gateway.get(path, user=user, **{name: "root"}))

    assert "root" not in told.values()


def test_an_id_with_any_letters_gets_through_as_one_header(platform: Any) -> None:
    told = headers_of(platform.gateway.get("/closed", user="änn\r\nx-admin: 1"))

    assert told["x-user-id"] == "%C3%A4nn%0D%0Ax-admin:%201"
    assert "x-admin" not in told


@pytest.mark.parametrize(
    ("shown", "challenge"),
    [
        ({}, "Bearer"),
        ({"Authorization": "Bearer nonsense"}, 'Bearer error="invalid_token"'),
        ({"Authorization": "Basic YTpi"}, 'Bearer error="invalid_token"'),
        ({"X-API-Key": "sk-nobody"}, 'Bearer error="invalid_token"'),
        ({"X-API-Key": "sk-ann", "Authorization": "Bearer x"}, 'Bearer error="invalid_token"'),
        ({"X-User-ID": "ann"}, "Bearer"),
    ],
)
def test_who_does_not_show_it_is_not_let_in(
    platform: Any, shown: dict[str, str], challenge: str
) -> None:
    before = len(platform.echo.seen)
    answer = platform.gateway.get("/closed", **shown)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, challenge)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "API key" in answer.json()["detail"]
    assert "RateLimit" in answer.headers
    assert len(platform.echo.seen) == before


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1}, {"aud": "somebody else"}, {"iss": "https://evil.example"}, {"sub": ""}],
)
def test_a_token_that_is_not_for_us_is_not_taken(platform: Any, claims: dict[str, Any]) -> None:
    shown = platform.gateway.tokens("ann", **claims)

    answer = platform.gateway.get("/perhaps", Authorization=f"Bearer {shown}")

    assert answer.status_code == 401


def test_a_token_that_anybody_could_have_made_is_not_taken(platform: Any) -> None:
    claims = {"iss": ISSUER, "aud": "uat-platform", "sub": "ann", "exp": 9e9}
    forged = jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": "1"})

    answer = platform.gateway.get("/closed", Authorization=f"Bearer {forged}")

    assert answer.status_code == 401


def test_a_token_has_to_be_good_for_all_that_a_route_asks(platform: Any) -> None:
    refused = platform.gateway.get("/writers", user="ann")
    let_in = platform.gateway.get("/readers", user="ann")

    assert refused.status_code == 403
    assert (
        refused.headers["WWW-Authenticate"]
        == 'Bearer error="insufficient_scope", scope="write publish"'
    )
    assert let_in.status_code == 200


def test_an_api_key_that_is_good_for_too_little_hears_that_a_token_is_needed(platform: Any) -> None:
    refused = platform.gateway.get("/writers", **{"X-API-Key": "sk-ann"})

    assert refused.status_code == 403
    assert refused.json()["detail"] == (
        "An API key is not enough here: show a token that is good for: write publish."
    )


def test_a_token_is_good_for_as_long_as_clocks_may_differ(platform: Any) -> None:
    for _ in range(20):
        expires = (
            int(wall_time()) - 29
        )  # Whole seconds, as it is read: 30 s that clocks may differ are not over.
        shown = platform.gateway.tokens("ann", exp=expires)
        first = platform.gateway.get("/closed", Authorization=f"Bearer {shown}")
        if wall_time() < expires + 30.0:
            break  # Else they may have been over on its way.

    later = platform.gateway.tokens("ann", exp=wall_time() - 31.0)
    second = platform.gateway.get("/closed", Authorization=f"Bearer {later}")

    assert (first.status_code, second.status_code) == (200, 401)


def test_without_the_authentication_service_nobody_is_called_unknown(start: Any) -> None:
    routes = """
        [upstreams.echo]
        urls = ["http://127.0.0.1:1"]
        [[routes]]
        name = "closed"
        path = "/closed"
        upstream = "echo"
    """
    with start(routes) as gateway:
        by_token = gateway.get("/closed", user="ann")
        by_key = gateway.get("/closed", **{"X-API-Key": "sk-ann"})

    assert [by_token.status_code, by_key.status_code] == [503, 503]
    assert "Retry-After" in by_token.headers
