"""A run as a page of the documentation, and as what `make bench` prints."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks import tables
from benchmarks.contention import THREADS
from benchmarks.report import Report

__all__ = ["PAGE", "page", "printed"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_TEMPLATE = Path(__file__).with_name("page.md")


def page(report: Report) -> str:
    """Return the page."""
    return _TEMPLATE.read_text(encoding="utf-8").format(
        burst=f"{report.plan.burst * 1e3:.0f}",
        rounds=report.plan.rounds,
        noise=tables.noise(report),
        bare=tables.bare_calls(report),
        machine=report.machine,
        contenders=tables.contenders(report),
        parts="\n\n".join(_parts(report)),
    )


def printed(report: Report) -> str:
    """Return what a terminal shows."""
    missing = [f"Not installed: {each}" for each in report.missing]
    return "\n\n".join([str(report.machine), *missing, *_parts(report)])


def _parts(report: Report) -> Iterator[str]:
    if report.figures:
        yield "## What is to be reached"
        yield tables.targets(report)
        yield "## What each guard adds"
        yield "Nanoseconds over bare. *To ours* is the ratio to what ours adds."
        yield from tables.comparison(report)
    if report.rejections:
        yield "## Who was not timed"
        yield tables.rejections(report)
    if report.contention:
        yield "## Threads"
        yield (
            f"{THREADS} threads share one object. For the counts they change places as often as the\n"
            "interpreter can: a breaker must count every failure, and a bulkhead of four must never\n"
            "let in five, nor lose a slot. For the throughput it is left as it is, and all calls succeed."
        )
        yield tables.contention(report)
    if report.imports:
        yield "## Import"
        yield (
            f"Best of {report.plan.processes} fresh processes, once the interpreter has started, "
            "from compiled modules."
        )
        yield tables.imports(report)
