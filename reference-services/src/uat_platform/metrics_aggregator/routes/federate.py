"""The newest sample of series, for another Prometheus to scrape."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from uat_platform.metrics_aggregator.exposition import exposed
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.promql.parser import selector
from uat_platform.metrics_aggregator.routes.answers import AS_PROMETHEUS, answers
from uat_platform.metrics_aggregator.series.labels import Labels
from uat_platform.metrics_aggregator.series.samples import is_stale

__all__ = ["routes"]

Match = Annotated[
    list[str] | None,
    QueryParameter(name="match[]", description="Selectors of series", max_items=100),
]


@get(
    "/federate",
    exception_handlers=AS_PROMETHEUS,
    responses=answers(),
    media_type="text/plain; version=0.0.4",
)
async def federate(parts: NamedDependency[Parts], match: Match = None) -> Response[str]:
    """Return the newest sample of the series that fit one of the selectors; of none, when there is no selector."""
    oldest = parts.milliseconds() - parts.queries.limits.lookback
    found = dict[Labels, tuple[int, float]]()
    for each in match or []:
        for kept in parts.memory.find(selector(each)):
            samples = kept.samples
            if samples.times and samples.times[-1] >= oldest and not is_stale(samples.values[-1]):
                found[kept.labels] = samples.times[-1], samples.values[-1]
    return Response(exposed((labels, *newest) for labels, newest in found.items()))


routes = [federate]
