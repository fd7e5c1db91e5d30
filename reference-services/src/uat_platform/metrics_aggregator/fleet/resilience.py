"""`/resilience` of the whole fleet: each service in the shape of old, and all of them together."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from uat_platform.metrics_aggregator.scraping.report import Json
from uat_platform.metrics_aggregator.scraping.scrape import Health, Scrape

__all__ = ["COUNTERS", "fleet", "health_of"]

COUNTERS: tuple[str, ...] = (
    "total_requests",
    "successful_requests",
    "failed_requests",
    "rejected_requests",
    "timeout_requests",
    "circuit_breaker_trips",
    "retry_attempts",
    "bulkhead_rejections",
)
_STATES = ("closed", "half_open", "open", "forced_open", "forced_closed")
_SEVERITY = {"closed": 0, "forced_closed": 1, "half_open": 2, "open": 3, "forced_open": 4}


def fleet(own: Mapping[str, object], scrapes: Iterable[Scrape]) -> dict[str, object]:
    """Return what all services' policies have seen.

    Args:
        own: The report of this service, which stays at the top.
        scrapes: Of all services.
    """
    by_service: dict[str, list[Scrape]] = {}
    for scrape in scrapes:
        by_service.setdefault(scrape.target.job, []).append(scrape)
    services = {name: _service(name, instances) for name, instances in by_service.items()}
    return {**own, "services": services, "summary": _summary(services, by_service)}


def _service(name: str, scrapes: list[Scrape]) -> dict[str, object]:
    reports = [each.report.resilience for each in scrapes if each.report and each.report.resilience]
    breakers = _breakers(reports)
    worst = max(breakers.values(), key=_severity, default=None)
    return {
        "service": name,
        "health": health_of(scrapes),
        "resilience_metrics": _added(_mapping(each.get("resilience_metrics")) for each in reports),
        "circuit_breaker": worst,
        "circuit_breakers": breakers,
        "instances": {
            each.target.instance: {
                "health": each.outcome.health.value,
                "scrape_breaker": each.breaker.state.name.lower(),
                "last_error": each.outcome.error or None,
            }
            for each in scrapes
        },
        "timestamp": max((str(each.get("timestamp", "")) for each in reports), default=None),
    }


def health_of(scrapes: list[Scrape]) -> str:
    """Return how a service is that has several instances: degraded as long as some are well."""
    states = {each.outcome.health for each in scrapes}
    if states == {Health.UP}:
        told = {str((each.report.health if each.report else {}).get("status")) for each in scrapes}
        return "healthy" if told <= {"healthy", "None"} else "degraded"
    if Health.UP in states:
        return "degraded"
    return "down" if Health.DOWN in states else "unknown"


def _added(metrics: Iterable[Json]) -> dict[str, int]:
    found = dict.fromkeys(COUNTERS, 0)
    for each in metrics:
        for name in COUNTERS:
            value = each.get(name, 0)
            found[name] += int(value) if isinstance(value, int | float) else 0
    return found


def _breakers(reports: list[Json]) -> dict[str, Json]:
    """Return the breakers of all instances; of those with one name the worst."""
    found: dict[str, Json] = {}
    for report in reports:
        for name, breaker in _mapping(report.get("circuit_breakers")).items():
            shown = _mapping(breaker)
            if name not in found or _severity(shown) > _severity(found[name]):
                found[name] = shown
    return found


def _severity(breaker: Json) -> int:
    return _SEVERITY[_state(breaker)]


def _state(breaker: Json) -> str:
    state = breaker.get("state")
    return _STATES[state] if isinstance(state, int) and 0 <= state < len(_STATES) else "closed"


def _summary(
    services: dict[str, dict[str, object]], by_service: dict[str, list[Scrape]]
) -> dict[str, object]:
    counters = _added(_mapping(each["resilience_metrics"]) for each in services.values())
    states = [
        _state(breaker)
        for each in services.values()
        for breaker in cast("dict[str, Json]", each["circuit_breakers"]).values()
    ]
    healths = [str(each["health"]) for each in services.values()]
    ended = counters["successful_requests"] + counters["failed_requests"]
    tries = counters["total_requests"] + counters["retry_attempts"]
    return {
        "services": len(services),
        "instances": sum(map(len, by_service.values())),
        **{state: healths.count(state) for state in ("healthy", "degraded", "down", "unknown")},
        "circuit_breakers": {state: states.count(state) for state in _STATES},
        **counters,
        "success_rate": 100.0 * counters["successful_requests"] / ended if ended else 100.0,
        "retry_share": 100.0 * counters["retry_attempts"] / tries if tries else 0.0,
    }


def _mapping(value: Any) -> Json:  # noqa: ANN401 - JSON of somebody else
    return cast("Json", value) if isinstance(value, dict) else {}
