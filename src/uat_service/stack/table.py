"""The processes of a stack as a table, as wide as there is room for."""

from collections.abc import Iterable, Mapping
from typing import cast

from rich.table import Table
from rich.text import Text

__all__ = ["duration", "table"]

_COLOURS = {
    "running": "green",
    "finished": "green",
    "unhealthy": "yellow",
    "backoff": "yellow",
    "draining": "yellow",
    "crash-loop": "bold red",
    "failed": "bold red",
}
_ROOM_FOR_TRAFFIC = 70
_ROOM_FOR_BREAKERS = 100
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_NONE = "-"

Shown = Mapping[str, object]


def table(rows: Iterable[Shown], *, width: int) -> Table:
    """Return the table.

    Args:
        rows: What is shown of each process, as JSON has it.
        width: Columns of the terminal. What does not fit is left out, the state last of all.
    """
    traffic, breakers = width >= _ROOM_FOR_TRAFFIC, width >= _ROOM_FOR_BREAKERS
    found = Table(box=None, pad_edge=False, header_style="dim")
    for heading, justify in (("service", "left"), ("state", "left"), ("uptime", "right")):
        found.add_column(heading, justify="right" if justify == "right" else "left", no_wrap=True)
    if traffic:
        for heading in ("port", "restarts", "req/s", "p95"):
            found.add_column(heading, justify="right", no_wrap=True)
    if breakers:
        found.add_column("breakers", overflow="ellipsis", no_wrap=True)
    found.add_column("", overflow="ellipsis", no_wrap=True, ratio=1)
    for row in rows:
        cells = [Text(str(row["name"])), _state(row), Text(duration(row["uptime"]))]
        if traffic:
            cells += [Text(_number(row["port"])), Text(_number(row["restarts"]))]
            cells += [Text(_rate(row["requests_per_second"])), Text(_latency(row["p95"]))]
        if breakers:
            cells.append(_breakers(row["breakers"]))
        found.add_row(*cells, Text(str(row["detail"]), style="dim"))
    return found


def duration(seconds: object) -> str:
    """Return a duration in at most two units: `12 s`, `3 m 20 s`, `2 d 4 h`."""
    if not isinstance(seconds, int | float):
        return _NONE
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} m {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} m"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def _state(row: Shown) -> Text:
    state = str(row["state"])
    return Text(state, style=_COLOURS.get(state, ""))


def _number(value: object) -> str:
    return _NONE if value is None else str(value)


def _rate(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else _NONE


def _latency(value: object) -> str:
    return f"{1000 * value:.0f} ms" if isinstance(value, int | float) else _NONE


def _breakers(value: object) -> Text:
    states = cast("Mapping[str, str]", value if isinstance(value, Mapping) else {})
    open_ones = [f"{name} {state}" for name, state in states.items() if state != "closed"]
    if open_ones:
        return Text(", ".join(open_ones), style="bold red")
    return Text(f"{len(states)} closed" if states else _NONE)
