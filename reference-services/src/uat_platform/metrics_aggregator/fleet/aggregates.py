"""Services and metrics in the shapes of old: a metric over all services, and a service with its metrics."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from uat_platform.metrics_aggregator.scraping.scrape import Health, Scrape
from uat_platform.metrics_aggregator.series.labels import NAME
from uat_platform.metrics_aggregator.series.memory import Memory
from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["Aggregate", "Record", "aggregate", "record"]

_POINTS = 1_000


class Metric(msgspec.Struct):
    """A sample of a service."""

    name: str
    value: float | None
    type: str
    help: str
    labels: dict[str, str]
    timestamp: str


class Record(msgspec.Struct):
    """A service, and what it measures now."""

    service_id: str
    service_type: str
    endpoint: str
    last_update: str | None
    metrics: dict[str, Metric]
    health: Literal["unknown", "healthy", "unhealthy"]
    labels: dict[str, str]


class Aggregations(msgspec.Struct):
    """What the values come to."""

    sum: float | None
    avg: float | None
    min: float | None
    max: float | None
    count: int


class OldPoint(msgspec.Struct):
    """A sample."""

    timestamp: str
    value: float | None
    labels: dict[str, str]


class Aggregate(msgspec.Struct):
    """A metric over all services."""

    name: str
    type: str
    help: str
    values: dict[str, float | None]
    aggregations: Aggregations
    time_series: list[OldPoint]
    last_update: str


_HEALTHS: dict[Health, Literal["unknown", "healthy", "unhealthy"]] = {
    Health.UNKNOWN: "unknown",
    Health.UP: "healthy",
    Health.DOWN: "unhealthy",
}


def record(scrape: Scrape) -> Record:
    """Return a service, and what it measures now."""
    labels = dict(scrape.target.labels)
    metrics: dict[str, Metric] = {}
    for text, kept in scrape.ledger.newest():
        named = dict(kept.labels)
        name = named.pop(NAME, "")
        said = scrape.ledger.said(name)
        metrics[text] = Metric(
            name=name,
            value=_finite(kept.samples.values[-1]),
            type=said.get("type", "untyped"),
            help=said.get("help", ""),
            labels=named,
            timestamp=_written(kept.samples.times[-1]),
        )
    at = scrape.outcome.at
    return Record(
        service_id=scrape.target.job,
        service_type=labels.get("language", "python"),
        endpoint=scrape.target.base,
        last_update=_written(round(at * 1000)) if at else None,
        metrics=metrics,
        health=_HEALTHS[scrape.outcome.health],
        labels=labels,
    )


def aggregate(
    memory: Memory, metric: str, scrapes: Iterable[Scrape], *, points: int = _POINTS
) -> Aggregate | None:
    """Return a metric over all services, or None when nobody has it.

    Args:
        memory: The samples.
        metric: Name of the metric.
        scrapes: Who may know what it means.
        points: Of its history at most.
    """
    rows = [(dict(labels), samples) for labels, samples in memory.newest(metric)]
    if not rows:
        return None
    values: dict[str, float] = {}
    for labels, samples in rows:
        service = labels.get("job", "")
        values[service] = values.get(service, 0.0) + samples.values[-1]
    known = (each.ledger.said(metric) for each in scrapes)
    said: dict[str, str] = next(filter(None, known), dict[str, str]())
    return Aggregate(
        name=metric,
        type=said.get("type", "untyped"),
        help=said.get("help", ""),
        values={name: _finite(value) for name, value in values.items()},
        aggregations=_aggregations([each for each in values.values() if math.isfinite(each)]),
        time_series=_history(rows, points),
        last_update=_written(max(samples.times[-1] for _, samples in rows)),
    )


def _aggregations(values: list[float]) -> Aggregations:
    return Aggregations(
        sum=sum(values) if values else None,
        avg=sum(values) / len(values) if values else None,
        min=min(values, default=None),
        max=max(values, default=None),
        count=len(values),
    )


def _history(rows: list[tuple[dict[str, str], Samples]], points: int) -> list[OldPoint]:
    """Return the newest points of all rows together, in order of time."""
    history = sorted(
        (
            (time, value, labels)
            for labels, samples in rows
            for time, value in [*samples][-points:]
            if points
        ),
        key=lambda each: each[0],
    )
    return [
        OldPoint(_written(time), _finite(value), labels)
        for time, value, labels in history[-points:]
    ]


def _finite(value: float) -> float | None:
    """Return a number that JSON knows, or None."""
    return value if math.isfinite(value) else None


def _written(milliseconds: int) -> str:
    date = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
