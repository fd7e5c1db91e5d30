"""Changes as they come: server-sent events, each with the whole of what is known of one service.

    event: service
    id: 7
    data: {"service": "shop", "algorithm": "p2c-ewma", "panic": false, "instances": [...]}

First there is one for each service. A service without instances is gone. Whoever reads slowly misses what was
between, and never the newest.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import QueryParameter
from litestar.types import ASGIApp

from uat_platform.load_balancer.parts import Parts
from uat_platform.load_balancer.routes.names import NAME
from uat_platform.load_balancer.views import view
from uat_service.events import Event, EventStream
from uat_service.problems import problem_responses

__all__ = ["routes"]

Service = Annotated[str | None, QueryParameter(pattern=NAME, description="Only of this service")]


@get(
    "/watch",
    media_type="text/event-stream",
    responses={
        200: ResponseSpec(
            str,
            description="Events, until either side ends",
            generate_examples=False,
            media_type="text/event-stream",
        ),
        **problem_responses(400),
    },
)
async def watch(parts: NamedDependency[Parts], service: Service = None) -> ASGIApp:
    """Return each service as it is, and again whenever something about it changes."""
    return cast("ASGIApp", EventStream(_followed(parts, service)))  # It spells ASGI in other types.


routes = [watch]


async def _followed(parts: Parts, only: str | None) -> AsyncIterator[Event]:
    number = 0
    with parts.watchers.joined(only=only) as watcher:
        watcher.tell(parts.fleet.groups)
        while True:
            for name in await watcher.news():
                fleet = parts.fleet
                told = view(name, fleet.group(name), fleet.registry, fleet.now())
                data = msgspec.json.encode(told).decode()
                number += 1
                yield Event(data, event="service", id=str(number))
