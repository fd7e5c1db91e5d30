"""What there is: series, labels and their values, and what targets say of their metrics."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, URLEncodedBody

from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError
from uat_platform.metrics_aggregator.promql.parser import selector
from uat_platform.metrics_aggregator.routes.answers import AS_PROMETHEUS, answers
from uat_platform.metrics_aggregator.routes.parameters import time_of
from uat_platform.metrics_aggregator.series.labels import NAME, Labels
from uat_platform.metrics_aggregator.series.matchers import Matcher, Sign

__all__ = ["routes"]

_EVERYTHING = (Matcher(NAME, Sign.UNLIKE, ""),)
_LATELY = 300_000

Match = Annotated[
    list[str] | None,
    QueryParameter(name="match[]", description="Selectors of series", max_items=100),
]
Time = Annotated[
    str | None,
    QueryParameter(description="Seconds since 1970, or a date as of RFC 3339", max_length=64),
]
Limit = Annotated[int, QueryParameter(ge=-1, le=100_000, description="Metrics at most")]


class Found(msgspec.Struct):
    """Series, by their labels."""

    data: list[dict[str, str]]
    status: Literal["success"] = "success"
    warnings: list[str] | msgspec.UnsetType = msgspec.UNSET


class Names(msgspec.Struct):
    """Names or values."""

    data: list[str]
    status: Literal["success"] = "success"
    warnings: list[str] | msgspec.UnsetType = msgspec.UNSET


class Meaning(msgspec.Struct):
    """What a target says of a metric."""

    type: str
    help: str
    unit: str


class Meanings(msgspec.Struct):
    """What targets say of their metrics."""

    data: dict[str, list[Meaning]]
    status: Literal["success"] = "success"


class MatchForm(msgspec.Struct, rename={"match": "match[]"}):
    """Which series, in a form."""

    match: list[str] | str | None = None
    start: str | None = None
    end: str | None = None


_ROUTE: dict[str, Any] = {
    "exception_handlers": AS_PROMETHEUS,
    "responses": answers(),
    "status_code": 200,
}


@get("/api/v1/series", **_ROUTE)
async def series(
    parts: NamedDependency[Parts], match: Match = None, start: Time = None, end: Time = None
) -> Found:
    """Return the series that fit one of the selectors."""
    return await _series(parts, match or [], start, end)


@post("/api/v1/series", **_ROUTE)
async def series_form(parts: NamedDependency[Parts], data: URLEncodedBody[MatchForm]) -> Found:
    """Return the series that fit one of the selectors."""
    return await _series(parts, _several(data.match), data.start, data.end)


@get("/api/v1/labels", **_ROUTE)
async def labels(
    parts: NamedDependency[Parts], match: Match = None, start: Time = None, end: Time = None
) -> Names:
    """Return the names of all labels."""
    return await _labels(parts, match or [], start, end)


@post("/api/v1/labels", **_ROUTE)
async def labels_form(parts: NamedDependency[Parts], data: URLEncodedBody[MatchForm]) -> Names:
    """Return the names of all labels."""
    return await _labels(parts, _several(data.match), data.start, data.end)


@get("/api/v1/label/{name:str}/values", **_ROUTE)
async def label_values(
    parts: NamedDependency[Parts],
    name: FromPath[str],
    match: Match = None,
    start: Time = None,
    end: Time = None,
) -> Names:
    """Return the values of a label."""
    if not (name.isascii() and name.replace("_", "a").isalnum()) or name[0].isdigit():
        raise SyntaxIsWrongError(f"invalid label name: {name!r}")
    found, warnings = await _found(parts, match or [], start, end)
    values = {value for each in found for label, value in each if label == name}
    return Names(sorted(values), warnings=warnings)


@get("/api/v1/metadata", **_ROUTE)
async def metadata(
    parts: NamedDependency[Parts],
    metric: Annotated[str | None, QueryParameter(max_length=1_000)] = None,
    limit: Limit = -1,
) -> Meanings:
    """Return what targets say of their metrics."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for scrape in parts.roster:
        for name, said in scrape.ledger.metadata.items():
            if metric is None or name == metric:
                meaning = said.get("type", "unknown"), said.get("help", ""), said.get("unit", "")
                found.setdefault(name, set()).add(meaning)
    names = [*found][: len(found) if limit < 0 else limit]
    return Meanings({name: [Meaning(*each) for each in sorted(found[name])] for name in names})


routes = [series, series_form, labels, labels_form, label_values, metadata]


def _several(match: list[str] | str | None) -> list[str]:
    if match is None:
        return []
    return [match] if isinstance(match, str) else match


async def _series(parts: Parts, match: list[str], start: str | None, end: str | None) -> Found:
    if not match:
        raise SyntaxIsWrongError("no match[] parameter provided")
    found, warnings = await _found(parts, match, start, end)
    return Found([dict(each) for each in sorted(found)], warnings=warnings)


async def _labels(parts: Parts, match: list[str], start: str | None, end: str | None) -> Names:
    found, warnings = await _found(parts, match, start, end)
    return Names(sorted({label for each in found for label, _ in each}), warnings=warnings)


async def _found(
    parts: Parts, match: list[str], start: str | None, end: str | None
) -> tuple[set[Labels], list[str] | msgspec.UnsetType]:
    """Return the labels of all that fit, and what is missing. Lately is when nobody says for when."""
    now = parts.milliseconds()
    low, high = time_of("start", start, now - _LATELY), time_of("end", end, now)
    found: set[Labels] = set()
    missing: set[str] = set()
    for matchers in [selector(each) for each in match] or [_EVERYTHING]:
        some, warnings = await parts.queries.labels(matchers, low, high, now=now)
        found.update(some)
        missing |= warnings
    return found, sorted(missing) or msgspec.UNSET
