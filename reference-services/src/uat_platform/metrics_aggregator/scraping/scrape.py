"""One target, asked again and again."""

from dataclasses import dataclass, field
from enum import Enum

import httpx2
import structlog

from uat_platform.metrics_aggregator.scraping.fetching import Fetcher, ScrapeError
from uat_platform.metrics_aggregator.scraping.ledger import Ledger, Taken
from uat_platform.metrics_aggregator.scraping.report import Report, reported
from uat_platform.metrics_aggregator.scraping.target import Target
from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    Pipeline,
    TimedOutError,
    Timeout,
)
from uat_resilience.clock import default_clock, wall_time

__all__ = ["Cadence", "Health", "Outcome", "Scrape"]

_FAILURES = (httpx2.HTTPError, ScrapeError, TimedOutError, OSError)


class Health(Enum):
    """Whether a target answers."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Cadence:
    """How targets are asked.

    Attributes:
        interval: Seconds from one scrape of a target to the next.
        timeout: Seconds that one may take.
        failures: In a row, after which a target is left alone.
        longest: Intervals that it is left alone at most: nobody waits longer to see a service that is back.
    """

    interval: float
    timeout: float
    failures: int = 5
    longest: float = 3.0

    def recovery(self, openings: int) -> float:
        """Return for how long a target is left alone: twice as long each time."""
        return self.interval * min(self.longest, 2.0 ** min(openings, 10))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last scrape of a target ended.

    Attributes:
        health: Whether it has answered.
        at: When, in seconds since 1970.
        seconds: It took.
        error: What went wrong, or an empty text.
        taken: What the target has shown.
        truncated: Whether its answer was longer than what is read.
    """

    health: Health = Health.UNKNOWN
    at: float = 0.0
    seconds: float = 0.0
    error: str = ""
    taken: Taken = field(default_factory=Taken)
    truncated: bool = False


class Scrape:
    """Ask a target for its metrics, and for how it and its policies are.

    The target has a breaker of its own. Slots are shared by all: a target that is slow holds one of them, and
    the others have the rest.

    Args:
        target: Whom to ask.
        ledger: Where its samples go.
        fetcher: Asks.
        cadence: How.
        slots: Scrapes at once.

    Attributes:
        target: Whom it asks.
        ledger: What was found.
        breaker: Whether it is left alone.
        outcome: How the last scrape ended.
        report: What the target says of itself, or None.
        count: Scrapes so far, by how they ended.
        dropped: Samples that were one too many, so far.
    """

    def __init__(
        self,
        target: Target,
        ledger: Ledger,
        *,
        fetcher: Fetcher,
        cadence: Cadence,
        slots: Bulkhead,
    ) -> None:
        self.target = target
        self.ledger = ledger
        self.outcome = Outcome()
        self.report: Report | None = None
        self.count = {"success": 0, "failure": 0, "refused": 0}
        self.dropped = 0
        self._fetcher = fetcher
        self._cadence = cadence
        self.breaker = CircuitBreaker(
            f"scrape/{target.instance}",
            trip=ConsecutiveFailures(cadence.failures),
            on=_FAILURES,
            recovery_time=cadence.recovery,
        )
        guard = Pipeline(
            self.breaker,
            slots,
            Timeout(cadence.timeout),
            name=f"scrape/{target.instance}",
        )
        self._read = guard(self._reading)

    async def once(self) -> None:
        """Scrape once; whatever comes of it is in `outcome`, nothing is raised but cancellation."""
        at, began = wall_time(), default_clock.clock.now()
        now = round(at * 1000)
        taken = self.ledger.begin()
        health, error, truncated, ended = Health.UP, "", False, "success"
        try:
            truncated = await self._read(now, taken)
            self.ledger.end(now)
        except (CircuitOpenError, BulkheadFullError) as refusal:
            health, error, ended = Health.DOWN, f"not asked: {refusal}", "refused"
        except Exception as failure:
            health, ended = Health.DOWN, "failure"
            error = f"{type(failure).__name__}: {failure}"[:300]
            if not isinstance(failure, _FAILURES):
                _logger.exception("a scrape failed", url=self.target.url, exc_info=failure)
        if health is Health.DOWN:
            self.ledger.down(now)
        seconds = default_clock.clock.now() - began
        self.count[ended] += 1
        self.dropped += taken.dropped
        self.outcome = Outcome(health, at, seconds, error, taken, truncated)
        self._tell(now)
        if health is Health.UP:
            self.report = await reported(self._fetcher, self.target, seconds=self._cadence.timeout)

    def _tell(self, now: int) -> None:
        """Take down how the scrape went, as Prometheus does."""
        outcome = self.outcome
        told = {
            "up": float(outcome.health is Health.UP),
            "scrape_duration_seconds": outcome.seconds,
            "scrape_samples_scraped": float(outcome.taken.samples),
            "scrape_samples_post_metric_relabeling": float(
                outcome.taken.samples - outcome.taken.dropped
            ),
            "scrape_series_added": float(outcome.taken.added),
            "scrape_samples_dropped": float(outcome.taken.dropped),
        }
        for name, value in told.items():
            self.ledger.append({"__name__": name}, now, value)

    async def _reading(self, now: int, taken: Taken) -> bool:
        """Take down what the target shows; return whether there was more than is read."""
        lines = self._fetcher.lines(self.target.url, seconds=self._cadence.timeout)
        some: list[str] = [""]
        async for some in lines:
            for line in some:
                self.ledger.line(line, now, taken)
        if taken.wrong and not taken.samples:
            raise ScrapeError("the answer has no metrics in it")
        return not some


_logger = structlog.get_logger("uat_platform.metrics_aggregator")
