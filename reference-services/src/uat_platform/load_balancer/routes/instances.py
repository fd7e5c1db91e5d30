"""Instances register, say again and again that they are there, and leave."""

from hmac import compare_digest
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, delete, post, put
from litestar.di import NamedDependency
from litestar.exceptions import (
    ClientException,
    NotAuthorizedException,
    NotFoundException,
    ServiceUnavailableException,
)
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from uat_platform.load_balancer.parts import Parts
from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import RegistryFullError
from uat_platform.load_balancer.routes.names import OWN_ID, Id, Name
from uat_service.forms import form
from uat_service.problems import problem_responses
from uat_service.resolver import Instance

__all__ = ["routes"]

_SHORTEST = 0.1  # Nobody can renew more often, and who tries does nothing else.
_RENEWALS = 3  # While a lease lasts, so that two of them may be lost.
_NAMED = r"[A-Za-z0-9._-]+"
_IPV6 = (
    r"\[(::1|([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4})\]"
)
_PORT = r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4})"
_URL = form(
    rf"^https?://({_NAMED}|{_IPV6})(:{_PORT})?$",
    "http or https, a host, and a port up to 65535, without a path, such as http://127.0.0.1:8401",
)
_PATH = form(
    r"^/[!-~]{0,299}$", "a path that begins with a slash, of up to 300 characters of ASCII"
)
_METRICS = form(
    r"^(/[!-~]{0,299})?$",
    "empty, or a path that begins with a slash, of up to 300 characters of ASCII",
)

Path = Annotated[str, msgspec.Meta(pattern=_PATH, examples=["/health/ready"])]
# PostgreSQL keeps no letter 0, and a line ending has no place in a label.
_WORDS = form(r"^[^\x00-\x1f\x7f]{0,100}$", "up to 100 letters, none of them a control character")
Words = Annotated[str, msgspec.Meta(pattern=_WORDS)]


class Offer(msgspec.Struct):
    """An instance, as it describes itself."""

    url: Annotated[
        str,
        msgspec.Meta(
            pattern=_URL,
            max_length=300,
            examples=["http://127.0.0.1:8401"],
        ),
    ]
    id: Annotated[str, msgspec.Meta(pattern=OWN_ID, description="Empty: made of host and port")] = (
        ""
    )
    version: Words = ""
    zone: Words = ""
    weight: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    lease_seconds: Annotated[
        float, msgspec.Meta(ge=0, description="0: what the load balancer thinks best")
    ] = 0.0
    health_path: Path = "/health/ready"
    metrics_path: Annotated[
        str, msgspec.Meta(pattern=_METRICS, description="Empty: it has none")
    ] = "/metrics"


class Lease(msgspec.Struct):
    """For how long an instance is known."""

    service: str
    id: str
    url: str
    lease_seconds: float
    renew_after_seconds: float


@post(
    "/services/{name:str}/instances",
    responses={
        200: ResponseSpec(Lease, description="It was known already", generate_examples=False),
        **problem_responses(400, 401),
    },
)
async def register(
    name: Name,
    data: JSONBody[Offer],
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
) -> Response[Lease]:
    """Take an instance in, or renew its lease."""
    _check_token(request, parts)
    settings = parts.settings
    asked = data.lease_seconds or settings.lease
    instance = _instance(data)
    new = Registration(
        name,
        instance,
        lease=min(max(asked, _SHORTEST), settings.longest_lease),
        health=data.health_path,
        metrics=data.metrics_path,
    )
    known = parts.fleet.registry.find(name, instance.id) is not None
    try:
        parts.fleet.register(new)
    except RegistryFullError as error:
        raise ServiceUnavailableException(str(error), headers={"Retry-After": "5"}) from error
    return Response(_lease(new), status_code=200 if known else 201)


@put("/services/{name:str}/instances/{id_:str}/lease", responses=problem_responses(400, 401, 404))
async def renew(
    name: Name, id_: Id, request: Request[Any, Any, Any], parts: NamedDependency[Parts]
) -> Lease:
    """Begin the lease of an instance anew. One that is not known has to register again."""
    _check_token(request, parts)
    if not parts.fleet.renew(name, id_):
        raise NotFoundException(f"no instance {id_} of {name} is registered")
    found = parts.fleet.registry.find(name, id_)
    if found is None:  # Only the type says so.
        raise NotFoundException
    return _lease(found)


@delete("/services/{name:str}/instances/{id_:str}", responses=problem_responses(400, 401, 404))
async def leave(
    name: Name, id_: Id, request: Request[Any, Any, Any], parts: NamedDependency[Parts]
) -> None:
    """Forget an instance: nothing goes there any more, and what runs there goes on."""
    _check_token(request, parts)
    if not parts.fleet.remove(name, id_):
        raise NotFoundException(f"no instance {id_} of {name} is registered")


routes = [register, renew, leave]


def _check_token(request: Request[Any, Any, Any], parts: Parts) -> None:
    token = parts.settings.registration_token.get_secret_value()
    shown = request.headers.get("authorization", "")
    if token and not compare_digest(shown.encode(), f"Bearer {token}".encode()):
        raise NotAuthorizedException(
            "registering takes the registration token", headers={"WWW-Authenticate": "Bearer"}
        )


def _instance(offer: Offer) -> Instance:
    try:
        parts = urlsplit(offer.url)
        where = f"{parts.hostname}:{parts.port or parts.scheme}".replace("[", "")
        return Instance(
            offer.url,
            id=offer.id or where,
            version=offer.version,
            zone=offer.zone,
            weight=offer.weight,
        )
    except ValueError as error:  # Such as a port of 99999.
        raise ClientException(str(error)) from error


def _lease(one: Registration) -> Lease:
    lasts = one.lease or 0.0
    return Lease(
        service=one.service,
        id=one.instance.id,
        url=one.instance.url,
        lease_seconds=lasts,
        renew_after_seconds=round(lasts / _RENEWALS, 3),
    )
