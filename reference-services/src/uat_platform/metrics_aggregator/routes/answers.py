"""Answers as Prometheus gives them, and as the schema tells of them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, cast

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi import ResponseSpec

from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.promql.values import Value, is_ranges, is_vector, number
from uat_platform.metrics_aggregator.series.samples import Samples
from uat_service.problems import told

__all__ = ["AS_PROMETHEUS", "Data", "Refused", "Shown", "answers", "data"]

Point = list[float | str]


class Shown(msgspec.Struct, omit_defaults=True):
    """One series: with one value, or with several."""

    metric: dict[str, str]
    value: Point | msgspec.UnsetType = msgspec.UNSET
    values: list[Point] | msgspec.UnsetType = msgspec.UNSET


class Data(msgspec.Struct, rename="camel"):
    """What a query is worth. A scalar or a text is a time with its value."""

    result_type: Literal["vector", "matrix", "scalar", "string"]
    result: list[Shown | float | str]


class Refused(msgspec.Struct, rename="camel"):
    """Why a query is not answered."""

    error_type: str
    error: str
    status: Literal["error"] = "error"


def data(value: Value, time: int) -> Data:
    """Return a value as Prometheus writes it."""
    if isinstance(value, str):
        return Data("string", [_seconds(time), value])
    if isinstance(value, float):
        return Data("scalar", [*_point(time, value)])
    if value and is_ranges(value):
        series: list[Shown | float | str] = [
            Shown(dict(each.labels), values=_points(each.samples)) for each in value
        ]
        return Data("matrix", series)
    vector = value if is_vector(value) else []
    return Data(
        "vector", [Shown(dict(labels), value=_point(time, each)) for labels, each in vector]
    )


def _points(samples: Samples) -> list[Point]:
    return [_point(time, value) for time, value in samples]


def _point(time: int, value: float) -> Point:
    return [_seconds(time), number(value)]


def _seconds(time: int) -> float:
    return time // 1000 if time % 1000 == 0 else time / 1000


def _query_error(_: Request[Any, Any, Any], error: QueryError) -> Response[Refused]:
    return Response(Refused(error.kind, str(error)), status_code=error.status)


def _invalid(_: Request[Any, Any, Any], error: HTTPException) -> Response[Refused]:
    errors = told(error.extra)
    each = cast("list[object]", errors) if isinstance(errors, list) else []
    return Response(
        Refused("bad_data", "; ".join(map(_told, each)) or error.detail),
        status_code=error.status_code,
        headers=error.headers,
    )


def _told(extra: object) -> str:
    if not isinstance(extra, Mapping):
        return str(extra)
    named = cast("Mapping[str, object]", extra)
    return f'invalid parameter "{named.get("key", "")}": {named.get("message", "")}'


AS_PROMETHEUS: Any = {QueryError: _query_error, HTTPException: _invalid}
"""Exception handlers for routes that clients of Prometheus ask."""


def answers(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the refusals that a route may answer with in Prometheus' words, for `responses=`."""
    return {
        status: ResponseSpec(
            Refused, description=HTTPStatus(status).phrase, generate_examples=False
        )
        for status in (400, *statuses)
    }
