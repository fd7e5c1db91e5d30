"""Which services a saved file concerns."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from uat_service.serve.sources import source
from uat_service.stack.definition import Service

__all__ = ["Touching", "relevant"]

_CACHES = frozenset({".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__", "node_modules"})
_IGNORED = _CACHES | {".git", ".hg", ".uat", ".venv", "venv"}
_UNFINISHED = ("~", ".swp", ".swx", ".swo", ".tmp", ".pyc", ".log", ".lock", ".db-wal", ".db-shm")


def relevant(path: PurePath, *, below: PurePath) -> bool:
    """Return whether a changed file may concern anybody: no caches, logs, or unfinished files of editors.

    Args:
        path: What has changed.
        below: What is watched. What it lies in itself is not judged.
    """
    inside = path.relative_to(below) if path.is_relative_to(below) else path
    if _IGNORED.intersection(inside.parts):
        return False
    return not path.name.endswith(_UNFINISHED) and not path.name.startswith((".#", "4913"))


class Touching:
    """Tell which services are concerned by files.

    A service is concerned by what its `watch` names, and by what the stack's `watch` names. One without a `watch`
    is concerned by the module or package of its `app`.

    Args:
        services: The services.
        directory: Where their paths begin.
        shared: Paths that concern all of them.
    """

    def __init__(
        self, services: Mapping[str, Service], *, directory: Path, shared: Iterable[str] = ()
    ) -> None:
        everyone = [directory / path for path in shared]
        self._watched = {
            name: [*everyone, *_own(service, directory)] for name, service in services.items()
        }

    @property
    def roots(self) -> list[Path]:
        """Directories to watch: an editor that saves replaces a file, so its directory is looked at."""
        wanted = {
            path if path.is_dir() else path.parent
            for paths in self._watched.values()
            for path in paths
        }
        there = sorted(path for path in wanted if path.is_dir())
        return [
            path for path in there if not any(path.is_relative_to(o) for o in there if o != path)
        ]

    def concerned(self, changed: Iterable[PurePath]) -> list[str]:
        """Return the services that any of these files concerns, in the order of the stack."""
        files = list(changed)
        return [
            name
            for name, watched in self._watched.items()
            if any(_touches(file, path) for file in files for path in watched)
        ]


def _touches(file: PurePath, watched: PurePath) -> bool:
    return file.is_relative_to(watched) and relevant(file, below=watched)


def _own(service: Service, directory: Path) -> list[Path]:
    if service.watch:
        return [directory / path for path in service.watch]
    if service.app is None:
        return []
    module = service.app.partition(":")[0]
    found = source(module, [str(directory), str(Path.cwd()), *sys.path])
    return [found or _awaited(module, directory)]


def _awaited(module: str, directory: Path) -> Path:
    """Return where a module that is not found may yet be saved."""
    file = directory.joinpath(*module.split("."))
    return file.parent if "." in module else file.with_suffix(".py")
