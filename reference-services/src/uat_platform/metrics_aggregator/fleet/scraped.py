"""Metrics of the aggregator itself: how its scrapes go, and what it has dropped."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from uat_platform.metrics_aggregator.scraping.roster import Roster
from uat_platform.metrics_aggregator.scraping.scrape import Health
from uat_platform.metrics_aggregator.series.memory import Memory

__all__ = ["Scraped"]


class Scraped(Collector):
    """Show how scrapes go. May collect in any thread.

    Args:
        roster: The scrapes.
        memory: Where the samples are.
    """

    def __init__(self, roster: Roster, memory: Memory) -> None:
        self._roster = roster
        self._memory = memory

    def collect(self) -> Iterator[Metric]:
        """Return all families."""
        scrapes = [*self._roster]
        targets = GaugeMetricFamily(
            "metrics_aggregator_targets", "Targets by how they are", labels=("health",)
        )
        for health in Health:
            count = sum(each.outcome.health is health for each in scrapes)
            targets.add_metric((health.value,), count)
        ended = CounterMetricFamily(
            "metrics_aggregator_scrapes",
            "Scrapes by how they ended",
            labels=("service", "target", "outcome"),
        )
        dropped = CounterMetricFamily(
            "metrics_aggregator_samples_dropped",
            "Samples of series that were one too many",
            labels=("service", "target"),
        )
        for each in scrapes:
            name = each.target.job, each.target.instance
            for outcome, count in each.count.items():
                ended.add_metric((*name, outcome), count)
            dropped.add_metric(name, each.dropped)
        yield targets
        yield ended
        yield dropped
        yield GaugeMetricFamily(
            "metrics_aggregator_series", "Series in memory", value=len(self._memory)
        )
        yield CounterMetricFamily(
            "metrics_aggregator_series_refused",
            "Series for which there was no room in memory",
            value=self._memory.refused,
        )
