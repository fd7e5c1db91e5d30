"""What was found, as tables that a terminal and the documentation show alike."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.services.measure import Measured

__all__ = ["bursts", "long_answers", "rates", "table"]

Found = Mapping[str, Measured]


def bursts(found: Found, *, what: str, base: str) -> str:
    """Return throughput and processor time beside those of one of them."""
    beside = found[base]
    return table(
        [what, "requests/s", f"x {base}", "CPU us", f"{base} / it", "p50 ms", "p99 ms"],
        (
            [
                name,
                f"{one.rate:.0f}",
                f"{one.rate / beside.rate:.2f}",
                f"{one.cost * 1e6:.0f}",
                f"{beside.cost / one.cost:.2f}",
                *_percentiles(one.times),
            ]
            for name, one in _by_rate(found)
        ),
    )


def rates(found: Found, wanted: Sequence[int]) -> str:
    """Return the times at fixed rates, p50 / p99 in milliseconds."""
    return table(
        ["proxy", *(f"{rate} requests/s" for rate in wanted)],
        (
            [name, *(" / ".join(_percentiles(one.paced.get(rate))) or "-" for rate in wanted)]
            for name, one in _by_rate(found)
        ),
    )


def long_answers(found: Found) -> str:
    """Return the memory that one long answer took."""
    return table(
        ["proxy", "MB more"], ([name, f"{one.grown:.1f}"] for name, one in _by_rate(found))
    )


def _by_rate(found: Found) -> list[tuple[str, Measured]]:
    return sorted(found.items(), key=lambda each: -each[1].rate)


def _percentiles(times: Sequence[float] | None) -> list[str]:
    if not times:
        return []
    return [f"{times[len(times) * share // 100] * 1000:.1f}" for share in (50, 99)]


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return rows below a head."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    ]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
