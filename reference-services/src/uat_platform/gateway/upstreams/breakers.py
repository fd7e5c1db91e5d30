"""The breakers of one upstream: each of its instances is left alone by itself."""

from collections.abc import Iterator

from uat_platform.gateway.upstreams.passing import DIALECT, unwell
from uat_resilience import BreakerSnapshot, CircuitBreaker, ConsecutiveFailures
from uat_service.resolver import Instance

__all__ = ["Breakers"]


class Breakers:
    """Keep a breaker for each instance that was asked. Belongs to one event loop.

    Args:
        name: What the routes call the upstream.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._each: dict[str, CircuitBreaker] = {}

    def update(self, *, failures: int, recovery_time: float) -> None:
        """Go by these settings from now on. Where each of them stands stays.

        Args:
            failures: How many in a row open one, at least 1.
            recovery_time: Seconds that an opening lasts, above 0.
        """
        self._trip = ConsecutiveFailures(failures)
        self._recovery_time = recovery_time
        for breaker in self._each.values():
            breaker.update(trip=self._trip, recovery_time=recovery_time)

    def of(self, instance: Instance) -> CircuitBreaker:
        """Return the breaker of an instance."""
        breaker = self._each.get(instance.url)
        if breaker is None:
            breaker = self._each[instance.url] = CircuitBreaker(
                f"{self._name}@{instance.url.partition('://')[2]}",
                trip=self._trip,
                on=unwell,
                ignore=_says_nothing,
                on_result=DIALECT.failed,
                recovery_time=self._recovery_time,
            )
        return breaker

    def forget(self, known: list[Instance]) -> None:
        """Drop those of instances that are gone, when there are many."""
        if len(self._each) > 2 * len(known) + 8:
            urls = {each.url for each in known}
            self._each = {url: each for url, each in self._each.items() if url in urls}

    def snapshots(self) -> Iterator[tuple[str, BreakerSnapshot]]:
        """Return each of them by name, at this moment."""
        return ((each.name, each.snapshot()) for each in [*self._each.values()])


def _says_nothing(error: Exception) -> bool:
    return not unwell(error)
