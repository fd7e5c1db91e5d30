"""Import a library without another one that it would make use of."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

__all__ = ["unseen"]


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
