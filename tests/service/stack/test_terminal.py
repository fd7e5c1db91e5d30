"""What a person sees, on a terminal and elsewhere."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.service.stack.conftest import Run
from tests.service.stack.running import PATIENCE, service


class Terminal:
    """A terminal of a given size, with `uat up` in it."""

    def __init__(self, directory: Path, *, columns: int, term: str) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uat_service", "up"],
            cwd=directory,
            env=self._environment(term),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
        )
        os.close(theirs)
        self.seen = ""

    @staticmethod
    def _environment(term: str) -> dict[str, str]:
        """A terminal knows its own size, whatever size the terminal of the tests has."""
        kept = {
            name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")
        }
        return {**kept, "TERM": term}

    def until(self, *parts: str) -> None:
        """Read until all of this was shown, or it has ended."""
        while not all(part in self.seen for part in parts):
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # as Linux says that nobody is at the other end
                break
            self.seen += data.decode("utf-8", "replace")

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        os.close(self._ours)


@contextmanager
def terminal(
    directory: Path, *tables: str, columns: int = 120, term: str = "xterm"
) -> Generator[Terminal]:
    (directory / "stack.toml").write_text("\n".join(tables), encoding="utf-8")
    shown = Terminal(directory, columns=columns, term=term)
    try:
        yield shown
    finally:
        shown.close()


def test_an_interrupt_at_the_terminal_reaches_each_child_once(tmp_path: Path) -> None:
    with terminal(tmp_path, service("back")) as shown:
        shown.until("back", "running")

        shown.press(b"\x03")
        code = shown.process.wait(PATIENCE)

    assert code == 0
    assert (tmp_path / ".uat" / "logs" / "back.log").read_text(encoding="utf-8") == "told 1\n"


@pytest.mark.parametrize(("columns", "there"), [(120, True), (40, False)])
def test_a_terminal_shows_a_table_as_wide_as_there_is_room(
    tmp_path: Path, columns: int, *, there: bool
) -> None:
    with terminal(tmp_path, service("back"), columns=columns) as shown:
        shown.until("service", "state", "back", "running", *(["breakers"] if there else []))
        shown.press(b"\x03")
        shown.process.wait(PATIENCE)
        shown.until("nothing more")

    assert ("breakers" in shown.seen) is there
    assert "\x1b[" in shown.seen


def test_a_table_follows_the_size_of_its_terminal(tmp_path: Path) -> None:
    with terminal(tmp_path, service("back"), columns=40) as shown:
        shown.until("back", "running")
        narrow = shown.seen

        shown.resize(120)
        shown.until("breakers")

    assert "breakers" not in narrow


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    with terminal(tmp_path, service("back"), term="dumb") as shown:
        shown.until("uat  | back: running")
        shown.press(b"\x03")
        shown.until("back: stopped")

    assert "\x1b" not in shown.seen


def test_whatever_a_child_writes_comes_out_as_lines_of_text(run: Run) -> None:
    stack = run(service("back", env={"NOISE": "1"}))
    stack.state("back", "running")
    stack.wait(lambda it: it.get("line") == "line")

    stack.stop()

    lines = [it["line"] for it in stack.told if it["event"] == "log"]
    assert lines[0] == "\ufffd\ufffd broken red bell\ufffd"
    assert [len(line) for line in lines[1:3]] == [65536, 34464]
    assert lines.count("line") == 10_000
    assert lines[-1] == "no endtold 1"
