"""What simulations found, as text for people."""

from collections.abc import Sequence

from uat_resilience.simulate.figures import Figures
from uat_resilience.telemetry.events import BreakerStateChanged

__all__ = ["comparison", "summary"]

_LABELS = (
    *("arrived", "in time", "otherwise", "errors"),
    *("calls made", "queue", "latency", "breakers"),
)
_LATENCIES = (("mean", "mean"), ("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"))
_CHANGES = 6  # As many changes of breakers as a summary spells out.


def summary(result: Figures) -> str:
    """Return a few lines about one result."""
    endings, latencies = result.endings, result.latencies
    lines = (
        f"{result.arrivals} calls in {result.duration:g} s",
        f"{endings.good} ({_share(endings.good, result.arrivals)}), {result.goodput:.1f} a second",
        f"{endings.late} late, {endings.failed} failed, {endings.refused} refused",
        ", ".join(f"{name} {times}" for name, times in result.kinds) or "none",
        f"{result.calls}, {result.amplification:.2f} for each, {result.wasted} for nobody",
        f"at most {longest_queue(result)}",
        ", ".join(f"{name} {_time(getattr(latencies, key))}" for name, key in _LATENCIES),
        _breakers(result.breaker_changes),
    )
    width = max(map(len, _LABELS))
    told = (f"  {label:<{width}}  {line}" for label, line in zip(_LABELS, lines, strict=True))
    return "\n".join([result.title, *told])


def comparison(results: Sequence[Figures]) -> str:
    """Return a table with one line for each result."""
    head = (
        *("", "in time", "per s", "late", "failed", "refused", "calls", "per call"),
        *("for nobody", "queue", "p50", "p99", "p99.9"),
    )
    return _table([head, *(_row(result) for result in results)])


def longest_queue(result: Figures) -> int:
    """Return the calls in the dependency's queue at the end of its worst stretch of time."""
    return max(bucket.queue for bucket in result.buckets)


def _row(result: Figures) -> tuple[str, ...]:
    endings, latencies = result.endings, result.latencies
    return (
        result.title,
        _share(endings.good, result.arrivals),
        f"{result.goodput:.1f}",
        *(str(n) for n in (endings.late, endings.failed, endings.refused, result.calls)),
        f"{result.amplification:.2f}",
        str(result.wasted),
        str(longest_queue(result)),
        *(_time(seconds) for seconds in (latencies.p50, latencies.p99, latencies.p999)),
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds >= 1.0 else f"{seconds * 1000:.0f} ms"


def _breakers(changes: Sequence[BreakerStateChanged]) -> str:
    if not changes:
        return "no change"
    told = [
        f"{each.policy} {each.new.name.lower()} at {each.at:.1f} s" for each in changes[:_CHANGES]
    ]
    left = len(changes) - len(told)
    return ", ".join([*told, f"and {left} more changes"] if left else told)
