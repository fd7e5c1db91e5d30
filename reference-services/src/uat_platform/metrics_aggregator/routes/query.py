"""`/api/v1/query` and `/api/v1/query_range`, as Prometheus has them: by GET, or by POST with a form."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter, URLEncodedBody

from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.promql.engine import Query
from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError
from uat_platform.metrics_aggregator.routes.answers import AS_PROMETHEUS, Data, answers, data
from uat_platform.metrics_aggregator.routes.parameters import span, time_of

__all__ = ["Worth", "routes"]

Expression = Annotated[
    str,
    QueryParameter(name="query", description="In PromQL; longer ones by POST", max_length=4_000),
]
Time = Annotated[
    str | None,
    QueryParameter(description="Seconds since 1970, or a date as of RFC 3339", max_length=64),
]
Needed = Annotated[
    str, QueryParameter(description="Seconds since 1970, or a date as of RFC 3339", max_length=64)
]
Duration = Annotated[
    str, QueryParameter(description="Seconds, or a duration such as 5m", max_length=64)
]
Patience = Annotated[
    str | None,
    QueryParameter(name="timeout", description="Seconds, or a duration such as 5m", max_length=64),
]


class Worth(msgspec.Struct):
    """What a query is worth."""

    data: Data
    status: Literal["success"] = "success"
    warnings: list[str] | msgspec.UnsetType = msgspec.UNSET


class QueryForm(msgspec.Struct):
    """A query, in a form."""

    query: str
    time: str | None = None
    timeout: str | None = None


class RangeForm(msgspec.Struct):
    """A query over a span, in a form."""

    query: str
    start: str
    end: str
    step: str
    timeout: str | None = None


_ROUTE: dict[str, Any] = {
    "exception_handlers": AS_PROMETHEUS,
    "responses": answers(422),
    "status_code": 200,
}


@get("/api/v1/query", **_ROUTE)
async def query(
    parts: NamedDependency[Parts],
    expression: Expression,
    time: Time = None,
    patience: Patience = None,
) -> Worth:
    """Return what a query is worth at a moment; now, if none is given."""
    return await _instant(parts, QueryForm(expression, time, patience))


@post("/api/v1/query", **_ROUTE)
async def query_form(parts: NamedDependency[Parts], data: URLEncodedBody[QueryForm]) -> Worth:
    """Return what a query is worth at a moment; now, if none is given."""
    return await _instant(parts, data)


@get("/api/v1/query_range", **_ROUTE)
async def query_range(  # noqa: PLR0917 - by name, in a query
    parts: NamedDependency[Parts],
    expression: Expression,
    start: Needed,
    end: Needed,
    step: Duration,
    patience: Patience = None,
) -> Worth:
    """Return what a query is worth at the moments of a span."""
    return await _over(parts, RangeForm(expression, start, end, step, patience))


@post("/api/v1/query_range", **_ROUTE)
async def query_range_form(parts: NamedDependency[Parts], data: URLEncodedBody[RangeForm]) -> Worth:
    """Return what a query is worth at the moments of a span."""
    return await _over(parts, data)


async def _instant(parts: Parts, form: QueryForm) -> Worth:
    now = parts.milliseconds()
    at = time_of("time", form.time, now)
    query = Query.instant(form.query, at, limits=parts.queries.limits)
    return await _worth(parts, query, now, form.timeout)


async def _over(parts: Parts, form: RangeForm) -> Worth:
    now = parts.milliseconds()
    start, end = time_of("start", form.start, now), time_of("end", form.end, now)
    if not form.start or not form.end or not form.step:
        raise SyntaxIsWrongError("start, end and step must be given")
    step = span("step", form.step)
    query = Query.over(form.query, start, end, step, limits=parts.queries.limits)
    return await _worth(parts, query, now, form.timeout)


async def _worth(parts: Parts, query: Query, now: int, patience: str | None) -> Worth:
    seconds = span("timeout", patience) / 1000 if patience else None
    answer = await parts.queries.answer(query, now=now, seconds=seconds)
    shown = data(answer.value, query.start)
    if query.step or (answer.value == [] and query.node.shape.value == "range vector"):
        shown.result_type = "matrix"
    warnings = [*answer.warnings] or msgspec.UNSET
    return Worth(shown, warnings=warnings)


routes = [query, query_form, query_range, query_range_form]
