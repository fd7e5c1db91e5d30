"""The tables of a run, in Markdown, for the terminal and for the documentation alike."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from benchmarks.contenders import OURS, World
from benchmarks.contention import THREADS
from benchmarks.figures import Figure, Figures, ratio
from benchmarks.importing import PACKAGE
from benchmarks.report import Report, versions
from benchmarks.rows import ROWS, Row
from benchmarks.targets import IMPORT_LIMIT, judged

__all__ = [
    "bare_calls",
    "comparison",
    "contenders",
    "contention",
    "imports",
    "noise",
    "rejections",
    "targets",
]

_TITLES = {row.key: row.title for row in ROWS}


def targets(report: Report) -> str:
    """Return one line for each target of which ours or the peer's was measured."""
    lines = [
        (
            _TITLES[each.target.row],
            each.target.world,
            _ns(each.ours),
            each.target.peer
            + (f" ({_TITLES[each.target.peer_row]})" if each.target.peer_row else ""),
            _ns(each.theirs),
            _ratio(each.ratio, digits=3),
            f"≤ {each.target.reach:.2f}",
            _verdict(reached=each.reached),
        )
        for each in judged(Figures(report.figures))
        if each.ours is not None or each.theirs is not None
    ]
    header = ("call", "world", "ours, ns", "peer", "peer's, ns", "ratio", "to reach", "reached")
    return _table(header, lines, numbers={2, 4, 5, 6})


def comparison(report: Report) -> Iterator[str]:
    """Yield a headed table for each row, cheapest first."""
    figures = Figures(report.figures)
    for row in report.rows:
        if figures.within(row.key):
            yield f"### {row.title[0].upper()}{row.title[1:]}\n\n{_row(row, figures)}"


def contention(report: Report) -> str:
    """Return what the threads found."""
    lines = [
        (
            each.pattern,
            _bold(each.contender),
            f"{each.throughput / 1e6:.2f}",
            ", ".join(each.faults) or ("exact" if each.contender in _names(report) else ""),
        )
        for each in sorted(report.contention, key=lambda each: (each.pattern, -each.throughput))
    ]
    header = ("shared", "contender", "million calls/s", f"counts of {THREADS} threads")
    return _table(header, lines, numbers={2})


def imports(report: Report) -> str:
    """Return what each import costs, cheapest first."""
    lines = [
        (f"`{each.statement}`", f"{each.milliseconds:.1f}", "yes" if each.asyncio else "no")
        for each in sorted(report.imports, key=lambda each: each.milliseconds)
    ]
    table = _table(("import", "ms", "imports asyncio"), lines, numbers={1})
    ours = next((each for each in report.imports if each.statement == PACKAGE), None)
    if ours is None:
        return table
    verdict = _verdict(reached=ours.milliseconds <= IMPORT_LIMIT and not ours.asyncio)
    return f"{table}\n\nTo reach: {IMPORT_LIMIT:.0f} ms without asyncio. Reached: {verdict}."


def contenders(report: Report) -> str:
    """Return who took part, and what a reader must know about each."""
    found = versions(report.contenders)
    lines = [
        (
            who.name,
            found.get(who.distribution, "standard library"),
            " and ".join(sorted(who.worlds)),
            who.note,
        )
        for who in report.contenders
    ]
    return _table(("contender", "version", "worlds", "what it does differently"), lines)


def rejections(report: Report) -> str:
    """Return who was not timed in a row, and why; empty when everybody was."""
    if not report.rejections:
        return ""
    lines = [
        (_TITLES[each.row], each.world, each.contender, each.reason) for each in report.rejections
    ]
    return _table(("call", "world", "contender", "what it does instead"), lines)


def bare_calls(report: Report) -> str:
    """Return what the simplest call costs without a guard."""
    plain = {row.key for row in ROWS if row.bare is ROWS[0].bare}
    bare = {each.world: each.bare for each in report.figures if each.row in plain}
    return " and ".join(f"{_ns(bare[world])} ns ({world})" for world in World if world in bare)


def noise(report: Report) -> str:
    """Return how much longer than the best round the median round took, in the median."""
    return f"{median(each.middle / each.best - 1 for each in report.figures):.0%}"


def _row(row: Row, figures: Figures) -> str:
    within = figures.within(row.key)
    worlds = [world for world in World if any(each.world is world for each in within)]
    ours = {world: figures.over(row.key, world, OURS) for world in worlds}
    header = ["contender"]
    for world in worlds:
        header += [f"{world}, ns", "to ours"]
    lines = []
    for name in _cheapest_first(within):
        line = [_bold(name)]
        for world in worlds:
            over = figures.over(row.key, world, name)
            line += [_ns(over), _ratio(ratio(over, ours[world]))]
        lines.append(line)
    return _table(header, lines, numbers=set(range(1, len(header))))


def _cheapest_first(figures: Iterable[Figure]) -> list[str]:
    cost: dict[str, float] = {}
    # The async figure decides where there is one: `World` lists it last.
    for each in sorted(figures, key=lambda each: list(World).index(each.world)):
        cost[each.contender] = each.over
    return sorted(cost, key=lambda name: cost[name])


def _names(report: Report) -> set[str]:
    return {who.name for who in report.contenders}


def _bold(name: str) -> str:
    return f"**{name}**" if name == OURS else name


def _ns(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}".replace(",", " ")


def _ratio(value: float | None, *, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _verdict(*, reached: bool | None) -> str:
    return {True: "yes", False: "**no**", None: "not measured"}[reached]


def _table(
    header: Sequence[str],
    lines: Iterable[Sequence[str]],
    numbers: frozenset[int] | set[int] = frozenset(),
) -> str:
    rule = ["--:" if column in numbers else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *lines))
