"""The two files that routes are in: one belongs to whoever deploys the gateway, one to whoever operates it.

    configured    is never written to: it may be in a repository, or on a disk that cannot be written
    put           what PUT /admin/routes has brought, and the digest of the configured text it was put over

What was put holds for as long as the configured file says what it said then: whoever changed something last has
the last word. All processes that see both files come to the same routes, also after a restart.
"""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from uat_platform.gateway.routes.reading import LARGEST, RoutesError

__all__ = ["ReadOnlyError", "RouteFiles", "Text", "digest"]

_OVER = "# put over "


class ReadOnlyError(Exception):
    """What was put cannot be kept."""


@dataclass(frozen=True, slots=True)
class Text:
    """Routes as they were written.

    Attributes:
        text: What was written.
        file: The name of the file it is in.
        put: Whether somebody has put it, in place of what is configured.
    """

    text: str
    file: str
    put: bool


class RouteFiles:
    """Read and keep routes.

    Args:
        configured: The file that is only read.
        put: The file of what is put. Its directory is made when it is needed.
    """

    def __init__(self, configured: Path, put: Path) -> None:
        self._configured = configured
        self._put = put

    def signature(self) -> object:
        """Return what tells one content of the files from the next."""
        return _signature(self._configured), _signature(self._put)

    def read(self) -> Text:
        """Return the routes that hold.

        Raises:
            RoutesError: There is no configured file, or one of them cannot be read.
        """
        configured = _read(self._configured)
        try:
            first, _, text = _read(self._put).partition("\n")
        except RoutesError:
            if self._put.exists():
                raise
            return Text(configured, self._configured.name, put=False)
        if first == _OVER + digest(configured):
            return Text(text, self._put.name, put=True)
        return Text(configured, self._configured.name, put=False)

    def write(self, text: str) -> tuple[Text, object]:
        """Keep what was put, in one step; return it with the signature of the files.

        The text that is configured is not kept once more: putting it takes back what was put before.

        Raises:
            ReadOnlyError: It cannot be kept. Nothing has changed.
        """
        before = _signature(self._configured)
        try:
            configured = _read(self._configured)
            if text == configured:
                self._put.unlink(missing_ok=True)
                return Text(text, self._configured.name, put=False), (before, None)
            self._put.parent.mkdir(parents=True, exist_ok=True)
            put = _write(self._put, f"{_OVER}{digest(configured)}\n{text}")
        except RoutesError as error:
            raise ReadOnlyError(str(error)) from error
        except OSError as error:
            raise ReadOnlyError(f"{self._put.name}: {type(error).__name__}") from error
        return Text(text, self._put.name, put=True), (before, put)


def digest(text: str) -> str:
    """Return what a text is known by."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read(LARGEST + 100)
    except (OSError, UnicodeError) as error:
        raise RoutesError([f"{path.name}: {type(error).__name__}"]) from None


def _signature(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(path: Path, text: str) -> object:
    """Replace a file in one step: whoever reads it finds the old one or the new one. Return its signature."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        signature = _signature(Path(name))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return signature
