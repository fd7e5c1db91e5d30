"""Metrics of one application: what its server does, what its policies do, and what its process uses.

    http_server_request_duration_seconds{http_request_method,http_route,http_response_status_code}
    http_server_active_requests
    uat_calls_total{policy,outcome}, uat_breaker_state{policy,state}, ...
    process_*, python_gc_*, target_info

Each application has a registry of its own, so that two of them live in one process.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import cast

import anyio
from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from uat_resilience.integrations.prometheus import Watched, instrument
from uat_resilience.telemetry import EventBus

__all__ = ["UNMATCHED", "Metrics"]

UNMATCHED = "unmatched"
"""The route of requests that no route was found for: labels are templates, never what a client sent."""

_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
# Those of OpenTelemetry's conventions for HTTP.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_BOUNDS = (*map(str, _BUCKETS), "+Inf")
_SERIES = 2_000
_OTHER = "other"


class Metrics:
    """Count requests, and show all there is when the server of metrics asks.

    Not thread-safe: one application counts in one event loop.

    Args:
        service: Name of the service.
        version: Its version.
        bus: Whose policies to count. Default: `uat_resilience.default_bus`.

    Attributes:
        registry: Where further metrics of the service go.
        tally: What was counted of policies.
        active: Requests that are being served.
    """

    def __init__(self, *, service: str, version: str, bus: EventBus | None = None) -> None:
        # When each series began is one more series for each; nobody asks, and it holds for the whole process.
        cast("Callable[[], None]", disable_created_metrics)()
        self.registry = CollectorRegistry()
        self.active = 0
        self._durations = _Durations()
        self.registry.register(self._durations)
        active = Gauge(
            "http_server_active_requests",
            "Requests that are being served",
            registry=self.registry,
        )
        active.set_function(lambda: self.active)
        info = Info("target", "What is measured", registry=self.registry)
        info.info({"service_name": service, "service_version": version})
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._policies = instrument(bus, registry=self.registry)
        self.tally = self._policies.tally

    def watch(self, *policies: Watched) -> None:
        """Show the state and the slots of these policies too."""
        self._policies.watch(*policies)

    def close(self) -> None:
        """Count no more calls through policies."""
        self._policies.close()

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that is over.

        Args:
            method: Any; those that HTTP does not know are counted as `_OTHER`.
            route: Template of its path.
            status: Of the answer; 0 when there was none.
            seconds: It took.
        """
        series = self._durations.series.get((method, route, status))
        if series is None:
            series = self._durations.begin(method, route, status)
        series.counts[bisect_left(_BUCKETS, seconds)] += 1
        series.seconds += seconds

    async def exposition(self, accept: str) -> tuple[str, bytes]:
        """Return the content type and all metrics, as Prometheus text or as OpenMetrics.

        Made in a worker thread: many series take a while, in which requests are served.
        """
        encode, kind = choose_encoder(accept)
        return kind, await anyio.to_thread.run_sync(encode, self.registry)


class _Durations(Collector):
    """The histogram of all requests, kept as plain numbers: one loop counts, so it takes no lock."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str, int], _Series] = {}

    def collect(self) -> Iterator[Metric]:
        """Return what has been counted so far; in any thread."""
        family = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Seconds from the arrival of a request to the end of its answer",
            labels=("http_request_method", "http_route", "http_response_status_code"),
        )
        for (method, route, status), series in [*self.series.items()]:
            family.add_metric(
                (method, route, str(status) if status else ""),
                buckets=[*zip(_BOUNDS, accumulate(series.counts), strict=True)],
                sum_value=series.seconds,
            )
        yield family

    def begin(self, method: str, route: str, status: int) -> "_Series":
        """Return where to count requests with this method, route and status."""
        if method not in _METHODS:
            method = "_OTHER"
        if (method, route, status) in self.series:
            return self.series[method, route, status]
        if len(self.series) >= _SERIES:
            route = _OTHER
        return self.series.setdefault((method, route, status), _Series())


class _Series:
    """The requests with one method, route and status.

    Attributes:
        counts: How many took how long; the last is above all bounds.
        seconds: They took in all.
    """

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.seconds = 0.0
