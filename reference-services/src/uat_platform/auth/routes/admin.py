"""What administrators do: clients, keys and users."""

from typing import Annotated, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, Parameter

from uat_platform.auth.accounts.rules import LONGEST_WORD, WORD
from uat_platform.auth.accounts.users import User
from uat_platform.auth.keys.ring import KeyTooNewError
from uat_platform.auth.keys.signing_key import SigningKey
from uat_platform.auth.oauth.clients import Client
from uat_platform.auth.oauth.scopes import words
from uat_platform.auth.parts import Parts
from uat_platform.auth.routes.caching import NO_STORE
from uat_platform.auth.routes.signed_in import needs
from uat_service.forms import form
from uat_service.problems import problem_responses

__all__ = ["routes"]

_BEARER = [{"bearer": list[str]()}]
_ADMIN = [needs("admin")]
Algorithm = Literal["ES256", "RS256"]
Grant = Literal["authorization_code", "client_credentials", "refresh_token"]
Method = Literal["client_secret_basic", "client_secret_post", "none"]

_WORDS = form(
    r"^[!#-\[\]-~]+( [!#-\[\]-~]+)*$",
    "words of ASCII with one space between them, without quotes and backslashes",
)
_URI = form(
    r"^[A-Za-z][A-Za-z0-9+.-]*:[!-\"$-~]+$",
    "an absolute URI without a fragment, such as https://shop.example/back",
)
# Said twice: one checks, the other is in the schema, which leaves out the rules of what is in a list.
Word = Annotated[
    str,
    msgspec.Meta(pattern=WORD, max_length=LONGEST_WORD),
    Parameter(pattern=WORD, max_length=LONGEST_WORD),
]
Uri = Annotated[
    str, msgspec.Meta(pattern=_URI, max_length=2000), Parameter(pattern=_URI, max_length=2000)
]
Scope = Annotated[str, msgspec.Meta(pattern=_WORDS, max_length=1000)]


class NewClient(msgspec.Struct):
    """A program that is to be let in, in the words of RFC 7591. `trusted` is one of our own: nobody is asked."""

    client_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    grant_types: Annotated[list[Grant], msgspec.Meta(min_length=1, max_length=3)]
    scope: Scope
    redirect_uris: Annotated[list[Uri], msgspec.Meta(max_length=20)] = []
    token_endpoint_auth_method: Method = "client_secret_basic"  # noqa: S105 - a way
    id_token_signed_response_alg: Algorithm = "ES256"  # noqa: S105 - a signature
    trusted: bool = False


class ShownClient(msgspec.Struct):
    """A program that is let in."""

    client_id: str
    client_name: str
    grant_types: list[str]
    scope: str
    redirect_uris: list[str]
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str
    trusted: bool
    client_secret: str | msgspec.UnsetType = msgspec.UNSET


class ShownKey(msgspec.Struct):
    """A key, and where it is in its life. Times are seconds since 1970."""

    kid: str
    algorithm: str
    state: str
    published_at: float
    signing_since: float | None
    retired_at: float | None


class Rotation(msgspec.Struct):
    """Which key is to be replaced; forced, when it was stolen."""

    algorithm: Algorithm = "ES256"
    force: bool = False


class ShownUser(msgspec.Struct):
    """A user, as administrators see one."""

    id: str
    email: str
    username: str
    roles: list[str]
    disabled: bool


class UserChange(msgspec.Struct):
    """What is to be different about a user."""

    roles: Annotated[list[Word], msgspec.Meta(max_length=20)] | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


@get("/admin/clients", security=_BEARER, guards=_ADMIN, responses=problem_responses(401, 403))
async def clients(parts: NamedDependency[Parts], after: FromQuery[str] = "") -> list[ShownClient]:
    """List a hundred clients, from the one after an id on."""
    return [_client(each) for each in await parts.clients.page(after=after)]


@post(
    "/admin/clients",
    security=_BEARER,
    guards=_ADMIN,
    cache_control=NO_STORE,
    responses=problem_responses(400, 401, 403),
)
async def add_client(data: JSONBody[NewClient], parts: NamedDependency[Parts]) -> ShownClient:
    """Let a program in. Its secret is shown this once."""
    client, secret = await parts.clients.add(
        name=data.client_name,
        public=data.token_endpoint_auth_method == "none",  # noqa: S105 - a way
        redirect_uris=data.redirect_uris,
        grants=data.grant_types,
        scope=words(data.scope),
        trusted=data.trusted,
        id_token_algorithm=data.id_token_signed_response_alg,
    )
    return _client(client, secret)


@post(
    "/admin/clients/{client_id:str}/secret",
    status_code=200,
    security=_BEARER,
    guards=_ADMIN,
    cache_control=NO_STORE,
    responses=problem_responses(401, 403, 404, 409),
)
async def new_secret(client_id: FromPath[str], parts: NamedDependency[Parts]) -> ShownClient:
    """Give a program another secret; the one before is good no more."""
    client = await parts.clients.get(client_id)
    if client is None:
        raise NotFoundException("there is no such client")
    if client.public:
        raise ClientException("the client has no secret", status_code=409)
    return _client(*await parts.clients.new_secret(client))


@delete(
    "/admin/clients/{client_id:str}",
    security=_BEARER,
    guards=_ADMIN,
    responses=problem_responses(401, 403, 404),
)
async def remove_client(client_id: FromPath[str], parts: NamedDependency[Parts]) -> None:
    """Let a program in no more, and end its sessions."""
    if not await parts.clients.remove(client_id):
        raise NotFoundException("there is no such client")


@get("/admin/keys", security=_BEARER, guards=_ADMIN, responses=problem_responses(401, 403))
async def keys(parts: NamedDependency[Parts]) -> list[ShownKey]:
    """List the keys, the oldest first."""
    return [_key(each) for each in parts.keys.keys]


@post(
    "/admin/keys/rotate",
    status_code=200,
    security=_BEARER,
    guards=_ADMIN,
    responses=problem_responses(400, 401, 403, 409),
)
async def rotate(parts: NamedDependency[Parts], data: JSONBody[Rotation | None] = None) -> ShownKey:
    """Let the next key sign; 409 when it was published too short a time ago, unless forced.

    Without a body that is the key of ES256, in its own time.
    """
    data = data or Rotation()
    try:
        return _key(await parts.keys.rotate(data.algorithm, force=data.force))
    except KeyTooNewError as error:
        told = {"Retry-After": str(max(1, round(error.retry_after)))}
        raise ClientException(str(error), status_code=409, headers=told) from None


@get("/admin/users", security=_BEARER, guards=_ADMIN, responses=problem_responses(401, 403))
async def users(parts: NamedDependency[Parts], after: FromQuery[str] = "") -> list[ShownUser]:
    """List a hundred users, from the one after an address on."""
    return [_user(each) for each in await parts.users.page(after=after)]


@patch(
    "/admin/users/{user_id:str}",
    security=_BEARER,
    guards=_ADMIN,
    responses=problem_responses(400, 401, 403, 404),
)
async def change_user(
    user_id: FromPath[str], data: JSONBody[UserChange], parts: NamedDependency[Parts]
) -> ShownUser:
    """Give a user other roles, or keep one out."""
    if not isinstance(data.roles, msgspec.UnsetType):
        await parts.users.give_roles(user_id, data.roles)
    if not isinstance(data.disabled, msgspec.UnsetType):
        await parts.users.disable(user_id, disabled=data.disabled)
    user = await parts.users.by_id(user_id)
    if user is None:
        raise NotFoundException("there is no such user")
    return _user(user)


routes = [clients, add_client, new_secret, remove_client, keys, rotate, users, change_user]


def _client(client: Client, secret: str | None = None) -> ShownClient:
    return ShownClient(
        client_id=client.id,
        client_name=client.name,
        grant_types=sorted(client.grants),
        scope=" ".join(sorted(client.scope)),
        redirect_uris=list(client.redirect_uris),
        token_endpoint_auth_method="none" if client.public else "client_secret_basic",
        id_token_signed_response_alg=client.id_token_algorithm,
        trusted=client.trusted,
        client_secret=secret or msgspec.UNSET,
    )


def _key(key: SigningKey) -> ShownKey:
    return ShownKey(
        kid=key.kid,
        algorithm=key.algorithm,
        state=key.state.value,
        published_at=key.published_at,
        signing_since=key.signing_since,
        retired_at=key.retired_at,
    )


def _user(user: User) -> ShownUser:
    return ShownUser(user.id, user.email, user.username, sorted(user.roles), user.disabled)
