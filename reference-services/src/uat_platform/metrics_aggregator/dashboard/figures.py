"""The queries behind the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass

from uat_platform.metrics_aggregator.promql.durations import spelled
from uat_platform.metrics_aggregator.promql.engine import Query
from uat_platform.metrics_aggregator.promql.values import is_ranges, is_vector
from uat_platform.metrics_aggregator.querying import Queries

__all__ = ["OPERATORS", "Figures", "Line", "Lines"]

OPERATORS = "/|/events|/federate|/health.*|/metrics|/resilience|/livez|/readyz|/startupz"
"""Routes whose requests are not counted: probes and scrapes say nothing about users."""

Line = list[float | None]
Lines = dict[tuple[str, ...], Line]


@dataclass(frozen=True, slots=True)
class Figures:
    """Ask for lines and numbers of one span.

    Attributes:
        queries: Answers.
        now: The end of the span, in milliseconds.
        window: Its length.
        step: Between two points of a line.
        rate: Over which rates are taken.
        service: Whose figures are wanted, or an empty text for those of all.
    """

    queries: Queries
    now: int
    window: int
    step: int
    rate: int
    service: str = ""

    @property
    def times(self) -> range:
        """The moments of the lines, in milliseconds."""
        end = self.now // self.step * self.step
        return range(end - self.window + self.step, end + 1, self.step)

    def served(self, more: str = "") -> str:
        """Return a selector of requests that users made."""
        return f'{{http_route!~"{OPERATORS}"{self._own()}{more}}}'

    def of(self, metric: str, more: str = "") -> str:
        """Return a selector of a metric."""
        return f'{metric}{{job!=""{self._own()}{more}}}'

    @property
    def lately(self) -> str:
        """The range of rates, as it is written in a query."""
        return f"[{spelled(self.rate)}]"

    async def lines(self, query: str, *by: str) -> Lines:
        """Return what a query is worth over the span, by the values of some labels."""
        times = self.times
        asked = Query.over(query, times[0], times[-1], self.step, limits=self.queries.limits)
        value = (await self.queries.answer(asked, now=self.now)).value
        found: Lines = {}
        places = {time: place for place, time in enumerate(times)}
        for series in value if is_ranges(value) else []:
            line: Line = [None] * len(times)
            for time, each in series.samples:
                line[places[time]] = each if abs(each) < float("inf") else None
            found[_key(dict(series.labels), by)] = line
        return found

    async def numbers(self, query: str, *by: str) -> dict[tuple[str, ...], float]:
        """Return what a query is worth now, by the values of some labels."""
        asked = Query.instant(query, self.now, limits=self.queries.limits)
        value = (await self.queries.answer(asked, now=self.now)).value
        return {
            _key(dict(labels), by): each
            for labels, each in (value if is_vector(value) else [])
            if abs(each) < float("inf")
        }

    def _own(self) -> str:
        name = self.service.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f',job="{name}"' if self.service else ""


def _key(labels: dict[str, str], by: Sequence[str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in by)
