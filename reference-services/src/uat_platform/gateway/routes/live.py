"""The routes that hold now, and how they are replaced.

    file ──▶ version 1 ── the file changes, or PUT /admin/routes ──▶ version 2 ──▶ ...
                               └─ wrong: version 1 stays, and what is wrong is told

A request goes by the version that held when it came. The file is the one truth: what is put is written there, so a
restart finds it, and whoever edits the file needs no command.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import anyio
import anyio.to_thread
import structlog

from uat_platform.gateway.routes.definition import Table
from uat_platform.gateway.routes.matching import Matcher
from uat_platform.gateway.routes.reading import LARGEST, RoutesError, read_table

__all__ = ["Change", "ConflictError", "LiveRoutes", "ReadOnlyError", "Version"]


class ConflictError(Exception):
    """The routes are not those that somebody wanted to replace."""


class ReadOnlyError(Exception):
    """The routes file cannot be written: it is to be changed where it comes from."""


@dataclass(frozen=True, slots=True)
class Version:
    """Routes at one time.

    Attributes:
        number: Counted from 1 in each process.
        digest: Of the text: the same in all processes.
        text: As it was written.
        table: What it says.
        matcher: Finds routes in it.
    """

    number: int
    digest: str
    text: str
    table: Table
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the routes and upstreams by a new version, by their names."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


class LiveRoutes:
    """Keep the routes of a file. Belongs to one event loop, but for `load`.

    Args:
        path: The file.
        taken: Is told each version when it begins to hold.

    Attributes:
        problems: What is wrong with the file as it is, if anything is; what held before still holds then.
    """

    def __init__(self, path: Path, taken: Callable[[Version], object]) -> None:
        self._path = path
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
        """Read the file.

        Raises:
            RoutesError: It cannot be read, or is wrong. What held before still holds.
        """
        self._seen = _signature(self._path)
        try:
            with self._path.open(encoding="utf-8") as file:
                text = file.read(LARGEST + 1)
        except (OSError, UnicodeError) as error:
            raise RoutesError([f"{self._path.name}: {type(error).__name__}"]) from None
        if self._version is None or text != self._version.text:
            self._take(text, read_table(text))
        self.problems = []

    def look(self) -> bool:
        """Read the file if it has changed; what is wrong with it is kept in `problems`. True when it was read.

        While routes are being put, the file is theirs: a change that comes in between is seen at the next look.
        """
        if self._lock.locked() or _signature(self._path) == self._seen:
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
        """Replace the routes: write the file, then go by it.

        Args:
            text: The new file.
            expected: Digest of the version that is to be replaced, or None for any.

        Raises:
            RoutesError: The text is wrong. Nothing has changed.
            ConflictError: Another version holds.
            ReadOnlyError: The file cannot be written. Nothing has changed.
        """
        table = read_table(text)
        async with self._lock:
            self.expect(expected)
            try:
                self._seen = await anyio.to_thread.run_sync(_write, self._path, text)
            except OSError as error:
                raise ReadOnlyError(type(error).__name__) from error
            self._take(text, table)
            self.problems = []
            return self.now

    def _take(self, text: str, table: Table) -> None:
        number = 1 if self._version is None else self._version.number + 1
        version = Version(number, digest(text), text, table, Matcher(table))
        self._version = version
        self._taken(version)
        if number > 1:
            _logger.info("routes taken", version=number, digest=version.digest)


def digest(text: str) -> str:
    """Return what a text is known by."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _parts(table: Table) -> dict[str, object]:
    parts: dict[str, object] = {f"route {each.name}": each for each in table.routes}
    parts |= {f"upstream {name}": each for name, each in table.upstreams.items()}
    parts |= {f"limit {name}": each for name, each in table.limits.items()}
    return parts


def _signature(path: Path) -> object:
    """Return what tells one content of a file from the next."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(path: Path, text: str) -> object:
    """Replace a file in one step: whoever reads it finds the old one or the new one. Return its signature."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(path.stat().st_mode & 0o777)
        signature = _signature(Path(name))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return signature


_logger = structlog.get_logger("uat_platform.gateway")
