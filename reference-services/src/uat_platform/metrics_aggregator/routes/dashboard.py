"""The dashboard, and the events that keep it up to date."""

from typing import Annotated, Literal, cast

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import QueryParameter
from litestar.types import ASGIApp

from uat_platform.metrics_aggregator.dashboard.news import News
from uat_platform.metrics_aggregator.dashboard.page import page, policy
from uat_service.events import EventStream
from uat_service.problems import problem_responses

__all__ = ["routes"]

Window = Annotated[
    Literal["5m", "15m", "1h", "6h"], QueryParameter(description="How far back the charts go")
]
Service = Annotated[
    str, QueryParameter(max_length=200, description="Whose charts; of all when it is empty")
]


@get("/", media_type=MediaType.HTML)
async def dashboard() -> Response[str]:
    """Return the dashboard."""
    headers = {
        "Content-Security-Policy": policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Response(page(), headers=headers)


@get(
    "/events",
    responses={
        **problem_responses(400),
        200: ResponseSpec(str, media_type="text/event-stream", description="Events `view`: JSON"),
    },
)
async def events(
    news: NamedDependency[News], window: Window = "15m", service: Service = ""
) -> ASGIApp:
    """Return what the dashboard shows, and again whenever there is something new."""
    return cast("ASGIApp", EventStream(news.follow(window, service)))


routes = [dashboard, events]
