"""A fleet that is not there: ten services whose metrics are functions of time, with a past and a crisis."""

import json
import math
import random  # noqa: TID251 - seeded
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CALLS = {
    "legacy-bridge": ("api-gateway",),
    "api-gateway": ("auth", "load-balancer", "chat"),
    "chat": ("auth", "llm-router", "memory", "websocket-hub"),
    "memory": ("auth",),
    "websocket-hub": ("auth",),
    "llm-router": ("cache-coordinator",),
    "auth": ("cache-coordinator",),
    "metrics-aggregator": ("load-balancer",),
    "load-balancer": (),
    "cache-coordinator": (),
}
# Requests each second, and seconds that a usual one takes.
USUAL = {
    "legacy-bridge": (3.0, 0.06),
    "api-gateway": (42.0, 0.02),
    "chat": (9.0, 0.18),
    "memory": (14.0, 0.03),
    "websocket-hub": (6.0, 0.008),
    "llm-router": (5.0, 0.7),
    "auth": (30.0, 0.006),
    "metrics-aggregator": (1.0, 0.02),
    "load-balancer": (12.0, 0.004),
    "cache-coordinator": (55.0, 0.002),
}
Json = dict[str, Any]


class Walk:
    """The metrics of one service, from one moment to the next.

    Args:
        name: Of the service.
        ill: From when to when one of its dependencies fails, in seconds since 1970.
    """

    def __init__(self, name: str, ill: tuple[float, float]) -> None:
        self.name = name
        self._ill = ill
        self._lot = random.Random(name)
        self._buckets = dict.fromkeys(("200", "503"), [0.0] * (len(BOUNDS) + 1))
        self._sums = dict.fromkeys(self._buckets, 0.0)
        self._calls = self._retries = 0.0
        self._cpu = 0.0
        self._last: float | None = None
        self._lock = threading.Lock()

    def state(self, dependency: str, at: float) -> str:
        start, end = self._ill
        if (self.name, dependency) != ("chat", "llm-router") or not start <= at < end:
            return "closed"
        return "half_open" if (at - start) % 60 > 45 else "open"

    def page(self, at: float) -> str:
        with self._lock:
            self._go(at)
            return "".join(f"{line}\n" for line in self._lines(at))

    def _go(self, at: float) -> None:
        passed = 5.0 if self._last is None else max(0.0, at - self._last)
        self._last = at
        rate, usual = USUAL[self.name]
        wave = 1 + 0.25 * math.sin(at / 140 + len(self.name)) + self._lot.uniform(-0.06, 0.06)
        ill = self._ill[0] <= at < self._ill[1] and self.name in {
            "chat",
            "llm-router",
            "api-gateway",
        }
        share = (
            {"chat": 0.22, "llm-router": 0.35, "api-gateway": 0.04}.get(self.name, 0.0)
            if ill
            else 0.002
        )
        count = rate * wave * passed
        for status, part in (("200", count * (1 - share)), ("503", count * share)):
            counts = [*self._buckets[status]]
            for place, bound in enumerate((*BOUNDS, math.inf)):
                middle = usual * (4 if ill else 1)
                counts[place] += part * (1 - math.exp(-((bound / middle) ** 1.3)))
            self._buckets[status] = counts
            self._sums[status] += part * usual
        self._calls += count * max(1, len(CALLS[self.name]))
        self._retries += count * (0.35 if ill else 0.01)
        self._cpu += passed * rate / 300

    def _lines(self, at: float) -> Generator[str]:
        yield "# TYPE http_server_request_duration_seconds histogram"
        for status, counts in self._buckets.items():
            labels = f'http_request_method="GET",http_route="/things",http_response_status_code="{status}"'
            name = "http_server_request_duration_seconds"
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
                yield f'{name}_bucket{{{labels},le="{bound}"}} {count}'
            yield f"{name}_count{{{labels}}} {counts[-1]}"
            yield f"{name}_sum{{{labels}}} {self._sums[status]}"
        yield f'uat_calls_total{{policy="{self.name}/requests",outcome="success"}} {self._calls}'
        yield f'uat_retries_total{{policy="{self.name}/retry"}} {self._retries}'
        for dependency in CALLS[self.name]:
            for state in ("closed", "half_open", "open"):
                on = int(self.state(dependency, at) == state)
                yield f'uat_breaker_state{{policy="{dependency}",state="{state}"}} {on}'
        running = round(USUAL[self.name][0] * (1 + 0.4 * math.sin(at / 50 + len(self.name))))
        yield f'uat_bulkhead_running{{policy="{self.name}/requests"}} {running}'
        yield f'uat_bulkhead_waiting{{policy="{self.name}/requests"}} {max(0, running - 60)}'
        yield f'uat_limit{{policy="{self.name}/requests"}} {100 if running > 30 else 32}'
        yield f"process_cpu_seconds_total {self._cpu}"
        yield f"process_resident_memory_bytes {6e7 + 1e6 * len(self.name)}"
        yield 'python_info{version="3.11"} 1'

    def health(self, at: float) -> Json:
        ill = {name: self.state(name, at) != "closed" for name in CALLS[self.name]}
        return {
            "status": "degraded" if any(ill.values()) else "healthy",
            "dependencies": {
                name: {"status": "unhealthy" if is_ill else "healthy"}
                for name, is_ill in ill.items()
            },
        }

    def resilience(self, at: float) -> Json:
        states = {"closed": 0, "half_open": 1, "open": 2}
        return {
            "service": self.name,
            "resilience_metrics": {
                "total_requests": int(self._calls),
                "successful_requests": int(self._buckets["200"][-1]),
                "failed_requests": int(self._buckets["503"][-1]),
                "retry_attempts": int(self._retries),
            },
            "circuit_breakers": {
                name: {"state": states[self.state(name, at)]} for name in CALLS[self.name]
            },
            "timestamp": "2026-01-01T00:00:00Z",
        }


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None: ...


@contextmanager
def shown(walk: Walk, now: Any) -> Generator[int]:
    """Serve a service's pages; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            at = now()
            pages = {
                "/metrics": lambda: walk.page(at),
                "/health": lambda: json.dumps(walk.health(at)),
                "/resilience": lambda: json.dumps(walk.resilience(at)),
            }
            body = pages[self.path]().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
