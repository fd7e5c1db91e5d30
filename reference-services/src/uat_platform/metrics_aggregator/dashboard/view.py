"""Everything that the dashboard shows, as JSON."""

from math import isfinite
from typing import Any

from uat_platform.metrics_aggregator.dashboard.figures import Figures, Line, Lines
from uat_platform.metrics_aggregator.dashboard.map import edges
from uat_platform.metrics_aggregator.fleet.resilience import health_of
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.promql.buckets import histogram_quantile
from uat_platform.metrics_aggregator.promql.values import Vector
from uat_platform.metrics_aggregator.scraping.scrape import Scrape

__all__ = ["WINDOWS", "view"]

Json = dict[str, Any]

WINDOWS = {"5m": 300_000, "15m": 900_000, "1h": 3_600_000, "6h": 21_600_000}
_POINTS = 75
_REQUESTS = "http_server_request_duration_seconds"
_OPEN, _HALF_OPEN = 2, 1


async def view(parts: Parts, window: str, service: str) -> Json:
    """Return what the dashboard shows of a span that ends now.

    Args:
        parts: Of the service.
        window: One of `WINDOWS`.
        service: Whose charts are wanted, or an empty text for all.
    """
    interval = round(parts.settings.scrape_interval * 1000)
    length = WINDOWS[window]
    step = max(interval, length // _POINTS // 1000 * 1000)
    figures = Figures(
        parts.queries,
        parts.milliseconds(),
        length,
        step,
        # Two scrapes at least are needed for a rate, and one may be missing.
        max(4 * interval, step, 20_000),
        service,
    )
    return {
        "at": figures.now / 1000,
        "window": window,
        "service": service,
        "interval": parts.settings.scrape_interval,
        "times": [time // 1000 for time in figures.times],
        "services": await _services(parts, figures),
        "edges": edges(parts.roster),
        "charts": await _charts(figures),
        "breakers": await _breakers(figures),
        "bulkheads": await _bulkheads(figures),
        "alerts": [
            {
                "name": dict(alert.labels)["alertname"],
                "severity": dict(alert.labels).get("severity", "none"),
                "state": alert.state,
                "summary": alert.annotations.get("summary", ""),
                "since": alert.since,
            }
            for alert in parts.watch.board.alerts
        ],
    }


async def _charts(figures: Figures) -> Json:
    counted, lately = f"{_REQUESTS}_count", figures.lately
    rates = await figures.lines(f"sum by (job) (rate({counted}{figures.served()}{lately}))", "job")
    failed = figures.served(',http_response_status_code=~"5.."')
    failures = await figures.lines(f"sum by (job) (rate({counted}{failed}{lately}))", "job")
    calls = await figures.lines(
        f"sum by (job) (rate({figures.of('uat_calls_total')}{lately}))", "job"
    )
    retries = await figures.lines(
        f"sum by (job) (rate({figures.of('uat_retries_total')}{lately}))", "job"
    )
    buckets = await figures.lines(
        f"sum by (le) (rate({_REQUESTS}_bucket{figures.served()}{lately}))", "le"
    )
    latency = {f"p{rank}": _quantiles(rank / 100, buckets) for rank in (50, 95, 99)}
    return {
        "rate": _named(rates),
        "errors": _share(failures, rates),
        "latency": latency,
        "retries": _share(retries, calls),
    }


def _quantiles(rank: float, buckets: Lines) -> Line:
    """Return a quantile over time, from the lines of the buckets: they are asked for once for all quantiles."""
    found: Line = []
    for counts in zip(*buckets.values(), strict=True):
        vector = Vector(
            [
                ((("le", key[0]),), count)
                for key, count in zip(buckets, counts, strict=True)
                if count is not None
            ]
        )
        value = histogram_quantile(rank, vector)
        found.append(value[0][1] if value and isfinite(value[0][1]) else None)
    return found


def _named(lines: Lines) -> Json:
    return {key[0]: line for key, line in sorted(lines.items())}


def _share(part: Lines, whole: Lines) -> Json:
    """Return which share of something something else is; none of it where there is nothing of it."""
    shares: Json = {}
    for key, line in sorted(whole.items()):
        parts = part.get(key, [None] * len(line))
        shares[key[0]] = [
            None if all_ is None else ((some or 0.0) / all_ if all_ else 0.0)
            for some, all_ in zip(parts, line, strict=True)
        ]
    return shares


async def _services(parts: Parts, figures: Figures) -> list[Json]:
    everywhere = Figures(figures.queries, figures.now, figures.window, figures.step, figures.rate)
    counted, lately = f"{_REQUESTS}_count", figures.lately
    served = everywhere.served()
    failed = everywhere.served(',http_response_status_code=~"5.."')
    rates = await everywhere.numbers(f"sum by (job) (rate({counted}{served}{lately}))", "job")
    failures = await everywhere.numbers(f"sum by (job) (rate({counted}{failed}{lately}))", "job")
    slow = await everywhere.numbers(
        f"histogram_quantile(0.95, sum by (le, job) (rate({_REQUESTS}_bucket{served}{lately})))",
        "job",
    )
    by_service = dict[str, list[Scrape]]()
    for scrape in parts.roster:
        by_service.setdefault(scrape.target.job, []).append(scrape)
    found: list[Json] = []
    for name, scrapes in by_service.items():
        rate = rates.get((name,), 0.0)
        found.append(
            {
                "name": name,
                "health": health_of(scrapes),
                "instances": len(scrapes),
                "up": sum(each.outcome.health.value == "up" for each in scrapes),
                "rate": rate,
                "errors": failures.get((name,), 0.0) / rate if rate else 0.0,
                "p95": slow.get((name,)),
                "why": next((each.outcome.error for each in scrapes if each.outcome.error), ""),
            }
        )
    return found


async def _breakers(figures: Figures) -> list[Json]:
    """Return the state of each breaker over time: 0 closed, 1 half-open, 2 open; the worst of all instances."""
    state = "max by (job, policy) (" + figures.of("uat_breaker_state", ',state=~"%s"') + ")"
    opened = await figures.lines(state % "open|forced_open", "job", "policy")
    halves = await figures.lines(state % "half_open", "job", "policy")
    found: list[Json] = []
    for key, line in sorted(opened.items()):
        half = halves.get(key, [None] * len(line))
        levels = [
            None if is_open is None else (_OPEN if is_open else (_HALF_OPEN if is_half else 0))
            for is_open, is_half in zip(line, half, strict=True)
        ]
        found.append({"service": key[0], "policy": key[1], "levels": levels})
    return found


async def _bulkheads(figures: Figures) -> list[Json]:
    by = "job", "policy"
    running, waiting, limits = [
        await figures.numbers(f"sum by (job, policy) ({figures.of(metric)})", *by)
        for metric in ("uat_bulkhead_running", "uat_bulkhead_waiting", "uat_limit")
    ]
    return [
        {
            "service": key[0],
            "policy": key[1],
            "running": count,
            "waiting": waiting.get(key, 0.0),
            "limit": limits.get(key),
        }
        for key, count in sorted(running.items())
    ]
