"""Requests per second, p95 and breaker states out of what a service tells about itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from typing import cast

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from uat_resilience import BreakerState

__all__ = ["Sample", "Traffic", "between", "breakers", "sampled"]

_DURATION = "http_server_request_duration_seconds"
_LOOKS = ("/health", "/metrics", "/resilience", "/livez", "/readyz", "/startupz")


@dataclass(frozen=True, slots=True)
class Sample:
    """How many requests took at most how long, since the service was started.

    Attributes:
        at: When, on the clock of whoever asked.
        buckets: Requests by upper bound in seconds; cumulative.
    """

    at: float
    buckets: Mapping[float, float] = field(default_factory=dict[float, float])

    @property
    def count(self) -> float:
        """All requests."""
        return self.buckets.get(inf, 0.0)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a service is busy with.

    Attributes:
        rate: Requests per second; None when it is not known.
        p95: Seconds in which 95 of 100 requests were answered; None without requests.
        breakers: The state of each circuit breaker.
    """

    rate: float | None = None
    p95: float | None = None
    breakers: Mapping[str, str] = field(default_factory=dict[str, str])


def sampled(text: str, *, at: float) -> Sample | None:
    """Return what `/metrics` says about requests; None when it says nothing, or nonsense."""
    try:
        told = [each for each in text_string_to_metric_families(text) if each.name == _DURATION]
        buckets = _summed(told)
    except (ValueError, KeyError):
        return None
    return Sample(at, buckets) if told else None


def between(older: Sample, newer: Sample) -> Traffic:
    """Return the traffic between two samples. Counts that went back are those of a new process."""
    nothing: Mapping[float, float] = {}
    before = older.buckets if newer.count >= older.count else nothing
    elapsed = newer.at - older.at
    grown = {bound: n - before.get(bound, 0.0) for bound, n in sorted(newer.buckets.items())}
    count = grown.get(inf, 0.0)
    if elapsed <= 0:
        return Traffic()
    return Traffic(count / elapsed, _quantile(grown, 0.95 * count) if count > 0 else None)


def breakers(report: object) -> dict[str, str]:
    """Return the state of each breaker, out of what `/resilience` answers."""
    found: dict[str, str] = {}
    for name, breaker in _table(_table(report).get("circuit_breakers")).items():
        state = _table(breaker).get("state")
        if isinstance(state, int) and 0 <= state < len(BreakerState):
            found[name] = BreakerState(state).name.lower().replace("_", "-")
    return found


def _summed(families: Iterable[Metric]) -> dict[float, float]:
    """Return the requests by upper bound, whatever they were for."""
    buckets: dict[float, float] = {}
    for sample in chain.from_iterable(family.samples for family in families):
        if sample.name == f"{_DURATION}_bucket" and not _looked(sample.labels):
            bound = float(sample.labels["le"])
            buckets[bound] = buckets.get(bound, 0.0) + sample.value
    return buckets


def _looked(labels: Mapping[str, str]) -> bool:
    """Return whether these are requests of those who look, ours among them."""
    return labels.get("http_route", "").startswith(_LOOKS)


def _table(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _quantile(grown: Mapping[float, float], rank: float) -> float:
    """Return where the rank falls, as Prometheus does it: evenly inside a bucket, never beyond the last bound."""
    lower, below = 0.0, 0.0
    for bound, count in grown.items():
        if count >= rank:
            if bound == inf:
                return lower
            inside = count - below
            return lower + (bound - lower) * ((rank - below) / inside if inside else 1.0)
        lower, below = bound, count
    return lower
