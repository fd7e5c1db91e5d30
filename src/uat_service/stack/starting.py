"""Start processes: forked by a nursery where that can be, and as programs otherwise."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from uat_service.serve.birth import Refused, Stale
from uat_service.stack.journal import Journal
from uat_service.stack.launch import Launch
from uat_service.stack.lifeline import Lifeline
from uat_service.stack.nursery import Nursery
from uat_service.stack.process import Process, Said
from uat_service.stack.restarts import described
from uat_service.stack.spawning import spawned

__all__ = ["Starting"]


class Starting:
    """Start each process in the way that is quickest.

    Args:
        env: The environment of the nursery.
        apps: The services that it forks, as `module:name`.
        learned: A file of its own.
        lifeline: Ends it with us.
        journal: Where it is told what becomes of it.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        apps: Sequence[str],
        learned: Path,
        lifeline: Lifeline,
        journal: Journal,
    ) -> None:
        self._env = env
        self._apps = apps
        self._learned = learned
        self._lifeline = lifeline
        self._journal = journal
        self._beginning = asyncio.Lock()
        self._nursery: Nursery | None = None
        self._tended: dict[Nursery, asyncio.Task[None]] = {}

    async def __call__(self, launch: Launch, said: Said) -> Process:
        """Start a process.

        Args:
            launch: How.
            said: Is given what it writes, in lines.

        Raises:
            OSError: There is no such program, or it may not be run.
        """
        process = await self._forked(launch, said) if launch.forks and _forks() else None
        return await spawned(launch, said) if process is None else process

    async def prepare(self) -> None:
        """Begin to import what services will need."""
        if _forks():
            await self._current()

    async def close(self) -> None:
        """End all nurseries. What they have forked should have ended."""
        self._nursery = None
        for nursery, tending in list(self._tended.items()):
            await nursery.close()
            await tending

    async def _forked(self, launch: Launch, said: Said) -> Process | None:
        """Return a process that was forked, or None; a nursery that is stale is replaced once."""
        for _ in range(2):
            nursery = await self._current()
            born = await nursery.born(launch, said)
            match born:
                case Process():
                    return born
                case Stale():
                    self._leave(nursery)
                    nursery.retire()
                case Refused(reason):
                    self._journal.note(f"{launch.env['UAT_STACK_INSTANCE']}: not forked, {reason}")
                    return None
                case None:
                    self._leave(nursery)
                    return None
        return None

    async def _current(self) -> Nursery:
        async with self._beginning:
            if self._nursery is None:
                self._nursery = nursery = await Nursery.start(
                    self._env, self._said, learned=self._learned, apps=self._apps
                )
                self._lifeline.hold(nursery.pid)
                self._tended[nursery] = asyncio.create_task(self._tend(nursery))
            return self._nursery

    def _leave(self, nursery: Nursery) -> None:
        if self._nursery is nursery:
            self._nursery = None

    async def _tend(self, nursery: Nursery) -> None:
        code = await nursery.over()
        self._lifeline.release(nursery.pid)
        del self._tended[nursery]
        if self._nursery is nursery:
            self._nursery = None
            self._journal.note(f"nursery: ended ({described(code)}); the next start begins another")

    def _said(self, lines: list[bytes]) -> None:
        for line in lines:
            self._journal.note(f"nursery: {line.decode(errors='replace')}")


def _forks() -> bool:
    return sys.platform == "linux" and hasattr(os, "pidfd_open")
