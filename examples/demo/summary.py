"""What the run came to, computed from its records."""

from collections.abc import Callable

from examples.demo.clients import TOTAL
from examples.demo.load import Side
from examples.demo.phases import Span
from examples.demo.picture import Run, latencies
from examples.demo.score import Outcome
from examples.demo.table import Cell, Paint, Row, graded, percent, row


def summary(run: Run, lasted: float) -> list[Row]:
    """Return the rows of the table that ends a run, which may have been cut short."""

    def each(label: str, cell: Callable[[Side], Cell | str]) -> Row:
        return row(label, *map(cell, run.sides))

    calls = len(run.sides[0].score.records)
    facts = f"{calls} calls in {lasted:.0f} s, seed {run.seed}; in time is within {TOTAL:g} s"
    return [
        Row(Cell(f"Summary: {facts}", Paint.BOLD)),
        each("", lambda side: Cell(side.title, Paint.BOLD)),
        each("answered in time", lambda side: _share(side.score.success())),
        *(each(f"  {span.phase.name}", _success_in(span)) for span in run.story.spans()),
        each("answered late", lambda side: str(side.score.count(Outcome.LATE))),
        each("failed", lambda side: str(side.score.count(Outcome.FAILED))),
        each("refused at once", lambda side: str(side.score.count(Outcome.REFUSED))),
        each("retries", lambda side: str(side.client.retries)),
        each("upstream requests", _amplification),
        each("  in the outage", lambda side: str(side.upstream.counts.received.get("outage", 0))),
        each("  answered to nobody", lambda side: str(side.upstream.counts.wasted)),
        each("latency p50/p95/p99", latencies),
        each("waited in vain", lambda side: f"{side.score.waited_in_vain():.0f} s"),
        each("well after the outage", lambda side: _recovery(run, side, lasted)),
    ]


def _success_in(span: Span) -> Callable[[Side], Cell]:
    return lambda side: _share(side.score.success(span.since, span.until))


def _share(share: float | None) -> Cell:
    return graded(share, percent(share))


def _amplification(side: Side) -> str:
    received, made = side.upstream.received, len(side.score.records)
    return f"{received} ({received / made:.2f} a call)" if made else str(received)


def _recovery(run: Run, side: Side, lasted: float) -> Cell:
    outage_end = run.story.outage_end()
    if lasted <= outage_end:
        return Cell("-")
    after = side.score.well_again(outage_end, lasted)
    if after is None:
        return Cell(f"not in {lasted - outage_end:.1f} s", Paint.RED)
    return Cell(f"{after:.1f} s", Paint.GREEN)
