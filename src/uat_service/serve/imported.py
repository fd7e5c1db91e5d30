"""What has been imported so far, and what it was made from: files, and variables of the environment."""

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module

from uat_resilience.clock import wall_time

__all__ = ["Imported"]

# The system, the interpreter and C libraries read these at their start, where nobody sees it.
_READ_AT_START = ("PYTHON", "LD_", "MALLOC_", "GLIBC_", "OPENSSL_", "LC_", "LANG", "TZ")
# Seconds: from the start of an interpreter to its first line, and what clocks of file systems are behind.
_BEFORE = 0.1

_Mark = tuple[int, int, int]
_ANY: _Mark = (0, 0, 0)


class Imported:
    """Import modules, and tell what has changed since."""

    def __init__(self) -> None:
        self._marks: dict[str, _Mark] = {}
        self._read: set[str] = set()
        # It copies all variables, for CGI, and not one matters: so before it is noted who reads which.
        import_module("wsgiref.handlers")

    def add(self, module: str) -> None:
        """Import a module, and all that it imports. One that cannot be is left out."""
        began = wall_time() - _BEFORE
        with suppress(ImportError), self._watched():
            import_module(module)
        for file in self._files() - self._marks.keys():
            with suppress(OSError):  # It lies in an archive.
                found = os.stat(file)  # noqa: PTH116 - of a thousand files, at every fork
                # One that was saved meanwhile may have been read before: it has changed.
                meanwhile = began <= found.st_ctime <= wall_time()
                self._marks[file] = _ANY if meanwhile else _mark(found)

    def changed(self) -> str | None:
        """Return a file that is no longer as it was imported, if there is one."""
        for file, mark in self._marks.items():
            try:
                if _mark(os.stat(file)) != mark:  # noqa: PTH116 - see above
                    return file
            except OSError:
                return file
        return None

    def differs(self, variables: Mapping[str, str]) -> str | None:
        """Return a variable that would be read in another way with these, if there is one."""
        names = os.environ.keys() | variables.keys()
        unseen = {name for name in names if name.startswith(_READ_AT_START)}
        return next(
            (
                name
                for name in sorted(self._read | unseen)
                if os.environ.get(name) != variables.get(name)
            ),
            None,
        )

    @contextmanager
    def _watched(self) -> Generator[None]:
        """Note which variables are looked up inside the block: every look encodes the name."""
        encode = os.environ.encodekey

        def noting(name: str) -> str:
            self._read.add(name)
            return encode(name)

        os.environ.encodekey = noting
        try:
            yield
        finally:
            os.environ.encodekey = encode

    @staticmethod
    def _files() -> set[str]:
        modules = list(sys.modules.values())
        return {file for each in modules if (file := getattr(each, "__file__", None)) is not None}


def _mark(found: os.stat_result) -> _Mark:
    return found.st_mtime_ns, found.st_size, found.st_ino
