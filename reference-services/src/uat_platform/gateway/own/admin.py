"""What operators see and change: routes, upstreams, and why a request goes where it goes."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import HeaderParameter, QueryParameter

from uat_platform.gateway.own.explaining import Explained, explain
from uat_platform.gateway.own.operators import operators_only
from uat_platform.gateway.own.schema import ADMIN, TakesToml
from uat_platform.gateway.own.shown import ShownUpstream, shown
from uat_platform.gateway.parts import Parts
from uat_platform.gateway.routes import RoutesError, read_table
from uat_platform.gateway.routes.files import ReadOnlyError
from uat_platform.gateway.routes.live import ConflictError
from uat_platform.gateway.routes.reading import LARGEST
from uat_service.forms import form
from uat_service.problems import problem_responses

__all__ = ["admin"]

_REFUSED = (401, 403)
_METHOD = form("^[A-Za-z]{1,20}$", "a method, of 1 to 20 letters")


class Held(msgspec.Struct):
    """The routes that hold, and what is wrong with the files if they could not be taken.

    `put` is true where operators have put them in place of those that are configured.
    """

    version: int
    digest: str
    put: bool
    toml: str
    problems: list[str]


class Replaced(msgspec.Struct):
    """What a new version changes; `applied` is false for a dry run."""

    applied: bool
    version: int
    digest: str
    added: list[str]
    removed: list[str]
    changed: list[str]


@get("/routes", responses=problem_responses(*_REFUSED), security=ADMIN)
async def held(parts: NamedDependency[Parts]) -> Response[Held]:
    """Return the routes that hold."""
    now = parts.routes.now
    body = Held(now.number, now.digest, now.put, now.text, parts.routes.problems)
    return Response(body, headers={"ETag": f'"{now.digest}"'})


@put(
    "/routes",
    responses=problem_responses(400, 409, 412, 413, *_REFUSED),
    security=ADMIN,
    operation_class=TakesToml,
    request_max_body_size=4 * LARGEST,
)
async def replace(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    dry_run: Annotated[bool, QueryParameter(description="Only say what would change.")] = False,  # noqa: FBT002 - a query
    if_match: Annotated[
        str | None,
        HeaderParameter(name="If-Match", description="Digest of the version to replace."),
    ] = None,
) -> Response[Replaced]:
    """Replace all routes in one step, and keep them, until the configured file changes."""
    expected = None if if_match in {None, "*"} else str(if_match).strip().strip('"')
    try:
        text = (await request.body()).decode("utf-8")
        if not text:
            # A file that went missing on the way is no wish to close all routes.
            raise RoutesError(["the body is empty"])
        change = parts.routes.compare(read_table(text))
        if dry_run:
            parts.routes.expect(expected)
            version = parts.routes.now
        else:
            version = await parts.routes.put(text, expected=expected)
    except UnicodeDecodeError:
        raise ClientException(detail="The body is not in UTF-8.") from None
    except RoutesError as error:
        raise ClientException(detail="The routes are wrong.", extra=[*error.problems]) from None
    except ConflictError:
        raise ClientException(detail="Other routes hold by now.", status_code=412) from None
    except ReadOnlyError as error:
        raise ClientException(
            detail=f"The routes cannot be kept ({error}).", status_code=409
        ) from None
    body = Replaced(
        applied=not dry_run,
        version=version.number,
        digest=version.digest,
        added=[*change.added],
        removed=[*change.removed],
        changed=[*change.changed],
    )
    return Response(body, headers={"ETag": f'"{version.digest}"'})


@get("/upstreams", responses=problem_responses(*_REFUSED), security=ADMIN)
async def upstreams(parts: NamedDependency[Parts]) -> list[ShownUpstream]:
    """Return all upstreams with their instances, breakers and slots."""
    states = parts.checking.states()
    return [await shown(each, states[each.name]) for each in parts.upstreams.all()]


@get("/explain", responses=problem_responses(400, *_REFUSED), security=ADMIN)
async def explained(
    parts: NamedDependency[Parts],
    path: Annotated[str, QueryParameter(min_length=1, max_length=4096)],
    method: Annotated[str, QueryParameter(pattern=_METHOD)] = "GET",
    host: Annotated[str, QueryParameter(max_length=255)] = "",
) -> Explained:
    """Tell what becomes of a request, without sending it."""
    return await explain(parts, path=path, method=method, host=host)


def admin(token: str) -> Router:
    """Return the routes for whoever shows this token."""
    return Router(
        "/admin",
        route_handlers=[held, replace, upstreams, explained],
        guards=[operators_only(token)],
    )
