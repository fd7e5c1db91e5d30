"""Read and run the pages of the documentation.

A page is run from top to bottom. What each kind of block means:

    python               run; the blocks of a page share their names
    python title="x.py"  written to the file x.py in the page's own directory; a test file is run by pytest at once
    sh                   lines that begin with `python ` are run in that directory; the rest is for readers.
                         `python -m uat_service.serve` serves until the next such line or the end of the page, on a
                         free port instead of 8000, which is where `curl` lines ask then
    output               equals what was printed since the last such block
    py                   a fragment: must compile, is not run
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.docs.server import Server
from tests.pytest_alone import ALONE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if page.relative_to(DOCS).parts[0] != "changelog.d"
)

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?[^\n`]*\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^(#{1,6}) +(.+?)(?: +\{[^}]*\})? *$", re.MULTILINE)
_LINK = re.compile(
    r"(?:\]\(|^\[[\w-]+\]: )(?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?(?:\)|$)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page; `line` is that of its first line of code."""

    kind: str
    title: str | None
    code: str
    line: int


def page_id(page: Path) -> str:
    """Return what a page is called in the name of a test."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        yield Block(match["kind"], match["title"], dedent(match["code"]), line)


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def headings(page: Path, level: int) -> list[str]:
    """Return the headings of one level, in order."""
    return [match[2] for match in _HEADING.finditer(prose(page)) if len(match[1]) == level]


def anchors(page: Path) -> set[str]:
    """Return what a link to a part of a page may name."""
    titles = (match[2] for match in _HEADING.finditer(prose(page)))
    return {re.sub(r"[^\w]+", "-", title.replace("`", "").lower()).strip("-") for title in titles}


def links(page: Path) -> list[tuple[str, str]]:
    """Return the files of ours that a page links to, and the part of each: `](b.md#part)` or `[name]: b.md`."""
    return _LINK.findall(prose(page))


def compiled(block: Block, page: Path) -> object:
    """Compile a block, so that a traceback shows the line of the page."""
    return compile("\n" * (block.line - 1) + block.code, page_id(page), "exec")


class Reader:
    """Somebody who follows a page to the letter, in a directory of their own."""

    def __init__(self, page: Path, directory: Path) -> None:
        self._page = page
        self._directory = directory
        self._names: dict[str, object] = {"__name__": "__page__"}
        self._printed = ""
        self._server = Server(directory)

    def follow(self) -> None:
        """Do what each block says, and compare what was printed."""
        with self._server:
            self._follow()

    def _follow(self) -> None:
        for block in blocks(self._page):
            where = f"{page_id(self._page)}, line {block.line}"
            if block.kind == "python" and block.title is not None:
                self._write(block.title, block.code)
            elif block.kind == "python":
                self._run(block)
            elif block.kind == "sh":
                self._type(block.code)
            elif block.kind == "output":
                assert self._printed.rstrip() == block.code.rstrip(), where
                self._printed = ""
        if tests := sorted(path.name for path in self._directory.glob("test_*.py")):
            self._start("-m", "pytest", "-q", *ALONE, *tests)

    def _write(self, title: str, code: str) -> None:
        (self._directory / title).write_text(code, encoding="utf-8")

    def _run(self, block: Block) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compiled(block, self._page), self._names)  # noqa: S102
        self._printed += out.getvalue()

    def _type(self, commands: str) -> None:
        for command in commands.splitlines():
            if command.startswith("python -m uat_service.serve "):
                self._server.start(*command.split()[3:])
            elif command.startswith("curl "):
                self._printed += self._server.ask(*shlex.split(command)[1:]) + "\n"
            elif command.startswith("python ") and "pytest" not in command:
                self._printed += self._start(*command.split("#")[0].split()[1:])

    def _start(self, *arguments: str) -> str:
        ended = subprocess.run(  # noqa: S603 - the commands are our own
            [sys.executable, "-W", "error::UserWarning", *arguments],
            cwd=self._directory,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout
