"""What people do with their own account: see where they are signed in, end that, change what they know."""

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from uat_platform.auth.accounts.users import User
from uat_platform.auth.parts import Parts
from uat_platform.auth.routes.account import NewPassword
from uat_platform.auth.routes.account_answers import Done
from uat_platform.auth.routes.caching import NO_STORE
from uat_platform.auth.routes.signed_in import needs, origin, refused
from uat_platform.auth.sessions.callers import Caller
from uat_service.problems import problem_responses

__all__ = ["routes"]

_BEARER = [{"bearer": list[str]()}]
_ACCOUNT = [needs("account")]


class ShownSession(msgspec.Struct):
    """Where somebody is signed in. Times are seconds since 1970."""

    id: str
    client_id: str | None
    scope: list[str]
    created_at: float
    used_at: float
    expires_at: float
    address: str
    agent: str
    current: bool


class ShownSessions(msgspec.Struct):
    """Where somebody is signed in."""

    sessions: list[ShownSession]


class Ended(msgspec.Struct):
    """How many sessions have ended."""

    ended: int


class PasswordChange(msgspec.Struct):
    """A password in place of another one."""

    old: Annotated[str, msgspec.Meta(max_length=1024)]
    new: NewPassword


class ApiKey(msgspec.Struct):
    """A key, shown this once."""

    api_key: str


@get("/sessions", security=_BEARER, guards=_ACCOUNT, responses=problem_responses(401, 403))
async def sessions(caller: NamedDependency[Caller], parts: NamedDependency[Parts]) -> ShownSessions:
    """Tell where the user is signed in, the newest first."""
    current = None if caller.session is None else caller.session.id
    return ShownSessions(
        [
            ShownSession(
                id=each.id,
                client_id=each.client_id,
                scope=sorted(each.scope),
                created_at=each.created_at,
                used_at=each.used_at,
                expires_at=each.expires_at,
                address=each.origin.address,
                agent=each.origin.agent,
                current=each.id == current,
            )
            for each in await parts.sessions.of_user(_user(caller).id)
        ]
    )


@delete(
    "/sessions/{session_id:str}",
    security=_BEARER,
    guards=_ACCOUNT,
    responses=problem_responses(401, 403, 404),
)
async def end_session(
    session_id: FromPath[str], caller: NamedDependency[Caller], parts: NamedDependency[Parts]
) -> None:
    """End one session of the user."""
    user = _user(caller)
    if not await parts.sessions.end(session_id, because="ended by the user", user_id=user.id):
        raise NotFoundException("there is no such session")


@delete(
    "/sessions",
    status_code=200,
    security=_BEARER,
    guards=_ACCOUNT,
    responses=problem_responses(401, 403),
)
async def end_other_sessions(
    caller: NamedDependency[Caller], parts: NamedDependency[Parts]
) -> Ended:
    """End all sessions of the user but this one."""
    return Ended(await _end_others(parts, caller, because="ended by the user"))


@post(
    "/auth/password",
    status_code=200,
    security=_BEARER,
    guards=_ACCOUNT,
    responses=problem_responses(400, 401, 403, 429),
)
async def change_password(
    request: Request[Any, Any, Any],
    data: JSONBody[PasswordChange],
    caller: NamedDependency[Caller],
    parts: NamedDependency[Parts],
) -> Done:
    """Change the password, and end all other sessions: somebody else may have known the old one."""
    address = origin(request).address
    await parts.limits.pass_or_refuse(address)
    if not await parts.accounts.change_password(
        _user(caller), old=data.old, new=data.new, address=address
    ):
        raise refused("Invalid credentials")
    await _end_others(parts, caller, because="password changed")
    return Done("Password changed")


@post(
    "/auth/api-key",
    status_code=200,
    security=_BEARER,
    guards=_ACCOUNT,
    cache_control=NO_STORE,
    responses=problem_responses(401, 403),
)
async def new_api_key(caller: NamedDependency[Caller], parts: NamedDependency[Parts]) -> ApiKey:
    """Return another API key; the one before is good no more."""
    return ApiKey(await parts.users.new_api_key(_user(caller).id))


routes = [sessions, end_session, end_other_sessions, change_password, new_api_key]


def _user(caller: Caller) -> User:
    if caller.user is None:
        raise refused("The token is of no user", "invalid_token")
    return caller.user


async def _end_others(parts: Parts, caller: Caller, *, because: str) -> int:
    current = None if caller.session is None else caller.session.id
    return await parts.sessions.end_all(_user(caller).id, because=because, but=current)
