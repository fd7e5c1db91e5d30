"""Clients that others wrote work with the real process, and find nothing wrong."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
import jwt
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry, decode
from tests.service.framework.running import Running

REDIRECT = "http://127.0.0.1:49152/back"
ANN = {"email": "ann@example.com", "password": "correct horse"}
AUDIENCE = "uat-platform"

Program = Callable[..., dict[str, Any]]
Judge = Callable[..., None]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_openid_client(running: Running, program: Program, judge: Judge, algorithm: str) -> None:
    client = program(id_token_signed_response_alg=algorithm)

    judge("visit.mjs")
    judge(
        "openid-client.mjs",
        f"http://{running.address}",
        client["client_id"],
        client["client_secret"],
        REDIRECT,
        *ANN.values(),
    )


def test_oauth4webapi_and_jose(running: Running, program: Program, judge: Judge) -> None:
    public = {"token_endpoint_auth_method": "none"}
    client = program(grant_types=["authorization_code", "refresh_token"], **public)

    judge("visit.mjs")
    judge(
        "oauth4webapi.mjs",
        f"http://{running.address}",
        client["client_id"],
        REDIRECT,
        *ANN.values(),
        AUDIENCE,
    )


def test_authlib(running: Running, program: Program) -> None:
    client = program(client_name="authlib")
    issuer = f"http://{running.address}"
    with OAuth2Client(
        client["client_id"],
        client["client_secret"],
        scope="openid email",
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
    ) as session:
        verifier = "v" * 64
        url, state = session.create_authorization_url(
            f"{issuer}/oauth2/authorize", code_verifier=verifier, nonce="a nonce"
        )
        back = through_the_pages(url)

        tokens = session.fetch_token(
            f"{issuer}/oauth2/token",
            authorization_response=back,
            state=state,
            code_verifier=verifier,
        )
        session.token = tokens
        user = session.get(f"{issuer}/userinfo").json()
        again = session.refresh_token(f"{issuer}/oauth2/token")

    assert user["email"] == ANN["email"]
    assert again["refresh_token"] != tokens["refresh_token"]
    keys = KeySet.import_key_set(httpx.get(f"{issuer}/.well-known/jwks.json").json())
    claims = decode(tokens["id_token"], keys, algorithms=["ES256"]).claims
    rules = {"iss": issuer, "aud": client["client_id"], "nonce": "a nonce", "sub": user["sub"]}
    JWTClaimsRegistry(
        **{name: {"essential": True, "value": value} for name, value in rules.items()}
    ).validate(claims)


def test_pyjwkclient(running: Running, program: Program, asked: httpx.Client) -> None:
    client = program(grant_types=["client_credentials"], scope="orders.read")
    form = {"grant_type": "client_credentials"}
    secret = (client["client_id"], client["client_secret"])
    token = asked.post("/oauth2/token", data=form, auth=secret).json()["access_token"]
    issuer = f"http://{running.address}"

    key = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=issuer)

    assert claims["sub"] == client["client_id"]
    assert claims["scope"] == "orders.read"


def through_the_pages(url: str) -> str:
    """Sign in and give leave; return where that leads."""
    with httpx.Client() as browser:
        answer = browser.get(url)
        for fields in (ANN, {"decision": "allow"}):
            found = re.search(
                r'action="(\w+)".*?name="request" value="([^"]*)"', answer.text, re.DOTALL
            )
            assert found is not None, answer.text
            form = {"request": unescape(found[2]), **fields}
            answer = browser.post(httpx.URL(url).join(found[1]), data=form)
            target = answer.request.url.join(answer.headers["location"])
            if not str(target).startswith(REDIRECT):
                answer = browser.get(target)
        return str(target)
