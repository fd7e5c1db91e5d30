"""Import libraries without others that they would make use of, and no service does.

What is imported on the way is nearly all of the start of a service. This is the one place that knows of any of it.
"""

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import cast

__all__ = ["Thrift", "unseen"]

WITHOUT = {
    "httpcore2": "trio",  # A service runs on asyncio: a tenth of the start.
    "litestar.plugins.attrs": "attr",  # Whoever has a class of it has imported it, and then it stays.
    "structlog": "rich",  # Shows tracebacks on a terminal, of which a service has none: a sixth of the start.
    "uvicorn.supervisors": "watchfiles",  # It is `uat` that starts a service anew when a file is saved.
}
LATER = frozenset(
    {"yaml"}
)  # Litestar writes a schema with it, when somebody asks for one in that form.


class Thrift(MetaPathFinder):
    """Finds some modules so that libraries are not imported with them.

    Args:
        without: Modules, each with a library that it does without where that is not installed.
        later: Libraries that are imported when something of them is first used.
    """

    def __init__(self, without: Mapping[str, str] = WITHOUT, later: frozenset[str] = LATER) -> None:
        self._without = without
        self._later = later

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how one of them is imported, and None for all others, as the import system has it."""
        spare = self._without.get(fullname)
        if spare is None and fullname not in self._later:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        spec.loader = LazyLoader(spec.loader) if spare is None else _Without(spec.loader, spare)
        return spec


class _Without(Loader):
    """Loads a module while a library is unseen."""

    def __init__(self, loader: Loader, spare: str) -> None:
        self._loader = loader
        self._spare = spare

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # From here on it is as if we had never been there, for those who ask a loader for its files.
        spec = cast("ModuleSpec", module.__spec__)
        spec.loader = module.__loader__ = self._loader
        with unseen(self._spare):
            self._loader.exec_module(module)


@contextmanager
def unseen(library: str) -> Generator[None]:
    """Let whatever is imported inside the block find that a library is not installed.

    Afterwards it is there again, for everybody else. One that is imported already stays.
    """
    if library in sys.modules:
        yield
        return
    modules = cast("dict[str, ModuleType | None]", sys.modules)  # As the import system has it.
    modules[library] = None
    try:
        yield
    finally:
        del modules[library]
