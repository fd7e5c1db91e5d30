"""Who calls whom: from the dependencies that services name on their health pages, and from their breakers."""

from collections.abc import Iterable
from typing import Any, cast

from uat_platform.metrics_aggregator.scraping.scrape import Scrape

__all__ = ["edges"]

Json = dict[str, Any]
_STATES = ("closed", "half_open", "open", "open", "closed")


def edges(scrapes: Iterable[Scrape]) -> list[Json]:
    """Return the edges between services that are known, each once.

    A dependency is one when it is called like a service. Its state is that of a breaker of the same name, or else
    what the health page says.
    """
    known = [*scrapes]
    names = {each.target.job for each in known}
    found: dict[tuple[str, str], Json] = {}
    for scrape in known:
        if scrape.report is None:
            continue
        dependencies = _mapping(scrape.report.health.get("dependencies"))
        breakers = _mapping(scrape.report.resilience.get("circuit_breakers"))
        for name in (*dependencies, *breakers):
            target = _service(name, names)
            if target is None or target == scrape.target.job:
                continue
            health = _mapping(dependencies.get(name)).get("status", "unknown")
            edge = {
                "from": scrape.target.job,
                "to": target,
                "health": health if isinstance(health, str) else "unknown",
                "breaker": _state(_mapping(breakers.get(name))),
            }
            key = scrape.target.job, target
            if key not in found or _severity(edge) > _severity(found[key]):
                found[key] = edge
    return [found[key] for key in sorted(found)]


def _service(name: str, names: set[str]) -> str | None:
    """Return the service that something is called after: itself, or its first part, as in `auth/breaker`."""
    if name in names:
        return name
    first = name.split("/", maxsplit=1)[0].split(":", maxsplit=1)[0]
    return first if first in names else None


def _state(breaker: Json) -> str | None:
    state = breaker.get("state")
    return _STATES[state] if isinstance(state, int) and 0 <= state < len(_STATES) else None


def _severity(edge: Json) -> int:
    return 2 * int(edge["breaker"] == "open") + int(edge["health"] == "unhealthy")


def _mapping(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
