"""Queries over all samples: the newest from memory, older ones from the archive."""

from dataclasses import dataclass

import anyio.to_thread
from anyio import CancelScope

from uat_platform.metrics_aggregator.archive.archive import Archive
from uat_platform.metrics_aggregator.promql.engine import Limits, Query
from uat_platform.metrics_aggregator.promql.errors import QueryError, TakesTooLongError
from uat_platform.metrics_aggregator.promql.nodes import Selector
from uat_platform.metrics_aggregator.promql.values import Value
from uat_platform.metrics_aggregator.series.labels import Labels
from uat_platform.metrics_aggregator.series.matchers import Matcher
from uat_platform.metrics_aggregator.series.memory import Memory
from uat_platform.metrics_aggregator.series.samples import Samples, Series
from uat_resilience import Bulkhead
from uat_resilience.clock import default_clock
from uat_service.store import StoreUnavailableError

__all__ = ["Answer", "Queries"]

_AWAY = "the archive is not available: older samples are missing"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query is worth.

    Attributes:
        value: The values.
        warnings: What is missing from them.
    """

    value: Value
    warnings: tuple[str, ...] = ()


class Queries:
    """Answer queries. Belongs to one event loop; the arithmetic is done in threads.

    Args:
        memory: The newest samples.
        archive: The older ones.
        slots: Queries at once.
        limits: What holds for all of them.
        seconds: That one may take.
        most: Samples that one may read.
        span: Milliseconds for which memory keeps samples.
        began: Since when it does, in milliseconds since 1970.

    Attributes:
        limits: As they were given.
    """

    def __init__(
        self,
        memory: Memory,
        archive: Archive,
        *,
        slots: Bulkhead,
        limits: Limits,
        seconds: float,
        most: int,
        span: int,
        began: int,
    ) -> None:
        self._memory = memory
        self._archive = archive
        self._slots = slots
        self.limits = limits
        self._seconds = seconds
        self._most = most
        self._span = span
        self._began = began

    async def answer(self, query: Query, *, now: int, seconds: float | None = None) -> Answer:
        """Return what a query is worth.

        Args:
            query: What is asked.
            now: In milliseconds since 1970.
            seconds: That it may take, if that is less than what any may.

        Raises:
            QueryError: It cannot be said.
            BulkheadFullError: Too many are asked at once.
        """
        until = default_clock.clock.now() + min(seconds or self._seconds, self._seconds)
        left = CancelScope()

        def checkpoint() -> None:
            if left.cancel_called or default_clock.clock.now() > until:
                raise TakesTooLongError("query timed out in expression evaluation")

        async with self._slots.permit():
            series = dict[Selector, list[Series]]()
            warnings: set[str] = set()
            count = 0
            for each in query.needed:
                series[each.selector], missing = await self.select(
                    each.selector.matchers, each.start, each.end, now=now
                )
                warnings |= missing
                count += sum(len(one.samples) for one in series[each.selector])
                if count > self._most:
                    raise QueryError(
                        "query processing would load too many samples into memory in query execution"
                    )
                checkpoint()
            try:
                value = await anyio.to_thread.run_sync(
                    lambda: query.answer(series, checkpoint=checkpoint), abandon_on_cancel=True
                )
            except RecursionError as error:
                raise QueryError("the query is nested too deeply") from error
            finally:
                left.cancel()  # Whoever has gone waits for nothing: the thread ends at its next checkpoint.
        return Answer(value, tuple(sorted(warnings)))

    async def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, *, now: int
    ) -> tuple[list[Series], set[str]]:
        """Return the series that fit with the samples of a span, and what is missing."""
        newest = self._memory.select(matchers, start, end)
        if start >= self._complete(now):
            return newest, set()
        try:
            older = await self._archive.select(matchers, start, end, now)
        except StoreUnavailableError:
            return newest, {_AWAY}
        return _joined(older, newest), set()

    async def labels(
        self, matchers: tuple[Matcher, ...], start: int, end: int, *, now: int
    ) -> tuple[list[Labels], set[str]]:
        """Return the labels of the series that fit and have samples in a span, and what is missing."""
        found, missing = await self.select(matchers, start, end, now=now)
        return [each.labels for each in found], missing

    def covers(self, began: int) -> None:
        """Take note that memory has all samples since a time in milliseconds."""
        self._began = min(self._began, began)

    def _complete(self, now: int) -> int:
        return max(self._began, now - self._span)


def _joined(older: list[Series], newest: list[Series]) -> list[Series]:
    """Return each series once, with what memory has of it at the end."""
    found = {each.labels: each.samples for each in older}
    for each in newest:
        before = found.get(each.labels)
        if before is None:
            found[each.labels] = each.samples
            continue
        joined: Samples = before.between(0, each.samples.times[0] - 1)
        joined.times.extend(each.samples.times)
        joined.values.extend(each.samples.values)
        found[each.labels] = joined
    return [Series(labels, samples) for labels, samples in found.items()]
