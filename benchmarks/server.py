"""`python -m benchmarks.server`: what `ResilienceMiddleware` adds to a request, in this process, without a server.

Bare and guarded applications answer the same request, in one interleaved run. The best round counts: disturbances
only ever add.
"""

import sys
from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks.contenders import Call
from benchmarks.drivers import AsyncDriver
from benchmarks.measure import Plan, Subject, measured
from uat_resilience import AdaptiveLimiter, Bulkhead, GracefulShutdown
from uat_resilience.integrations.asgi import ResilienceMiddleware
from uat_resilience.integrations.serving.asgi_types import App, Receive, Scope, Send

__all__ = ["main"]

_BROWSER = {
    "host": "service:8000",
    "user-agent": "python-httpx/0.28.1",
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
    "connection": "keep-alive",
}
_SERVICE = {**_BROWSER, "x-request-id": "7f3a", "x-request-timeout-ms": "2000"}


async def _hello(_: Scope, __: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


async def _answer(_: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


def _subjects() -> dict[str, tuple[App, Mapping[str, str]]]:
    starlette = Starlette(routes=[Route("/", _answer)])
    return {
        "bare": (_hello, _BROWSER),
        "middleware": (ResilienceMiddleware(_hello), _BROWSER),
        "with an id and a deadline": (ResilienceMiddleware(_hello), _SERVICE),
        "with a shutdown": (
            ResilienceMiddleware(_hello, shutdown=GracefulShutdown()),
            _BROWSER,
        ),
        "with a bulkhead": (ResilienceMiddleware(_hello, limiter=Bulkhead(100)), _BROWSER),
        "with an adaptive limiter": (
            ResilienceMiddleware(_hello, limiter=AdaptiveLimiter()),
            _BROWSER,
        ),
        "with all of it": (
            ResilienceMiddleware(_hello, limiter=AdaptiveLimiter(), shutdown=GracefulShutdown()),
            _SERVICE,
        ),
        "Starlette, bare": (starlette, _BROWSER),
        "Starlette, with all of it": (
            ResilienceMiddleware(starlette, limiter=AdaptiveLimiter(), shutdown=GracefulShutdown()),
            _SERVICE,
        ),
    }


def _request(app: App, headers: Mapping[str, str]) -> Call:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None: ...

    async def request(_: object) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "root_path": "",
            "headers": raw,
        }
        await app(scope, receive, send)

    return request


def main(arguments: Sequence[str]) -> int:
    """Print a line for each application; an argument is the number of rounds."""
    plan = Plan(rounds=int(arguments[0])) if arguments else Plan()

    def progress(number: int) -> None:
        print(f"\rround {number} of {plan.rounds}", end="", file=sys.stderr, flush=True)

    with AsyncDriver() as driver:
        subjects = {
            name: Subject(driver, _request(app, headers), raising=False)
            for name, (app, headers) in _subjects().items()
        }
        best = {name: min(times) for name, times in measured(subjects, plan, progress).items()}
    print(file=sys.stderr)
    print("| hello, in this process | µs for a request | µs added |")
    print("|---|---|---|")
    for name, nanoseconds in best.items():
        bare = best["Starlette, bare" if name.startswith("Starlette") else "bare"]
        print(f"| {name} | {nanoseconds / 1e3:.1f} | {(nanoseconds - bare) / 1e3:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
