"""Where a running stack is shown: a live table on a terminal, plain lines elsewhere, JSON for programs."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TextIO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from uat_service.stack.journal import Event, Moved, Note, Said
from uat_service.stack.lines import clean
from uat_service.stack.row import Row
from uat_service.stack.table import table
from uat_service.stack.waits import first

__all__ = ["JsonLines", "LiveTable", "PlainLines", "View", "view_for"]

_FRAME = 0.25
_LAST_LINES = 12


class View(Protocol):
    """A place to show a running stack."""

    @property
    def out(self) -> TextIO:
        """Where it writes to."""
        ...

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        ...

    async def run(self, rows: Callable[[], Sequence[Row]]) -> None:
        """Show it until cancelled."""
        ...


class PlainLines:
    """A line for each change and for each line that a process writes.

    Args:
        out: Where to.
        width: Letters of the longest name.

    Attributes:
        out: As above.
    """

    def __init__(self, out: TextIO, *, width: int) -> None:
        self.out = out
        self._width = width

    def hear(self, event: Event) -> None:
        """Print it."""
        name, text = _spoken(event)
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        print(f"{now} {name:<{self._width}} | {text}", file=self.out, flush=True)

    async def run(self, rows: Callable[[], Sequence[Row]]) -> None:  # noqa: ARG002 - shows changes only
        """Do nothing more."""
        await asyncio.Event().wait()


class JsonLines:
    """A JSON object in a line for each change and for each line that a process writes.

    Args:
        out: Where to.

    Attributes:
        out: As above.
    """

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def hear(self, event: Event) -> None:
        """Print it."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        print(json.dumps({"time": moment, **_told(event)}), file=self.out, flush=True)

    async def run(self, rows: Callable[[], Sequence[Row]]) -> None:  # noqa: ARG002 - shows changes only
        """Do nothing more."""
        await asyncio.Event().wait()


class LiveTable:
    """A table that is drawn again four times a second, with the last lines below it.

    Lines come and go as fast as they like: only those are drawn that are there at the time.

    Args:
        console: The terminal.
        title: Stands above the table.
    """

    def __init__(self, console: Console, *, title: str) -> None:
        self._console = console
        self._title = title
        self._last: deque[Event] = deque(maxlen=_LAST_LINES)

    @property
    def out(self) -> TextIO:
        """The terminal."""
        return cast("TextIO", self._console.file)

    def hear(self, event: Event) -> None:
        """Keep it for the next drawing."""
        self._last.append(event)

    async def run(self, rows: Callable[[], Sequence[Row]]) -> None:
        """Draw until cancelled. The last drawing stays."""
        with Live(console=self._console, auto_refresh=False, transient=False) as live:
            try:
                while True:
                    live.update(self.drawn(rows()), refresh=True)
                    await first(asyncio.Event().wait(), within=_FRAME)
            finally:
                live.update(self.drawn(rows()), refresh=True)

    def drawn(self, rows: Sequence[Row]) -> Group:
        """Return the picture, as large as the terminal is now."""
        width, height = self._console.size
        room = max(0, height - len(rows) - 5)
        shown = list(self._last)[-room:] if room else []
        lines = [_cut(_spoken(event), width) for event in shown]
        heading = Text(f"{self._title} · Ctrl-C stops", style="bold", no_wrap=True)
        body = table((row.as_dict() for row in rows), width=width)
        return Group(heading, body, Text(), *lines)


def view_for(
    out: TextIO, *, as_json: bool, title: str, names: Sequence[str], environ: Mapping[str, str]
) -> View:
    """Return the view that suits where it is shown.

    Args:
        out: Where to.
        as_json: True when a program reads it.
        title: Of the stack.
        names: Of all processes.
        environ: The environment: `TERM=dumb` is a terminal that can draw nothing.
    """
    if as_json:
        return JsonLines(out)
    if out.isatty() and environ.get("TERM", "dumb") != "dumb":
        return LiveTable(Console(file=out), title=title)
    return PlainLines(out, width=max(map(len, ["uat", *names])))


def _spoken(event: Event) -> tuple[str, str]:
    match event:
        case Said():
            return event.instance, clean(event.line)
        case Moved(status):
            detail = f" ({status.detail})" if status.detail else ""
            return "uat", f"{status.instance}: {status.state.value}{detail}"
        case Note():
            return "uat", event.text


def _told(event: Event) -> dict[str, object]:
    match event:
        case Said():
            return {"event": "log", "name": event.instance, "line": clean(event.line)}
        case Moved(status):
            return {
                "event": "state",
                "name": status.instance,
                "service": status.service,
                "state": status.state.value,
                "detail": status.detail,
                "pid": status.pid,
                "restarts": status.restarts,
            }
        case Note():
            return {"event": "note", "text": event.text}


def _cut(spoken: tuple[str, str], width: int) -> Text:
    name, text = spoken
    line = Text(f"{name} | {text[: 2 * width]}", no_wrap=True, overflow="ellipsis")
    line.truncate(max(1, width - 1))
    return line
