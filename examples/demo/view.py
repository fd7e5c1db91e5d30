"""Where the run is shown: on a terminal as a live picture, anywhere else as plain lines."""

import os
import shutil
from collections.abc import Iterable
from typing import Protocol, TextIO

from examples.demo.load import Side
from examples.demo.picture import ASCII_BARS, BARS, Run, picture
from examples.demo.summary import summary
from examples.demo.table import percent, render

WIDEST = 132
ALTERNATE_SCREEN, MAIN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


class View(Protocol):
    """A place to show a run."""

    def open(self) -> None:
        """Make ready."""

    def show(self, run: Run, now: float) -> None:
        """Show the run at `now` seconds."""

    def close(self) -> None:
        """Leave the terminal as it was."""

    def conclude(self, run: Run, lasted: float) -> None:
        """Show the summary, after `close`."""


class Lines:
    """One plain line a second."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._due = 0.0

    def open(self) -> None:
        """Make ready."""

    def show(self, run: Run, now: float) -> None:
        """Print a line, at most once a second."""
        if now < self._due:
            return
        if not self._due:
            columns = ["in time waiting queue  breaker"] * len(run.sides)
            print(_line("", "", (side.title for side in run.sides)), file=self._out)
            print(_line("time", "server", columns), file=self._out)
        self._due = now + 1.0
        figures = (_figures(side, now) for side in run.sides)
        phase = run.story.at(now).phase.name
        print(_line(f"{now:.0f} s", phase, figures), file=self._out, flush=True)

    def close(self) -> None:
        """Leave the terminal as it was."""

    def conclude(self, run: Run, lasted: float) -> None:
        """Print the summary."""
        print("", *_summary(run, lasted, painted=False), sep="\n", file=self._out, flush=True)


class Screen:
    """A picture that is drawn again in place, on the alternate screen of the terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._bars = BARS if "utf" in out.encoding.lower() else ASCII_BARS

    def open(self) -> None:
        """Switch to the alternate screen and hide the cursor."""
        self._out.write(ALTERNATE_SCREEN)

    def show(self, run: Run, now: float) -> None:
        """Draw the picture, cut to the size of the terminal."""
        size = shutil.get_terminal_size()
        width = min(size.columns - 1, WIDEST)
        rows = picture(run, now, width=width, bars=self._bars)[: size.lines - 1]
        body = "\r\n".join(line + CLEAR_LINE for line in render(rows, width, painted=True))
        self._out.write(f"{HOME}{body}{CLEAR_BELOW}")
        self._out.flush()

    def close(self) -> None:
        """Go back to the main screen and show the cursor."""
        self._out.write(MAIN_SCREEN)
        self._out.flush()

    def conclude(self, run: Run, lasted: float) -> None:
        """Print the summary on the main screen, where it stays."""
        print(*_summary(run, lasted, painted=True), sep="\n", file=self._out, flush=True)


def _summary(run: Run, lasted: float, *, painted: bool) -> list[str]:
    width = min(shutil.get_terminal_size().columns, WIDEST)
    return render(summary(run, lasted), width, painted=painted)


def _line(time: str, phase: str, sides: Iterable[str]) -> str:
    return f"{time:>4}  {phase:<8}  " + "  ".join(f"{side:<30}" for side in sides).rstrip()


def _figures(side: Side, now: float) -> str:
    in_time = percent(side.score.recent_success(now - 1.0))
    queued = side.upstream.counts.queued
    state, *_ = side.client.guard.split(",")
    return f"{in_time:>7} {side.score.in_flight:>7} {queued:>5}  {state}"


def view_for(out: TextIO, *, plain: bool) -> View:
    """Choose a live picture where one can be drawn and is wanted."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    if plain or dumb or os.environ.get("NO_COLOR") or not out.isatty():
        return Lines(out)
    return Screen(out)
