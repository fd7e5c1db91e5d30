"""The routes that hold now, and how they are replaced.

    files ──▶ version 1 ── a file changes, or PUT /admin/routes ──▶ version 2 ──▶ ...
                               └─ wrong: version 1 stays, and what is wrong is told

A request goes by the version that held when it came. The files are the one truth: what is put is kept in one of
them, so a restart finds it, and whoever edits the other needs no command.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio
import anyio.to_thread
import structlog

from uat_platform.gateway.routes.definition import Table
from uat_platform.gateway.routes.files import RouteFiles, Text, digest
from uat_platform.gateway.routes.matching import Matcher
from uat_platform.gateway.routes.reading import RoutesError, read_table

__all__ = ["Change", "ConflictError", "LiveRoutes", "Version"]


class ConflictError(Exception):
    """The routes are not those that somebody wanted to replace."""


@dataclass(frozen=True, slots=True)
class Version:
    """Routes at one time.

    Attributes:
        number: Counted from 1 in each process.
        digest: Of the text: the same in all processes.
        text: As it was written.
        put: Whether somebody has put it, in place of what is configured.
        table: What it says.
        matcher: Finds routes in it.
    """

    number: int
    digest: str
    text: str
    put: bool
    table: Table
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the routes and upstreams by a new version, by their names."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


class LiveRoutes:
    """Keep the routes of two files. Belongs to one event loop, but for `load`.

    Args:
        files: The files.
        taken: Is told each version when it begins to hold.

    Attributes:
        problems: What is wrong with the files as they are, if anything is; what held before still holds then.
    """

    def __init__(self, files: RouteFiles, taken: Callable[[Version], object]) -> None:
        self._files = files
        self._taken = taken
        self._seen: object = None
        self._version: Version | None = None
        self._lock = anyio.Lock()
        self.problems: list[str] = []

    @property
    def now(self) -> Version:
        """The version that holds."""
        if self._version is None:
            raise RuntimeError("no routes have been loaded")
        return self._version

    def load(self) -> None:
        """Read the files.

        Raises:
            RoutesError: They cannot be read, or are wrong. What held before still holds.
        """
        self._seen = self._files.signature()
        told = self._files.read()
        try:
            self._take(told)
        except RoutesError as error:
            raise RoutesError([f"{told.file}: {each}" for each in error.problems]) from None
        self.problems = []

    def look(self) -> bool:
        """Read the files if they have changed; what is wrong is kept in `problems`. True when they were read.

        While routes are being put, the files are theirs: a change that comes in between is seen at the next look.
        """
        if self._lock.locked() or self._files.signature() == self._seen:
            return False
        try:
            self.load()
        except RoutesError as error:
            self.problems = error.problems
            _logger.warning("routes not taken", problems=error.problems)
        return True

    def compare(self, table: Table) -> Change:
        """Return what would change."""
        before, after = _parts(self.now.table), _parts(table)
        return Change(
            added=tuple(sorted(after.keys() - before.keys())),
            removed=tuple(sorted(before.keys() - after.keys())),
            changed=tuple(
                sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
            ),
        )

    def expect(self, digest: str | None) -> None:
        """Make sure that a version holds.

        Raises:
            ConflictError: Another one does.
        """
        if digest is not None and digest != self.now.digest:
            raise ConflictError

    async def put(self, text: str, *, expected: str | None) -> Version:
        """Replace the routes: keep them, then go by them.

        Args:
            text: The new routes.
            expected: Digest of the version that is to be replaced, or None for any.

        Raises:
            RoutesError: The text is wrong. Nothing has changed.
            ConflictError: Another version holds.
            ReadOnlyError: They cannot be kept. Nothing has changed.
        """
        read_table(text)
        async with self._lock:
            self.expect(expected)
            told, self._seen = await anyio.to_thread.run_sync(self._files.write, text)
            self._take(told)
            self.problems = []
            return self.now

    def _take(self, told: Text) -> None:
        if self._version is not None and told.text == self._version.text:
            self._version = replace(self._version, put=told.put)
            return
        table = read_table(told.text)
        number = 1 if self._version is None else self._version.number + 1
        version = Version(number, digest(told.text), told.text, told.put, table, Matcher(table))
        self._version = version
        self._taken(version)
        if number > 1:
            _logger.info("routes taken", version=number, digest=version.digest, put=told.put)


def _parts(table: Table) -> dict[str, object]:
    parts: dict[str, object] = {f"route {each.name}": each for each in table.routes}
    parts |= {f"upstream {name}": each for name, each in table.upstreams.items()}
    parts |= {f"limit {name}": each for name, each in table.limits.items()}
    return parts


_logger = structlog.get_logger("uat_platform.gateway")
