"""Restart what a saved file concerns."""

import ast
import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import Change, awatch

from uat_resilience.clock import Clock
from uat_service.stack.debounce import Debounce
from uat_service.stack.touching import Touching, relevant

__all__ = ["Reloading", "broken"]

# Milliseconds between two looks. watchfiles takes it for silence when a file is saved that was saved before, so it
# is not asked to wait for any: `Debounce` does.
_LOOK = 50


def broken(file: Path) -> str | None:
    """Return what is wrong with the syntax of a Python file; None when nothing is, or it is gone."""
    try:
        ast.parse(file.read_bytes(), file.name)
    except SyntaxError as error:
        return f"{file.name}:{error.lineno}: {error.msg}"
    except (ValueError, OSError) as error:
        return None if isinstance(error, FileNotFoundError) else f"{file.name}: {error}"
    return None


class Reloading:
    """Watch files, and restart services.

    A file that is no Python keeps the services that it concerns as they are, until it is mended.

    Args:
        touching: Which services a file concerns.
        restart: Restarts a service, and is told why.
        note: Is told what is wrong.
        clock: Time.
    """

    def __init__(
        self,
        touching: Touching,
        *,
        restart: Callable[[str, str], object],
        note: Callable[[str], object],
        clock: Clock,
    ) -> None:
        self._touching = touching
        self._restart = restart
        self._note = note
        self._broken: set[Path] = set()
        self._debounce = Debounce(clock, self._restart_touched)

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set."""
        roots = self._touching.roots
        if not roots:
            self._note("reload: there is nothing to watch")
            return
        # Said at the next turn of the loop: by then what follows has begun to watch.
        told = f"reload: watching {', '.join(root.name for root in roots)}"
        asyncio.get_running_loop().call_soon(self._note, told)

        def wanted(_: Change, path: str) -> bool:
            return any(
                Path(path).is_relative_to(root) and relevant(Path(path), below=root)
                for root in roots
            )

        async for changes in awatch(
            *roots,
            watch_filter=wanted,
            step=_LOOK,
            debounce=_LOOK,
            stop_event=stop,
            rust_timeout=500,
        ):
            self.saved(Path(path) for _, path in changes)
        self._debounce.drop()

    def saved(self, files: Iterable[Path]) -> None:
        """Restart what these files concern, and those saved soon after them."""
        self._debounce.add(files)

    def _restart_touched(self, files: Iterable[Path]) -> None:
        changed = sorted(files)
        self._broken |= {file for file in changed if file.suffix == ".py"}
        problems = {file: problem for file in sorted(self._broken) if (problem := broken(file))}
        self._broken = set(problems)
        kept = self._touching.concerned(problems)
        for file, problem in problems.items():
            names = ", ".join(self._touching.concerned([file]))
            if names:
                self._note(f"reload: {problem}; {names} goes on as it was")
        because = ", ".join(file.name for file in changed)
        for name in self._touching.concerned(changed):
            if name not in kept:
                self._restart(name, f"saved {because}")
