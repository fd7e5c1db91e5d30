"""The six routes that the platform always had: register, log in and out, verify, refresh.

Their shapes are those of old; what is new stands beside it. `token` is an access token, good for minutes, and
`refresh_token` is what goes on: `/auth/refresh` takes it and gives the next pair.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import JSONBody

from uat_platform.auth.accounts.rules import (
    EMAIL,
    LONGEST_EMAIL,
    LONGEST_PASSWORD,
    NAME,
    SHORTEST_PASSWORD,
)
from uat_platform.auth.accounts.users import User, UserExistsError
from uat_platform.auth.parts import Parts
from uat_platform.auth.routes.account_answers import (
    Done,
    Fresh,
    Registered,
    Shown,
    SignedIn,
    SignedUp,
    Verified,
)
from uat_platform.auth.routes.caching import NO_STORE
from uat_platform.auth.routes.signed_in import bearer, needs, origin, refused
from uat_platform.auth.sessions.callers import Caller
from uat_platform.auth.sessions.sessions import Begun
from uat_service.problems import problem_responses
from uat_service.tokens import InvalidTokenError

__all__ = ["routes"]

Email = Annotated[
    str,
    msgspec.Meta(
        pattern=EMAIL,
        max_length=LONGEST_EMAIL,
        examples=["ann@example.com"],
    ),
]
Name = Annotated[str, msgspec.Meta(pattern=NAME, examples=["ann"])]
NewPassword = Annotated[
    str,
    msgspec.Meta(
        min_length=SHORTEST_PASSWORD,
        max_length=LONGEST_PASSWORD,
        description="Any letters; the longer the better.",
    ),
]
Given = Annotated[str, msgspec.Meta(max_length=LONGEST_PASSWORD)]

_FULL_SCOPE = ("account", "email", "offline_access", "openid", "profile")
_BEARER = [{"bearer": list[str]()}]


class Registration(msgspec.Struct):
    """Who wants to be a user."""

    email: Email
    username: Name
    password: NewPassword


class Credentials(msgspec.Struct):
    """Who wants to be let in."""

    email: Given
    password: Given


class RefreshToken(msgspec.Struct):
    """What was given at the login, or at the last refresh."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=1024)]


@post(
    "/auth/register",
    status_code=200,
    cache_control=NO_STORE,
    responses=problem_responses(400, 409, 429),
)
async def register(
    request: Request[Any, Any, Any], data: JSONBody[Registration], parts: NamedDependency[Parts]
) -> SignedUp:
    """Become a user. The API key is shown this once."""
    await parts.limits.pass_or_refuse(origin(request).address)
    try:
        user, api_key = await parts.accounts.register(
            email=data.email, username=data.username, password=data.password
        )
    except UserExistsError:
        raise ClientException(detail="User already exists", status_code=409) from None
    session, refresh_token = await _begin(request, parts, user)
    return SignedUp(
        user=Registered(user.id, user.email, user.username, sorted(user.roles), api_key),
        token=parts.access.for_session(session, user),
        refresh_token=refresh_token,
        expires_in=int(parts.access.lifetime),
    )


@post(
    "/auth/login",
    status_code=200,
    cache_control=NO_STORE,
    responses=problem_responses(400, 401, 429),
)
async def login(
    request: Request[Any, Any, Any], data: JSONBody[Credentials], parts: NamedDependency[Parts]
) -> SignedIn:
    """Come in with a password."""
    address = origin(request).address
    await parts.limits.pass_or_refuse(address)
    user = await parts.accounts.authenticate(data.email, data.password, address=address)
    if user is None:
        raise refused("Invalid credentials")
    session, refresh_token = await _begin(request, parts, user)
    return SignedIn(
        user=_shown(user),
        token=parts.access.for_session(session, user),
        refresh_token=refresh_token,
        expires_in=int(parts.access.lifetime),
    )


@post(
    "/auth/logout",
    status_code=200,
    security=_BEARER,
    guards=[needs()],
    responses=problem_responses(401),
)
async def logout(caller: NamedDependency[Caller], parts: NamedDependency[Parts]) -> Done:
    """End the session of a token, and all tokens of that session with it."""
    if caller.session is None:
        await parts.revoked.add(caller.jti, expires_at=caller.expires_at)
    else:
        await parts.sessions.end(caller.session.id, because="logged out")
    return Done("Logged out successfully")


@get("/auth/verify", security=_BEARER, guards=[needs()], responses=problem_responses(401))
async def verify(caller: NamedDependency[Caller]) -> Verified:
    """Tell who has an access token, if it is valid, not revoked, and its session has not ended."""
    if caller.user is None:
        raise refused("The token is of no user", "invalid_token")
    return Verified(_shown(caller.user))


@get("/auth/verify-api-key", security=[{"api_key": []}], responses=problem_responses(401))
async def verify_api_key(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts]
) -> Verified:
    """Tell who has an API key."""
    key = request.headers.get("x-api-key", "")
    if not key:
        raise refused("No API key provided")
    user = await parts.users.by_api_key(key)
    if user is None:
        raise refused("Invalid API key")
    return Verified(_shown(user))


@post(
    "/auth/refresh", status_code=200, cache_control=NO_STORE, responses=problem_responses(400, 401)
)
async def refresh(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    data: JSONBody[RefreshToken | None] = None,
) -> Fresh:
    """Go on: a refresh token in the body gives the next pair, an access token in the header another like it."""
    lifetime = int(parts.access.lifetime)
    if data is None:
        return Fresh(await _another(parts, bearer(request)), lifetime)
    refreshed = await parts.refresh.rotate(data.refresh_token, client_id=None)
    if refreshed is None:
        raise refused("Invalid token", "invalid_token")
    token = parts.access.for_session(refreshed.session, refreshed.user)
    return Fresh(token, lifetime, refreshed.token)


routes = [register, login, logout, verify, verify_api_key, refresh]


async def _begin(request: Request[Any, Any, Any], parts: Parts, user: User) -> Begun:
    scope = (*_FULL_SCOPE, "admin") if "admin" in user.roles else _FULL_SCOPE
    return await parts.sessions.begin(user.id, scope=scope, origin=origin(request))


async def _another(parts: Parts, token: str) -> str:
    """Return a token like one of our own login, which has not expired."""
    try:
        caller = await parts.callers.of(token)
    except InvalidTokenError:
        raise refused("Invalid token", "invalid_token") from None
    if caller.session is None or caller.user is None or caller.session.client_id is not None:
        raise refused("Invalid token", "invalid_token")
    return parts.access.for_session(caller.session, caller.user)


def _shown(user: User) -> Shown:
    return Shown(user.id, user.email, user.username, sorted(user.roles))
