"""Which modules of the framework the services of a stack import, kept from one run to the next."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["Learned", "ours"]

_OURS = ("uat_resilience.", "uat_service.")


class Learned:
    """Keep names of modules in a file, a line for each.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Return what was learned; nothing where it cannot be read."""
        with suppress(OSError, UnicodeDecodeError):
            return ours(self._path.read_text(encoding="utf-8").split())
        return []

    def add(self, names: Iterable[str]) -> None:
        """Keep more of them. That it cannot be written costs the next run a little time, and no more."""
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in names)


def ours(names: Iterable[str]) -> list[str]:
    """Return those that belong to the framework, which may be imported for others; each once, in their order."""
    return [name for name in dict.fromkeys(names) if name.startswith(_OURS)]
