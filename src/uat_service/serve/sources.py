"""Where the source of a service lies, and what it imports, found without importing it."""

import re
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

__all__ = ["imports", "source"]

# At the beginning of a line: what is imported inside a function, or for type checkers, may never be.
_IMPORT = re.compile(rb"^(?:from|import) +([\w.]+)", re.MULTILINE)


def source(module: str, path: Sequence[str]) -> Path | None:
    """Return the package that a module is in, or the file of one that is in none; None where it is not found.

    Args:
        module: Its name.
        path: Where modules are looked for, as in `sys.path`.
    """
    package: Path | None = None
    for part in module.split("."):
        spec = PathFinder.find_spec(part, path)
        if spec is None:
            return None
        if spec.submodule_search_locations is None:
            return package or (Path(spec.origin) if spec.origin else None)
        path = list(spec.submodule_search_locations)
        package = Path(path[0])
    return package


def imports(found: Path) -> list[str]:
    """Return the modules that a file, or any file of a package, imports at its top level; each once.

    A file that cannot be read imports nothing.
    """
    names: dict[str, None] = {}
    for file in sorted(found.rglob("*.py")) if found.is_dir() else [found]:
        with suppress(OSError):
            names |= dict.fromkeys(name.decode() for name in _IMPORT.findall(file.read_bytes()))
    return list(names)
