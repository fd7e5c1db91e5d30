"""Who is asked for metrics, and how that goes; in Prometheus' words."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.routes.answers import AS_PROMETHEUS, answers
from uat_platform.metrics_aggregator.scraping.scrape import Scrape

__all__ = ["routes", "written"]

_NEVER = "0001-01-01T00:00:00Z"
_ROUTE: dict[str, Any] = {"exception_handlers": AS_PROMETHEUS, "responses": answers()}


class ActiveTarget(msgspec.Struct, rename="camel"):
    """A target, and how its last scrape ended."""

    discovered_labels: dict[str, str]
    labels: dict[str, str]
    scrape_pool: str
    scrape_url: str
    global_url: str
    last_error: str
    last_scrape: str
    last_scrape_duration: float
    health: Literal["up", "down", "unknown"]
    scrape_interval: str
    scrape_timeout: str
    breaker: str
    """Not in Prometheus: whether the target is left alone."""
    series: int
    """Not in Prometheus: how many it has."""
    dropped: int
    """Not in Prometheus: samples that were one too many, so far."""


class TargetsData(msgspec.Struct, rename="camel"):
    """All targets."""

    active_targets: list[ActiveTarget]
    dropped_targets: list[dict[str, str]] = []


class Targets(msgspec.Struct):
    """All targets."""

    data: TargetsData
    status: Literal["success"] = "success"


class BuildData(msgspec.Struct):
    """What answers."""

    version: str
    revision: str = "uat"
    branch: str = "main"


class Build(msgspec.Struct):
    """What answers."""

    data: BuildData
    status: Literal["success"] = "success"


State = Annotated[
    Literal["active", "dropped", "any"],
    QueryParameter(name="state", description="Which targets to return"),
]


@get("/api/v1/targets", **_ROUTE)
async def targets(parts: NamedDependency[Parts], kind: State = "any") -> Targets:
    """Return all targets, and how their last scrapes ended."""
    shown = [] if kind == "dropped" else [_target(parts, each) for each in parts.roster]
    return Targets(TargetsData(shown))


@get("/api/v1/status/buildinfo", **_ROUTE)
async def build() -> Build:
    """Return whose answers these are like: clients ask before they use what is new."""
    return Build(BuildData("2.42.0"))


def written(seconds: float) -> str:
    """Return a time as of RFC 3339."""
    if not seconds:
        return _NEVER
    return (
        datetime.fromtimestamp(seconds, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def _target(parts: Parts, scrape: Scrape) -> ActiveTarget:
    target, outcome = scrape.target, scrape.outcome
    return ActiveTarget(
        discovered_labels=dict(target.discovered),
        labels=dict(target.labels),
        scrape_pool=target.job,
        scrape_url=target.url,
        global_url=target.url,
        last_error=outcome.error,
        last_scrape=written(outcome.at),
        last_scrape_duration=outcome.seconds,
        health=outcome.health.value,
        scrape_interval=f"{parts.settings.scrape_interval:g}s",
        scrape_timeout=f"{parts.settings.scrape_timeout:g}s",
        breaker=scrape.breaker.state.name.lower(),
        series=len(scrape.ledger),
        dropped=scrape.dropped,
    )


routes = [targets, build]
