"""What clients do without anybody watching: get tokens, ask about them, and take them back.

Errors are in the words of OAuth (RFC 6749, 5.2), which clients know; that the service is full or its database away
is told as everywhere else, with 503 and `Retry-After`.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.openapi import ResponseSpec
from litestar.params import URLEncodedBody

from uat_platform.auth.oauth.client_authentication import client_of
from uat_platform.auth.oauth.clients import Client
from uat_platform.auth.oauth.codes import ShownCode
from uat_platform.auth.oauth.errors import OAuthError, invalid_client
from uat_platform.auth.oauth.grants import Issued
from uat_platform.auth.parts import Parts
from uat_platform.auth.routes.caching import NO_STORE
from uat_platform.auth.routes.signed_in import origin
from uat_service.problems import problem_responses
from uat_service.tokens import InvalidTokenError

__all__ = ["routes"]

Request_ = Request[Any, Any, Any]
Text = Annotated[str, msgspec.Meta(max_length=4096)]
Token = Annotated[str, msgspec.Meta(max_length=16_384)]


class TokenForm(msgspec.Struct):
    """What a client sends for a token."""

    grant_type: Text
    client_id: Text = ""
    client_secret: Text = ""
    code: Text = ""
    redirect_uri: Text = ""
    code_verifier: Text = ""
    refresh_token: Text = ""
    scope: Text = ""


class TokenQuestion(msgspec.Struct):
    """A token, and who sends it."""

    token: Token
    token_type_hint: Text = ""
    client_id: Text = ""
    client_secret: Text = ""


class TokenAnswer(msgspec.Struct):
    """Tokens, as RFC 6749 has them."""

    access_token: str
    expires_in: int
    scope: str
    token_type: str
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET
    id_token: str | msgspec.UnsetType = msgspec.UNSET


class Introspected(msgspec.Struct, omit_defaults=True):
    """What is to be known of a token, as RFC 7662 has it. Of one that is not good, nothing else."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    username: str | None = None
    token_type: str | None = None
    exp: int | None = None
    sub: str | None = None
    sid: str | None = None
    iss: str | None = None
    aud: str | None = None
    roles: list[str] | None = None


class Refused(msgspec.Struct):
    """What went wrong, as RFC 6749 has it."""

    error: str
    error_description: str


def in_their_words(_: Request_, error: OAuthError) -> Response[Refused]:
    """Answer an error of OAuth."""
    return Response(
        Refused(error.error, error.description),
        status_code=error.status,
        headers={**error.headers, "Cache-Control": "no-store"},
    )


def malformed(request: Request_, _: ValidationException) -> Response[Refused]:
    """Answer a form that lacks something, or has it twice."""
    return in_their_words(request, OAuthError("invalid_request", "a field is missing, or too much"))


_HANDLERS: Any = {OAuthError: in_their_words, ValidationException: malformed}
_ANSWERS = {
    **problem_responses(429),
    **{
        status: ResponseSpec(Refused, generate_examples=False, description=words)
        for status, words in ((400, "The request is refused"), (401, "The client is not known"))
    },
}
_CLIENTS = [{"client": list[str]()}, {}]


@post(
    "/oauth2/token",
    status_code=200,
    security=_CLIENTS,
    cache_control=NO_STORE,
    exception_handlers=_HANDLERS,
    responses=_ANSWERS,
)
async def token(
    request: Request_, data: URLEncodedBody[TokenForm], parts: NamedDependency[Parts]
) -> TokenAnswer:
    """Give a client tokens: for a code, for a refresh token, or in its own name."""
    client = await _client(request, parts, data.client_id, data.client_secret)
    issued = await _issued(request, data, parts, client)
    return TokenAnswer(
        access_token=issued.access_token,
        expires_in=int(parts.access.lifetime),
        scope=" ".join(sorted(issued.scope)),
        token_type="Bearer",  # noqa: S106 - a kind of token
        refresh_token=issued.refresh_token or msgspec.UNSET,
        id_token=issued.id_token or msgspec.UNSET,
    )


@post(
    "/oauth2/introspect",
    status_code=200,
    security=_CLIENTS,
    cache_control=NO_STORE,
    exception_handlers=_HANDLERS,
    responses=_ANSWERS,
)
async def introspect(
    request: Request_, data: URLEncodedBody[TokenQuestion], parts: NamedDependency[Parts]
) -> Introspected:
    """Tell a client with a secret what is to be known of a token (RFC 7662)."""
    client = await _client(request, parts, data.client_id, data.client_secret)
    if client.public:
        raise invalid_client()
    return await _of_access(parts, data.token) or await _of_refresh(parts, data.token)


@post(
    "/oauth2/revoke",
    status_code=200,
    security=_CLIENTS,
    exception_handlers=_HANDLERS,
    responses=_ANSWERS,
)
async def revoke(
    request: Request_, data: URLEncodedBody[TokenQuestion], parts: NamedDependency[Parts]
) -> None:
    """Take a token of the client back; a refresh token with its session (RFC 7009)."""
    client = await _client(request, parts, data.client_id, data.client_secret)
    # One that is not good any more is no error: it is what the client wanted.
    held = await parts.refresh.look(data.token)
    if held is not None:
        if held.session.client_id == client.id:
            await parts.sessions.end(held.session.id, because="revoked by the client")
        return
    try:
        caller = await parts.callers.of(data.token)
    except InvalidTokenError:
        return
    if caller.client_id == client.id:
        await parts.revoked.add(caller.jti, expires_at=caller.expires_at)


routes = [token, introspect, revoke]


async def _client(request: Request_, parts: Parts, client_id: str, client_secret: str) -> Client:
    try:
        return await client_of(
            parts.clients,
            authorization=request.headers.get("authorization", ""),
            client_id=client_id,
            client_secret=client_secret,
        )
    except OAuthError:
        # Only who is wrong is counted: clients ask often, and from one address.
        await parts.limits.pass_or_refuse(origin(request).address)
        raise


async def _issued(request: Request_, data: TokenForm, parts: Parts, client: Client) -> Issued:
    match data.grant_type:
        case "authorization_code":
            shown = ShownCode(data.code, client.id, data.redirect_uri, data.code_verifier)
            return await parts.grants.for_code(client, shown, origin=origin(request))
        case "refresh_token":
            return await parts.grants.for_refresh_token(
                client, token=data.refresh_token, scope=data.scope
            )
        case "client_credentials":
            return await parts.grants.for_itself(client, scope=data.scope)
        case _:
            raise OAuthError("unsupported_grant_type", "there is no such grant")


async def _of_access(parts: Parts, text: str) -> Introspected | None:
    try:
        caller = await parts.callers.of(text)
    except InvalidTokenError:
        return None
    return Introspected(
        active=True,
        scope=" ".join(sorted(caller.scope)),
        client_id=caller.client_id,
        username=None if caller.user is None else caller.user.username,
        token_type="Bearer",  # noqa: S106 - a kind of token
        exp=int(caller.expires_at),
        sub=caller.client_id if caller.user is None else caller.user.id,
        sid=None if caller.session is None else caller.session.id,
        iss=parts.settings.issuer_url,
        aud=parts.settings.audience,
        roles=None if caller.user is None else sorted(caller.user.roles),
    )


async def _of_refresh(parts: Parts, text: str) -> Introspected:
    held = await parts.refresh.look(text)
    if held is None or not held.fresh:
        return Introspected(active=False)
    return Introspected(
        active=True,
        scope=" ".join(sorted(held.session.scope)),
        client_id=held.session.client_id,
        username=held.user.username,
        exp=int(held.session.expires_at),
        sub=held.user.id,
        sid=held.session.id,
        iss=parts.settings.issuer_url,
    )
