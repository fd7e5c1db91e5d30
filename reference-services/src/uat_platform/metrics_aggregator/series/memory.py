"""The newest samples of all series, in memory.

A series is an entry of an index by metric, and two arrays that forget their oldest part. Nothing is written
down here, so nothing has to be read back at the start.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from uat_platform.metrics_aggregator.series.labels import NAME, Labels, value_of
from uat_platform.metrics_aggregator.series.matchers import Matcher, matches, metric_of
from uat_platform.metrics_aggregator.series.samples import Samples, Series, is_stale

__all__ = ["Kept", "Memory"]

_SLACK = 64
"""Samples by which a series may be too long, so that it is seldom cut."""


@dataclass(slots=True, eq=False)
class Kept:
    """One series in memory.

    Attributes:
        labels: Of the series.
        samples: The newest ones.
        archived: Time of the newest sample that was handed to the archive, by the archive's resolution.
    """

    labels: Labels
    samples: Samples = field(default_factory=Samples)
    archived: dict[int, int] = field(default_factory=dict[int, int])


class Memory:
    """Keep the newest samples of each series. Belongs to one event loop.

    Args:
        span: Milliseconds that are kept.
        most: Series at most.

    Attributes:
        refused: Series that were one too many.
    """

    def __init__(self, *, span: int, most: int) -> None:
        self._span = span
        self._most = most
        self._all: dict[Labels, Kept] = {}
        self._by_metric: dict[str, dict[Labels, Kept]] = {}
        self.refused = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Kept]:
        """Return all series, the oldest first."""
        return iter([*self._all.values()])

    def series(self, labels: Labels) -> Kept | None:
        """Return a series to append to, new if need be; None when there is no room for it."""
        kept = self._all.get(labels)
        if kept is None:
            if len(self._all) >= self._most:
                self.refused += 1
                return None
            kept = self._all[labels] = Kept(labels)
            self._by_metric.setdefault(value_of(labels, NAME), {})[labels] = kept
        return kept

    def append(self, kept: Kept, time: int, value: float) -> bool:
        """Add a sample to a series; return False for one that is not newer than the last."""
        if not kept.samples.append(time, value):
            return False
        times = kept.samples.times
        # Checked at the end of the slack: cutting moves all that is behind it, so it is done for many at once.
        if len(times) > _SLACK and times[_SLACK] < time - self._span:
            del times[:_SLACK], kept.samples.values[:_SLACK]
        return True

    def select(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Series]:
        """Return copies of what fits, with the samples of a span, both ends included."""
        found: list[Series] = []
        for kept in self.find(matchers):
            samples = kept.samples.between(start, end)
            if samples.times:
                found.append(Series(kept.labels, samples))
        return found

    def find(self, matchers: tuple[Matcher, ...]) -> list[Kept]:
        """Return the series that fit."""
        metric = metric_of(matchers)
        among = self._all if metric is None else self._by_metric.get(metric, {})
        return [kept for labels, kept in among.items() if matches(matchers, labels)]

    def newest(self, metric: str) -> list[tuple[Labels, Samples]]:
        """Return the series of a metric that have not ended. May be called from any thread."""
        family = self._by_metric.get(metric)
        if family is None:
            return []
        shown = [(kept.labels, kept.samples) for kept in [*family.values()]]
        return [
            (labels, samples)
            for labels, samples in shown
            if samples.times and not is_stale(samples.values[-1])
        ]

    @property
    def metrics(self) -> list[str]:
        """The names of all metrics."""
        return [*self._by_metric]

    def forget(self, before: int) -> int:
        """Drop series whose last sample is older than this; return how many."""
        old = [
            each
            for each in self._all.values()
            if not each.samples.times or each.samples.times[-1] < before
        ]
        for each in old:
            metric = value_of(each.labels, NAME)
            del self._all[each.labels]
            family = self._by_metric[metric]
            del family[each.labels]
            if not family:
                del self._by_metric[metric]
        return len(old)
