"""What a client asks for when it sends somebody here (RFC 6749, 4.1.1, with PKCE, RFC 7636).

Who is wrong decides where it is said. As long as it is not sure that the client is known and that answers may be
sent to its address, nobody is sent anywhere: the person is told, here. After that the client is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from uat_platform.auth.oauth.clients import Client, Clients
from uat_platform.auth.oauth.scopes import words

__all__ = ["AuthorizationRequest", "RefusedError", "UnanswerableError", "read_request"]

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_LONGEST_NONCE = 500


class UnanswerableError(Exception):
    """Nobody can be told but the person who was sent here. The message is for them."""


class RefusedError(Exception):
    """The client is to be told.

    Attributes:
        location: Where the person is sent for that.
    """

    def __init__(self, location: str) -> None:
        super().__init__("the client is told why")
        self.location = location


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that makes sense.

    Attributes:
        client: Who asks.
        redirect_uri: Where the answer goes.
        scope: What is asked for, and may be.
        challenge: Of PKCE.
        state: Goes back as it came.
        nonce: Goes into the ID token as it came.
        prompts: `none`, `login`, `consent`.
        max_age: Seconds since the password was given, at most, or None.
        issuer: Who answers.
    """

    client: Client
    redirect_uri: str
    scope: frozenset[str]
    challenge: str
    state: str
    nonce: str
    prompts: frozenset[str]
    max_age: int | None
    issuer: str

    def answer(self, **told: str) -> str:
        """Return where to send the person with an answer."""
        return _location(self.redirect_uri, self.state, self.issuer, told)

    def refusal(self, error: str, description: str) -> RefusedError:
        """Return the exception that tells the client no."""
        return RefusedError(self.answer(error=error, error_description=description))


async def read_request(
    query: Iterable[tuple[str, str]], clients: Clients, *, issuer: str
) -> AuthorizationRequest:
    """Return what is asked for.

    Raises:
        UnanswerableError: It cannot be said to anybody but the person.
        RefusedError: The client has asked for what it cannot have.
    """
    pairs = list(query)
    given = dict(pairs)
    client = await clients.get(given.get("client_id", ""))
    if client is None:
        raise UnanswerableError("The program that sent you here is not known.")
    redirect_uri = given.get("redirect_uri", "")
    if not client.redirects_to(redirect_uri):
        raise UnanswerableError(
            "The program that sent you here gave an address that is not its own."
        )
    state = given.get("state", "")

    for wrong, error, description in _rules(given, client, twice=len(given) != len(pairs)):
        if wrong:
            told = {"error": error, "error_description": description}
            raise RefusedError(_location(redirect_uri, state, issuer, told))
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        scope=words(given["scope"]) & client.scope,
        challenge=given["code_challenge"],
        state=state,
        nonce=given.get("nonce", ""),
        prompts=words(given.get("prompt", "")),
        max_age=int(given["max_age"]) if "max_age" in given else None,
        issuer=issuer,
    )


def _rules(given: Mapping[str, str], client: Client, *, twice: bool) -> list[tuple[bool, str, str]]:
    """Return what may be wrong, and how it is told."""
    prompts = words(given.get("prompt", ""))
    challenge, method = given.get("code_challenge", ""), given.get("code_challenge_method")
    return [
        (twice, "invalid_request", "a parameter is there twice"),
        (
            not given.keys().isdisjoint({"request", "request_uri"}),
            "request_not_supported",
            "write the parameters into the query",
        ),
        (
            given.get("response_type") != "code",
            "unsupported_response_type",
            "response_type must be code",
        ),
        (
            "authorization_code" not in client.grants,
            "unauthorized_client",
            "the client does not use codes",
        ),
        (
            given.get("response_mode", "query") != "query",
            "invalid_request",
            "response_mode must be query",
        ),
        (
            client.scope.isdisjoint(words(given.get("scope", ""))),
            "invalid_scope",
            "nothing in scope that the client may have",
        ),
        (
            method != "S256" or not _CHALLENGE.fullmatch(challenge),
            "invalid_request",
            "PKCE with code_challenge_method S256 is required",
        ),
        (
            len(given.get("nonce", "")) > _LONGEST_NONCE,
            "invalid_request",
            f"nonce must have at most {_LONGEST_NONCE} letters",
        ),
        (
            bool(prompts - _PROMPTS) or ("none" in prompts and len(prompts) > 1),
            "invalid_request",
            "prompt must be none, or some of login and consent",
        ),
        (
            not _SECONDS.fullmatch(given.get("max_age", "0")),
            "invalid_request",
            "max_age must be a number of seconds",
        ),
    ]


def _location(redirect_uri: str, state: str, issuer: str, told: dict[str, str]) -> str:
    # `iss` tells a client of several issuers who has answered (RFC 9207).
    more = urlencode({**told, **({"state": state} if state else {}), "iss": issuer})
    parts = urlsplit(redirect_uri)
    return parts._replace(query=f"{parts.query}&{more}" if parts.query else more).geturl()
