"""What became of the calls of one side, and the figures drawn from it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

BUCKET = 0.5
WELL = 0.9


class Outcome(Enum):
    """How a call ended for the one who made it."""

    IN_TIME = auto()
    LATE = auto()
    FAILED = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Record:
    """One call: when it began, in seconds from the start of the run, how long it took, its end."""

    started: float
    elapsed: float
    outcome: Outcome


@dataclass(slots=True)
class Score:
    """The calls of one side."""

    records: list[Record] = field(default_factory=list)
    in_flight: int = 0

    def count(self, outcome: Outcome) -> int:
        """Count the calls that ended so."""
        return sum(record.outcome is outcome for record in self.records)

    def success(self, since: float = 0.0, until: float = math.inf) -> float | None:
        """Return the share answered in time of the calls begun in `[since, until)`, if any were."""
        return _share_in_time(r for r in self.records if since <= r.started < until)

    def recent_success(self, since: float) -> float | None:
        """Return the share answered in time of the calls that ended since then, if any did."""
        return _share_in_time(r for r in self.records if r.started + r.elapsed >= since)

    def latency(self, quantile: float) -> float | None:
        """Return a quantile of the time to the end, good or bad, of all calls not refused."""
        waits = sorted(r.elapsed for r in self.records if r.outcome is not Outcome.REFUSED)
        return waits[min(int(quantile * len(waits)), len(waits) - 1)] if waits else None

    def waited_in_vain(self) -> float:
        """Return the seconds that callers waited, all together, for no answer or one too late."""
        return sum(r.elapsed for r in self.records if r.outcome is not Outcome.IN_TIME)

    def timeline(self, cell: float, cells: int) -> list[float | None]:
        """Return the success of `cells` stretches of `cell` seconds, by the start of a call."""
        started: list[list[Record]] = [[] for _ in range(cells)]
        for record in self.records:
            started[min(int(record.started / cell), cells - 1)].append(record)
        return [_share_in_time(records) for records in started]

    def well_again(self, since: float, until: float) -> float | None:
        """Return when, counted from `since`, calls began to be answered in time for good.

        For good means that every later half second has at least nine answers of ten in time.
        """
        well_from = None
        for i in range(math.ceil((until - since) / BUCKET)):
            start = since + i * BUCKET
            share = self.success(start, start + BUCKET)
            if share is not None and share < WELL:
                well_from = None
            elif share is not None and well_from is None:
                well_from = start
        return None if well_from is None else well_from - since


def _share_in_time(records: Iterable[Record]) -> float | None:
    outcomes = [record.outcome for record in records]
    return outcomes.count(Outcome.IN_TIME) / len(outcomes) if outcomes else None
