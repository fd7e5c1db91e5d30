"""The routes that the aggregator always had, under `/api/v1/metrics`. Their values are real now."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import JSONBody, QueryParameter

from uat_platform.metrics_aggregator.fleet.aggregates import Aggregate, Record, aggregate, record
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.scraping.target import from_address
from uat_service.forms import form
from uat_service.problems import problem_responses

__all__ = ["routes"]

_ID = form(r"^[^\x00-\x1f\x7f]{1,100}$", "1 to 100 letters, none of them a control character")
_ENDPOINT = form(
    r"^https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?/?$",
    "http or https, a host and perhaps a port, such as http://127.0.0.1:8091",
)
_LABEL = form(
    "^[a-zA-Z][a-zA-Z0-9_]{0,63}$",
    "1 to 64 letters, digits and underscores, a letter first",
)
Metric = Annotated[str | None, QueryParameter(max_length=300, description="Name of a metric")]
Named = Annotated[str | None, QueryParameter(max_length=300, description="Name of a service")]


class Registration(msgspec.Struct):
    """A service that wants to be asked."""

    service_id: Annotated[str, msgspec.Meta(pattern=_ID, examples=["ml-inference"])]
    service_type: Literal["go", "rust", "node", "python"]
    endpoint: Annotated[
        str,
        msgspec.Meta(
            pattern=_ENDPOINT,
            max_length=300,
            description="Where its /metrics is",
            examples=["http://127.0.0.1:8091"],
        ),
    ]
    labels: Annotated[
        dict[
            Annotated[str, msgspec.Meta(pattern=_LABEL)],
            Annotated[str, msgspec.Meta(max_length=200)],
        ],
        msgspec.Meta(max_length=20),
    ] = {}


class Registered(msgspec.Struct):
    """It will be."""

    status: Literal["registered"] = "registered"


class Fine(msgspec.Struct):
    """The service is there."""

    status: Literal["ok"] = "ok"


class Well(msgspec.Struct):
    """The service is well."""

    service: str
    timestamp: int
    services: int
    metrics: int
    status: Literal["healthy"]


@get("/test")
async def test() -> Fine:
    """Say that it is there."""
    return Fine()


@get("/api/v1/metrics/health")
async def health(parts: NamedDependency[Parts]) -> Well:
    """Say that it is well. `/health` says more."""
    return Well(parts.settings.service_name, int(parts.now()), status="healthy", **parts.extent())


@post("/api/v1/metrics/register", status_code=200, responses=problem_responses(400))
async def register(parts: NamedDependency[Parts], data: JSONBody[Registration]) -> Registered:
    """Ask a service for its metrics from now on, also after a restart."""
    address = urlsplit(data.endpoint).netloc
    labels = {"job": data.service_id, "language": data.service_type, **data.labels}
    scheme = urlsplit(data.endpoint).scheme
    try:
        target = from_address(address, {**labels, "__scheme__": scheme})
    except ValueError as error:
        raise ClientException("endpoint must be http://host:port") from error
    await parts.register(data.service_id, target, labels)
    return Registered()


@get("/api/v1/metrics/services")
async def services(parts: NamedDependency[Parts]) -> list[Record]:
    """Return all services, with what they measure now."""
    return [record(each) for each in parts.roster]


@get("/api/v1/metrics/data", responses=problem_responses(400, 404))
async def data(
    parts: NamedDependency[Parts], metric: Metric = None, service: Named = None
) -> dict[str, Aggregate] | Aggregate | Record:
    """Return a metric over all services, or a service, or all metrics."""
    if service is not None:
        for scrape in parts.roster:
            if scrape.target.job == service:
                return record(scrape)
        raise NotFoundException(f"there is no service {service!r}")
    if metric is not None:
        found = aggregate(parts.memory, metric, parts.roster)
        if found is None:
            raise NotFoundException(f"there is no metric {metric!r}")
        return found
    return {
        name: each
        for name in parts.memory.metrics
        if (each := aggregate(parts.memory, name, parts.roster, points=0)) is not None
    }


routes = [test, health, register, services, data]
