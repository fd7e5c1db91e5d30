"""What is counted of the traffic, under the names that the platform always had.

The label `service` is the name of a service that was registered, never what a client wrote into a path.
"""

from collections.abc import Iterator

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from uat_platform.load_balancer.balancing.host import State
from uat_platform.load_balancer.fleet import Fleet

__all__ = ["UNKNOWN", "Meters"]

UNKNOWN = "unknown"
"""The service of requests for one that is not registered."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_SERVICES = 1_000


class Meters(Collector):
    """Count requests, and show how the hosts are. Belongs to one event loop; shown in any thread.

    Args:
        fleet: The hosts.

    Attributes:
        counters: What is counted, to be registered with this.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._known: set[str] = set()
        self._requests = Counter(
            "load_balancer_requests",
            "Requests that were passed on, by the status of the answer",
            ["service", "method", "status"],
            registry=None,
        )
        self._seconds = Histogram(
            "load_balancer_request_duration_seconds",
            "Seconds from the arrival of a request to the end of its answer",
            ["service", "method"],
            registry=None,
        )
        self._failed = Counter(
            "load_balancer_failed_requests",
            "Requests that no host has answered",
            ["service", "reason"],
            registry=None,
        )
        self._retries = Counter(
            "load_balancer_retries",
            "Requests that were sent again, to another host",
            ["service", "reason"],
            registry=None,
        )
        self._ejections = Counter(
            "load_balancer_ejections", "Hosts that were left out", ["service"], registry=None
        )
        self._counters = (
            self._requests,
            self._seconds,
            self._failed,
            self._retries,
            self._ejections,
        )

    def register(self, registry: CollectorRegistry) -> None:
        """Show all of it in a registry."""
        registry.register(self)
        for each in self._counters:
            registry.register(each)

    def answered(self, service: str, method: str, status: int, seconds: float) -> None:
        """Count a request that a host has answered."""
        service, method = self._bounded(service), method if method in _METHODS else "_OTHER"
        self._requests.labels(service, method, str(status)).inc()
        self._seconds.labels(service, method).observe(seconds)

    def failed(self, service: str, reason: str) -> None:
        """Count a request that no host has answered."""
        self._failed.labels(self._bounded(service), reason).inc()

    def retried(self, service: str, reason: str) -> None:
        """Count a request that is sent again."""
        self._retries.labels(self._bounded(service), reason).inc()

    def ejected(self, service: str) -> None:
        """Count a host that is left out."""
        self._ejections.labels(self._bounded(service)).inc()

    def collect(self) -> Iterator[Metric]:
        """Return how the hosts are now."""
        now = self._fleet.now()
        active = _gauge("active_connections", "Requests that run at hosts")
        health = _gauge("service_health", "1 when a service has a host that is fit, else 0")
        panic = _gauge("panic", "1 when too few hosts are fit, so that all get requests")
        hosts = GaugeMetricFamily(
            "load_balancer_instances", "Hosts by state", labels=("service", "state")
        )
        for service, group in [*self._fleet.existing.items()]:
            there = [*group.hosts]
            active.add_metric((service,), sum(each.running for each in there))
            health.add_metric((service,), float(any(each.fit for each in there)))
            panic.add_metric((service,), float(group.panic))
            states = [each.state(now) for each in there]
            for state in State:
                hosts.add_metric((service, state.value), states.count(state))
        yield from (active, health, panic, hosts)

    def _bounded(self, service: str) -> str:
        if service not in self._known:
            if len(self._known) >= _SERVICES:
                return "other"
            self._known.add(service)
        return service


def _gauge(name: str, words: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"load_balancer_{name}", words, labels=("service",))
