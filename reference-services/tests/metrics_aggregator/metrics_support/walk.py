"""A target whose samples have times of their own: whoever asks sees one step of the same walk after the other."""

import math
import random  # noqa: TID251 - seeded
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STEP = 15_000
STEPS = 60
SHOWN = 3
"""How often each step is shown: an answer that comes too late for the one who asked is lost."""
ONCE = "/once"
"""A path for those who never come too late."""

Walk = list[str]


def walk(seed: int, start: int) -> Walk:
    """Return the pages of a target, step by step."""
    lot = random.Random(seed)
    counters = {
        (method, status): float(lot.randrange(1000))
        for method in ("GET", "POST", "PUT")
        for status in ("200", "404", "500")
    }
    rooms = {room: lot.uniform(-20, 30) for room in ("attic", "cellar", "hall", "kitchen", "study")}
    buckets = {method: [0] * 6 for method in ("GET", "POST")}
    sums = dict.fromkeys(buckets, 0.0)
    pages: Walk = []
    for step in range(STEPS):
        time = start + step * STEP
        lines = ["# HELP requests_total Requests", "# TYPE requests_total counter"]
        for (method, status), count in counters.items():
            reset = lot.random() < 0.02
            counters[method, status] = (
                float(lot.randrange(5)) if reset else count + lot.randrange(20)
            )
            # Some are not there for a while, and one for longer than a sample holds.
            gone = (method == "PUT" and 20 <= step < 45) or lot.random() < 0.03
            if not gone:
                lines.append(
                    f'requests_total{{method="{method}",status="{status}"}} {counters[method, status]:g} {time}'
                )
        lines += ["# TYPE temperature gauge"]
        for room, degrees in rooms.items():
            rooms[room] = degrees + lot.uniform(-1, 1)
            shown = {0: math.nan, 1: math.inf, 2: -math.inf}.get(lot.randrange(300), rooms[room])
            text = "NaN" if math.isnan(shown) else f"{shown:+}".replace("inf", "Inf")
            lines.append(f'temperature{{room="{room}",floor="{len(room) % 3}"}} {text} {time}')
            if room != "hall":
                lines.append(f'wanted{{room="{room}"}} {len(room)} {time}')
        lines += ["# TYPE latency_seconds histogram"]
        for method, counts in buckets.items():
            for _ in range(lot.randrange(30)):
                seconds = lot.expovariate(3.0)
                sums[method] += seconds
                for place, bound in enumerate((0.05, 0.1, 0.25, 0.5, 1.0, math.inf)):
                    counts[place] += seconds <= bound
            for bound, count in zip(
                ("0.05", "0.1", "0.25", "0.5", "1", "+Inf"), counts, strict=True
            ):
                lines.append(
                    f'latency_seconds_bucket{{method="{method}",le="{bound}"}} {count} {time}'
                )
            lines.append(f'latency_seconds_sum{{method="{method}"}} {sums[method]!r} {time}')
            lines.append(f'latency_seconds_count{{method="{method}"}} {counts[-1]} {time}')
        pages.append("\n".join(lines) + "\n")
    return pages


class Quiet(ThreadingHTTPServer):
    """Who asks may hang up."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None: ...


class Walker:
    """Shows the walk; each path has its own place in it.

    Attributes:
        port: Where.
    """

    def __init__(self, pages: Walk) -> None:
        self._pages = pages
        self._seen: dict[str, int] = {}
        self._done: dict[str, threading.Event] = {}
        walker = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = walker._next(self.path).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None: ...

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def seen(self, path: str) -> threading.Event:
        """Return what is set once a path has shown all, and was asked once more."""
        return self._done.setdefault(path, threading.Event())

    def _next(self, path: str) -> str:
        place = self._seen.get(path, 0)
        self._seen[path] = place + 1
        step = place // (1 if path == ONCE else SHOWN)
        if step >= len(self._pages):
            self.seen(path).set()
            return self._pages[-1]
        return self._pages[step]

    @contextmanager
    def serving(self) -> Generator["Walker"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
