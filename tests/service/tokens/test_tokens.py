"""Tokens are checked by keys that are fetched once, ahead, and kept while the issuer is away."""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from copy import copy
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from litestar import get
from litestar.params import FromQuery

from uat_resilience.clock import wall_time
from uat_resilience.integrations.serving.problem import problem
from uat_service.app import Service
from uat_service.tokens import InvalidTokenError, IssuerUnavailableError, KeySet, Verifier

FIRST, SECOND = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
THIRD = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURRENT: ContextVar[str] = ContextVar("current", default="none")


def public(kid: str, key: Any) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        told = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**told, "kid": kid, "use": "sig", "alg": "RS256"}
    told = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**told, "kid": kid, "use": "sig", "alg": "ES256"}


def token(key: Any = FIRST, kid: str | None = "1", alg: str = "ES256", **claims: Any) -> str:
    body = {"iss": "auth", "aud": "shop", "sub": "ann", "exp": wall_time() + 3600, **claims}
    headers = {} if kid is None else {"kid": kid}
    kept = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(kept, key, algorithm=alg, headers=headers)


class Issuer:
    """Publishes keys; counts how often it is asked."""

    def __init__(self, *keys: dict[str, Any], takes: float = 0.0) -> None:
        self.keys = list(keys) or [public("1", FIRST)]
        self.takes = takes
        self.asked = 0
        self.away = False
        self.contexts: list[str] = []

    async def fetch(self) -> Mapping[str, Any]:
        self.asked += 1
        self.contexts.append(CURRENT.get())
        await pause(self.takes)
        if self.away:
            raise OSError("away")
        return {"keys": self.keys}


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - virtual time


def verifier(issuer: Issuer, **options: Any) -> Verifier:
    return Verifier(KeySet(issuer.fetch, **options), issuer="auth", audience="shop")


async def test_a_valid_token_tells_who_the_caller_is() -> None:
    issuer = Issuer(public("1", FIRST), public("3", THIRD))
    checking = verifier(issuer)

    assert (await checking.verify(token()))["sub"] == "ann"
    assert (await checking.verify(token(THIRD, "3", "RS256")))["sub"] == "ann"
    assert issuer.asked == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (token(exp=1), "expired"),
        (token(nbf=wall_time() + 3600), "not yet"),
        (token(SECOND), "signature"),
        (token(iss="mallory"), "issuer"),
        (token(aud="other"), "audience"),
        (token(sub=None), "claim"),
        (token(exp=None), "claim"),
        (token(kid=None), "key"),
        (token(kid="9"), "key"),
        (token("s" * 32, alg="HS256"), "algorithm"),
        (token(None, alg="none"), "algorithm"),
        (token(THIRD, "1", "RS256"), "algorithm"),
        ("not.a.token", "malformed"),
        ("", "malformed"),
        ("x" * 20_000, "length"),
        (token(sub=7), "malformed"),
    ],
    # A signature is another one in each process of a run, and all of them must call the tests by the same names.
    ids=[
        "ended",
        "not begun",
        "other key",
        "other issuer",
        "other audience",
        "no subject",
        "no end",
        "no key",
        "unknown key",
        "HS256",
        "none",
        "RS256",
        "no token",
        "nothing",
        "long",
        "number for a subject",
    ],
)
async def test_a_token_that_is_not_valid_is_refused_for_its_reason(wrong: str, reason: str) -> None:
    with pytest.raises(InvalidTokenError) as raised:
        await verifier(Issuer()).verify(wrong)

    assert raised.value.reason == reason


async def test_keys_are_fetched_once_however_many_tokens_wait() -> None:
    issuer = Issuer(takes=1.0)
    checking = verifier(issuer)

    await asyncio.gather(*(checking.verify(token()) for _ in range(50)))

    assert issuer.asked == 1


async def test_a_request_that_is_cancelled_leaves_the_fetch_to_the_others() -> None:
    issuer = Issuer(takes=1.0)
    checking = verifier(issuer)
    first = asyncio.create_task(checking.verify(token()))
    other = asyncio.create_task(checking.verify(token()))
    await pause(0.5)

    first.cancel()

    assert (await other)["sub"] == "ann"


async def test_a_key_that_is_new_is_found() -> None:
    issuer = Issuer()
    checking = verifier(issuer)
    await checking.verify(token())
    issuer.keys.append(public("2", SECOND))
    await pause(11)

    claims = await checking.verify(token(SECOND, "2"))

    assert claims["sub"] == "ann"


async def test_names_of_keys_that_are_made_up_do_not_reach_the_issuer_each_time() -> None:
    issuer = Issuer()
    checking = verifier(issuer, pause=10.0)
    await checking.verify(token())

    for number in range(100):
        with pytest.raises(InvalidTokenError):
            await checking.verify(token(kid=f"made-up-{number}"))
        await pause(0.1)

    assert issuer.asked <= 2


async def test_keys_are_fetched_ahead_and_nobody_waits_for_it() -> None:
    issuer, loop = Issuer(), asyncio.get_running_loop()
    checking = verifier(issuer, fresh=300.0)
    await checking.verify(token())
    issuer.takes = 5.0
    await pause(301)

    began = loop.time()
    await checking.verify(token(exp=wall_time() + 1e6))

    assert loop.time() == began
    await pause(1)
    assert issuer.asked == 2


async def test_tokens_are_checked_while_the_issuer_is_away() -> None:
    issuer = Issuer()
    checking = verifier(issuer, stale=86_400.0)
    await checking.verify(token())
    issuer.away = True

    await pause(80_000)

    assert (await checking.verify(token()))["sub"] == "ann"


async def test_keys_do_not_last_for_ever() -> None:
    issuer = Issuer()
    checking = verifier(issuer, stale=3600.0)
    await checking.verify(token())
    issuer.away = True
    await pause(3601)

    with pytest.raises(IssuerUnavailableError):
        await checking.verify(token())


async def test_without_keys_nobody_is_called_unknown() -> None:
    issuer = Issuer()
    issuer.away = True

    with pytest.raises(IssuerUnavailableError) as raised:
        await verifier(issuer).verify(token())

    answer = problem(raised.value)
    assert answer is not None
    assert answer.status == 503
    assert "no keys" in str(raised.value)


async def test_an_issuer_that_is_away_is_not_asked_by_each_request() -> None:
    issuer = Issuer()
    issuer.away = True
    checking = verifier(issuer, pause=10.0)

    for _ in range(100):
        with pytest.raises(IssuerUnavailableError):
            await checking.verify(token())

    assert issuer.asked == 1


async def test_a_fetch_is_no_part_of_the_request_that_needed_it() -> None:
    issuer = Issuer()
    CURRENT.set("a request")

    await verifier(issuer).verify(token())

    assert issuer.contexts == ["none"]


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}],
        [{"kty": "odd", "kid": "1"}],
        [{**public("1", FIRST), "use": "enc"}],
    ],
)
async def test_a_key_set_without_a_key_of_use_is_none(keys: list[dict[str, Any]]) -> None:
    issuer = Issuer()
    issuer.keys = keys

    with pytest.raises(IssuerUnavailableError):
        await KeySet(issuer.fetch).load()


async def test_keys_are_there_before_the_first_token_when_asked_for() -> None:
    issuer = Issuer()
    keys = KeySet(issuer.fetch)

    await keys.load()
    await keys.load()

    assert (keys.ready, issuer.asked) == (True, 1)


async def test_the_end_does_not_wait_for_a_fetch() -> None:
    keys = KeySet(Issuer(takes=1e6).fetch)
    loading = asyncio.create_task(keys.load())
    await pause(1)

    await keys.close()

    with pytest.raises(IssuerUnavailableError):
        await loading


@pytest.mark.parametrize("algorithms", [["HS256"], ["none"], [], "ES256"])
def test_signatures_with_a_shared_secret_are_not_taken(algorithms: Any) -> None:
    with pytest.raises(ValueError, match="algorithms must be some of"):
        Verifier(KeySet(Issuer().fetch), issuer="a", audience="b", algorithms=algorithms)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"keys": "keys"}, "keys must be a KeySet"),
        ({"required": "exp"}, "required must be a collection of claims, not the string 'exp'"),
    ],
)
def test_a_verifier_checks_what_it_is_given(arguments: dict[str, Any], says: str) -> None:
    given = {"keys": KeySet(Issuer().fetch), "issuer": "a", "audience": "b", **arguments}

    with pytest.raises(TypeError, match=says):
        Verifier(**given)


def test_keys_have_to_be_fetched_by_a_function() -> None:
    url: Any = "http://issuer/keys"

    with pytest.raises(TypeError, match="fetch must be an async function"):
        KeySet(url)


def test_an_invalid_token_survives_copying() -> None:
    assert copy(InvalidTokenError("expired")).reason == "expired"


@get("/orders")
async def orders(reason: FromQuery[str]) -> None:
    if reason == "away":
        raise IssuerUnavailableError("auth", retry_after=3.0)
    raise InvalidTokenError(reason)


async def test_a_service_answers_an_invalid_token_with_401_and_an_absent_issuer_with_503() -> None:
    transport = httpx2.ASGITransport(Service("orders", routes=[orders]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://orders") as client:
        invalid = await client.get("/orders", params={"reason": "expired"})
        away = await client.get("/orders", params={"reason": "away"})

    assert (invalid.status_code, away.status_code) == (401, 503)
    assert invalid.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "expired" not in invalid.text
    assert invalid.json()["detail"] == "the token is not valid"
    assert away.headers["retry-after"] == "3"
