"""The live picture of a run: the phase, and both sides next to each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examples.demo.load import Side
from examples.demo.phases import PHASES, Story
from examples.demo.score import Outcome
from examples.demo.server import QUEUE
from examples.demo.table import Cell, Paint, Row, column_width, graded, percent, row

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.:-=+*#"
RECENT = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """What is shown: the two sides, and the facts of the run."""

    sides: Sequence[Side]
    seconds: float
    seed: int
    rate: float

    @property
    def story(self) -> Story:
        """When which phase is in force."""
        return Story(self.seconds)


def picture(run: Run, now: float, *, width: int, bars: str) -> list[Row]:
    """Return the rows that show the run at `now` seconds."""

    def each(label: str, cell: Callable[[Side], Cell | str]) -> Row:
        return row(label, *map(cell, run.sides))

    cells = column_width(width, len(run.sides)) - 2
    return [
        Row(Cell(_title(run, now), Paint.BOLD)),
        Row(Cell(_phase(run, now))),
        row(""),
        each("", lambda side: Cell(side.title, Paint.BOLD)),
        each("breaker", _guard),
        each("answered in time", _answered),
        each(f"  in the last {RECENT:.0f} s", lambda side: _recent(side, now)),
        each("callers waiting", lambda side: str(side.score.in_flight)),
        each("refused at once", lambda side: str(side.score.count(Outcome.REFUSED))),
        each("retries", lambda side: str(side.client.retries)),
        each("upstream requests", lambda side: str(side.upstream.received)),
        each("  waiting in its queue", _queue),
        each("  answered to nobody", lambda side: str(side.upstream.counts.wasted)),
        each("latency p50/p95/p99", latencies),
        each("waited in vain", lambda side: f"{side.score.waited_in_vain():.0f} s"),
        row(""),
        each("in time, by start", lambda side: Cell(_bars(run, side, now, cells, bars))),
        row("", *[Cell(_ruler(cells), Paint.DIM)] * len(run.sides)),
    ]


def latencies(side: Side) -> str:
    """Write the latency quantiles of a side, in seconds."""
    quantiles = [side.score.latency(quantile) for quantile in (0.5, 0.95, 0.99)]
    return " / ".join("-" if wait is None else f"{wait:.2f}" for wait in quantiles) + " s"


def _title(run: Run, now: float) -> str:
    shown = min(now, run.seconds)
    facts = f"seed {run.seed}, {run.rate:.0f} calls a second, {shown:.1f} of {run.seconds:.0f} s"
    return f"uat-resilience demo: {facts}"


def _phase(run: Run, now: float) -> str:
    if now >= run.seconds:
        return "the last calls end"
    phase = run.story.at(now).phase
    return f"server: {phase.name}. {phase.describe()}"


def _guard(side: Side) -> Cell:
    guard = side.client.guard
    paints = {"OPEN": Paint.RED, "HALF_OPEN": Paint.YELLOW, "CLOSED": Paint.GREEN}
    return Cell(guard, paints.get(guard.split(",")[0], Paint.DIM))


def _answered(side: Side) -> str:
    good, made = side.score.count(Outcome.IN_TIME), len(side.score.records)
    return f"{good} of {made} ({percent(side.score.success())})"


def _recent(side: Side, now: float) -> Cell:
    share = side.score.recent_success(now - RECENT)
    return graded(share, percent(share))


def _queue(side: Side) -> Cell:
    queued = side.upstream.counts.queued
    return graded(1.0 - queued / QUEUE, f"{queued} of {QUEUE}")


def _bars(run: Run, side: Side, now: float, cells: int, bars: str) -> str:
    shares = side.score.timeline(run.seconds / cells, cells)
    drawn = min(cells, int(now / run.seconds * cells))
    return "".join(
        " " if share is None else bars[round(share * (len(bars) - 1))] for share in shares[:drawn]
    )


def _ruler(cells: int) -> str:
    """Write each phase's name over its stretch of the timeline, cut to fit."""
    ruler = ""
    for phase in PHASES:
        stretch = round(phase.until * cells) - len(ruler)
        ruler += phase.name[: max(stretch - 1, 0)].ljust(stretch)
    return ruler
