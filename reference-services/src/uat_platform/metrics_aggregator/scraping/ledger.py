"""What one target has shown: its series, how many were one too many, and which have ended.

Two scrapes of a target show mostly the same series, so the text of a series is looked up, and taken apart only
when it is new.
"""

from dataclasses import dataclass, field

from uat_platform.metrics_aggregator.scraping.exposition import Family, Line, identity, parts
from uat_platform.metrics_aggregator.series.labels import Labels, labelled
from uat_platform.metrics_aggregator.series.memory import Kept, Memory
from uat_platform.metrics_aggregator.series.samples import STALE

__all__ = ["Ledger", "Metadata", "Taken"]

Metadata = dict[str, dict[str, str]]
"""What is said of metrics: `help`, `type` and `unit` by the metric's name."""

_MOST_SAID = 5_000
_LONGEST = 2_048
_TOO_LATE = 600_000


@dataclass(slots=True)
class Taken:
    """What came of one scrape.

    Attributes:
        samples: Shown by the target.
        added: Series that were not there before.
        dropped: Samples of series that were one too many.
        wrong: Lines that made no sense.
    """

    samples: int = 0
    added: int = 0
    dropped: int = 0
    wrong: int = 0


@dataclass(slots=True, eq=False)
class _Entry:
    """A series, and the scrape that has shown it last; 0 when its samples have times of their own."""

    kept: Kept
    scrape: int = 0


@dataclass(slots=True, eq=False)
class Ledger:
    """Take down the samples of one target.

    A series that was there at the last scrape, and is not there now, has ended: it gets a mark.

    Attributes:
        memory: Where series are.
        own: Labels of the target, which every series gets. What a service says of itself by the same name is
            kept as `exported_...`.
        most: Series at most; those that come later are dropped and counted.
        metadata: What the target says of its metrics.
    """

    memory: Memory
    own: dict[str, str]
    most: int
    metadata: Metadata = field(default_factory=dict[str, dict[str, str]])
    _entries: dict[str, _Entry] = field(default_factory=dict[str, _Entry])
    _scrape: int = 0

    def __len__(self) -> int:
        return len(self._entries)

    def newest(self) -> list[tuple[str, Kept]]:
        """Return what was shown last, by how it was written."""
        return [
            (text, each.kept) for text, each in self._entries.items() if each.kept.samples.times
        ]

    def said(self, metric: str) -> dict[str, str]:
        """Return what the target says of a metric; the parts of a histogram are meant by its name."""
        for suffix in ("", "_total", "_bucket", "_count", "_sum"):
            found = (
                self.metadata.get(metric.removesuffix(suffix)) if metric.endswith(suffix) else None
            )
            if found is not None:
                return found
        return {}

    def begin(self) -> Taken:
        """Begin a scrape."""
        self._scrape += 1
        return Taken()

    def line(self, text: str, now: int, taken: Taken) -> None:
        """Take down one line of an answer."""
        try:
            found = parts(text)
            if isinstance(found, Line):
                self._sample(found, now, taken)
            elif found is not None:
                self._said(found)
        except ValueError:
            taken.wrong += 1

    def end(self, now: int) -> None:
        """End the series that were not shown in this scrape."""
        gone = [text for text, entry in self._entries.items() if 0 < entry.scrape < self._scrape]
        for text in gone:
            kept = self._entries.pop(text).kept
            # The answer may have broken off behind this very sample.
            last = kept.samples.times[-1] if kept.samples.times else now
            self.memory.append(kept, max(now, last + 1), STALE)

    def down(self, now: int) -> None:
        """End all series: the target does not answer."""
        self._scrape += 1
        self.end(now)

    def append(self, labels: dict[str, str], now: int, value: float) -> None:
        """Take down something that is known about the target itself."""
        kept = self.memory.series(labelled({**labels, **self.own}))
        if kept is not None:
            self.memory.append(kept, now, value)

    def _sample(self, line: Line, now: int, taken: Taken) -> None:
        taken.samples += 1
        entry = self._entries.get(line.series)
        if entry is None:
            if len(self._entries) >= self.most:
                taken.dropped += 1
                return
            kept = self.memory.series(self._labels(line.series))
            if kept is None:
                taken.dropped += 1
                return
            entry = self._entries[line.series] = _Entry(kept)
            taken.added += 1
        if line.time is None:
            entry.scrape = self._scrape
            self.memory.append(entry.kept, now, line.value)
        elif line.time <= now + _TOO_LATE:
            self.memory.append(entry.kept, line.time, line.value)

    def _labels(self, series: str) -> Labels:
        if len(series) > _LONGEST:
            raise ValueError("the labels of a series are too long")
        shown = identity(series)
        clashing = {name: f"exported_{name}" for name in shown if name in self.own}
        renamed = {clashing.get(name, name): value for name, value in shown.items()}
        return labelled({**renamed, **self.own})

    def _said(self, family: Family) -> None:
        if len(self.metadata) < _MOST_SAID or family.name in self.metadata:
            self.metadata.setdefault(family.name, {})[family.field] = family.text[:_LONGEST]
