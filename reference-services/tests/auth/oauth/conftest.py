"""Programs that were let in, and Ann's way through the pages."""

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from uat_platform.auth.parts import Parts

VERIFIER = "v" * 43
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
ANN = {"email": "ann@example.com", "password": "correct horse"}
REDIRECT = "https://shop.test/back"

Token = Callable[..., Awaitable[httpx2.Response]]


@pytest.fixture
async def app(parts: Parts) -> str:
    """The id of a program without a secret, such as one in a browser."""
    client, _ = await parts.clients.add(
        name="Shop <&>",
        public=True,
        redirect_uris=[REDIRECT, "http://127.0.0.1/back"],
        grants=["authorization_code", "refresh_token"],
        scope=["openid", "profile", "email", "offline_access", "orders.read", "admin"],
        trusted=False,
        id_token_algorithm="ES256",  # noqa: S106 - a kind of signature
    )
    return client.id


@pytest.fixture
async def machine(parts: Parts) -> tuple[str, str]:
    """Id and secret of a program that acts for itself."""
    client, secret = await parts.clients.add(
        name="Night job",
        public=False,
        redirect_uris=[],
        grants=["client_credentials"],
        scope=["openid", "orders.read", "orders.write"],
        trusted=True,
        id_token_algorithm="RS256",  # noqa: S106 - a kind of signature
    )
    assert secret is not None
    return client.id, secret


@pytest.fixture
def token(client: httpx2.AsyncClient) -> Token:
    """Asks for a token."""

    async def token(grant: str, **form: str) -> httpx2.Response:
        return await client.post("/oauth2/token", data={"grant_type": grant, **form})

    return token


class Visit:
    """A person with a browser, who was sent here by a program."""

    def __init__(self, client: httpx2.AsyncClient, client_id: str) -> None:
        self.client = client
        self.query: dict[str, str] = {
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid email orders.read",
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }

    async def come(self, **other: str | None) -> httpx2.Response:
        """Open the page that a program sends people to; None leaves a parameter out."""
        given = {**self.query, **other}
        query = {name: value for name, value in given.items() if value is not None}
        return await self.client.get("/oauth2/authorize", params=query)

    async def submit(
        self, page: httpx2.Response, headers: dict[str, str] | None = None, **fields: str
    ) -> httpx2.Response:
        """Fill in the form of a page and send it."""
        found = re.search(
            r'action="(login|consent)".*?name="request" value="([^"]*)"', page.text, re.DOTALL
        )
        assert found is not None, page.text
        form = {"request": unescape(found[2]), **fields}
        return await self.client.post(f"/oauth2/{found[1]}", data=form, headers=headers)

    async def sign_in(self, page: httpx2.Response) -> httpx2.Response:
        """Sign in as Ann, and follow where that leads."""
        answer = await self.submit(page, **ANN)
        assert answer.status_code == 303, answer.text
        return await self.client.get(f"/oauth2/{answer.headers['location']}")

    async def through(self, **other: str | None) -> dict[str, str]:
        """Go all the way; return what the program is told."""
        page = await self.sign_in(await self.come(**other))
        return told(await self.submit(page, decision="allow"))


def told(answer: httpx2.Response) -> dict[str, str]:
    """Return what a program is told when a person comes back."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.startswith(REDIRECT + "?"), location
    return dict(parse_qsl(urlsplit(location).query))


@pytest.fixture
def back() -> Callable[[httpx2.Response], dict[str, str]]:
    """Reads what a program is told when a person comes back."""
    return told


@pytest.fixture
def visit(client: httpx2.AsyncClient, app: str, ann: dict[str, Any]) -> Visit:
    """Ann, on her way."""
    return Visit(client, app)


@pytest.fixture
async def signed_in(visit: Visit, token: Token) -> dict[str, Any]:
    """The tokens of a program that Ann let in."""
    code = (await visit.through())["code"]
    form = {"client_id": visit.query["client_id"], "code": code, "redirect_uri": REDIRECT}
    answer = await token("authorization_code", **form, code_verifier=VERIFIER)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens
