"""The `unified_*` metrics: what services call by names of their own, under one name for all of them.

requests_total, errors_total, request_duration_seconds   http_server_request_duration_seconds
active_connections                                       http_server_active_requests
memory_usage_bytes, cpu_usage_percent                    process_*
message_queue_depth                                      uat_bulkhead_waiting
cache_hit_rate                                           cache_requests_total{result}
ml_inference_latency_seconds                             gen_ai_server_request_duration_seconds
"""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from uat_platform.metrics_aggregator.fleet.histograms import histogram
from uat_platform.metrics_aggregator.series.memory import Memory
from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["Unified"]

Row = tuple[dict[str, str], Samples]
Sums = dict[tuple[str, ...], float]

_REQUESTS = "http_server_request_duration_seconds"
_METHOD, _STATUS = "http_request_method", "http_response_status_code"
_LANGUAGES = {
    "python_info": "python",
    "go_info": "go",
    "nodejs_version_info": "node",
    "rust_info": "rust",
}
_PAIR = 2


class Unified(Collector):
    """Show the newest samples of all services. May collect in any thread.

    Args:
        memory: The samples.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def collect(self) -> Iterator[Metric]:
        """Return all families, also those that are empty."""
        language = self._languages()
        yield from self._requests(language)
        yield histogram(
            "unified_request_duration_seconds",
            "Seconds that requests took",
            ("service", "method", "language"),
            buckets=self._rows(f"{_REQUESTS}_bucket"),
            sums=self._rows(f"{_REQUESTS}_sum"),
            key=lambda labels: (labels["job"], labels.get(_METHOD, ""), language(labels)),
        )
        for name, words, metric, value in _GAUGES:
            sums: Sums = {}
            for labels, samples in self._rows(metric):
                _add(sums, (labels["job"], language(labels)), value(samples))
            yield _gauge(name, words, ("service", "language"), sums)
        queues: Sums = {}
        for labels, samples in self._rows("uat_bulkhead_waiting"):
            _add(queues, (labels.get("policy", ""), labels["job"]), samples.values[-1])
        yield _gauge(
            "unified_message_queue_depth", "What waits in a queue", ("queue", "service"), queues
        )
        yield self._caches()
        yield histogram(
            "unified_ml_inference_latency_seconds",
            "Seconds that answers of models took",
            ("model", "framework", "language"),
            buckets=self._rows("gen_ai_server_request_duration_seconds_bucket"),
            sums=self._rows("gen_ai_server_request_duration_seconds_sum"),
            key=lambda labels: (
                labels.get("gen_ai_request_model", ""),
                labels.get("gen_ai_system", ""),
                language(labels),
            ),
        )

    def _rows(self, metric: str) -> list[Row]:
        return [
            ({"job": "", **dict(labels)}, samples)
            for labels, samples in self._memory.newest(metric)
        ]

    def _languages(self) -> Callable[[dict[str, str]], str]:
        """Return what tells the language of a target: its label, or the metrics of its runtime."""
        known = {
            labels.get("instance", ""): language
            for metric, language in _LANGUAGES.items()
            for labels, _ in self._rows(metric)
        }
        return lambda labels: (
            labels.get("language") or known.get(labels.get("instance", ""), "unknown")
        )

    def _requests(self, language: Callable[[dict[str, str]], str]) -> Iterator[Metric]:
        requests: Sums = {}
        errors: Sums = {}
        for labels, samples in self._rows(f"{_REQUESTS}_count"):
            status, spoken = labels.get(_STATUS, ""), language(labels)
            count = samples.values[-1]
            _add(requests, (labels["job"], labels.get(_METHOD, ""), status, spoken), count)
            if status.startswith("5") or not status:
                kind = f"http_{status}" if status else "client_left"
                _add(errors, (labels["job"], kind, spoken), count)
        yield _counter(
            "unified_requests",
            "Requests that were served",
            ("service", "method", "status", "language"),
            requests,
        )
        yield _counter(
            "unified_errors",
            "Requests that failed, by how",
            ("service", "error_type", "language"),
            errors,
        )

    def _caches(self) -> Metric:
        hits: Sums = {}
        all_: Sums = {}
        for labels, samples in self._rows("cache_requests_total"):
            key = labels["job"], labels.get("tier", labels.get("cache_type", "all"))
            _add(all_, key, samples.values[-1])
            if labels.get("result") == "hit":
                _add(hits, key, samples.values[-1])
        shares = {key: hits.get(key, 0.0) / count for key, count in all_.items() if count}
        return _gauge(
            "unified_cache_hit_rate",
            "Share of look-ups that were answered by a cache, from 0 to 1",
            ("service", "cache_type"),
            shares,
        )


def _per_second(samples: Samples) -> float:
    """Return how fast the last two samples rise, in percent of one core."""
    if len(samples) < _PAIR:
        return 0.0
    seconds = (samples.times[-1] - samples.times[-2]) / 1000
    return 100.0 * max(0.0, samples.values[-1] - samples.values[-2]) / seconds


def _newest(samples: Samples) -> float:
    return samples.values[-1]


_GAUGES: tuple[tuple[str, str, str, Callable[[Samples], float]], ...] = (
    (
        "unified_active_connections",
        "Requests that are being served",
        "http_server_active_requests",
        _newest,
    ),
    ("unified_memory_usage_bytes", "Resident memory", "process_resident_memory_bytes", _newest),
    (
        "unified_cpu_usage_percent",
        "Processor time, in percent of one core",
        "process_cpu_seconds_total",
        _per_second,
    ),
)


def _add(sums: Sums, key: tuple[str, ...], value: float) -> None:
    sums[key] = sums.get(key, 0.0) + value


def _gauge(name: str, words: str, labels: tuple[str, ...], sums: Sums) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for key, value in sums.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, words: str, labels: tuple[str, ...], sums: Sums) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for key, value in sums.items():
        family.add_metric(key, value)
    return family
