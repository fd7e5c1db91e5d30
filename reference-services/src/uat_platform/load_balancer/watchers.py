"""Who wants to hear of changes: each has a list of what is new, which cannot grow beyond one entry for a service.

A watcher that reads slowly hears less often, and always the newest.
"""

import asyncio
from collections.abc import Generator, Iterable
from contextlib import contextmanager

__all__ = ["Watcher", "Watchers"]


class Watcher:
    """One who listens.

    Args:
        only: The service it is about, or None for all.
    """

    def __init__(self, only: str | None) -> None:
        self._only = only
        self._new: dict[str, None] = {}
        self._some = asyncio.Event()

    def tell(self, services: Iterable[str]) -> None:
        """Note that something is new about these services."""
        for each in services:
            if self._only in {None, each}:
                self._new[each] = None
                self._some.set()

    async def news(self) -> list[str]:
        """Return the services something is new about, after a wait if there are none."""
        await self._some.wait()
        self._some.clear()
        new, self._new = list(self._new), {}
        return new


class Watchers:
    """All who listen. Belongs to one event loop."""

    def __init__(self) -> None:
        self._all: set[Watcher] = set()

    def __len__(self) -> int:
        return len(self._all)

    def tell(self, services: Iterable[str]) -> None:
        """Note that something is new about these services."""
        services = dict.fromkeys(services)
        for each in self._all:
            each.tell(services)

    @contextmanager
    def joined(self, *, only: str | None) -> Generator[Watcher]:
        """Listen inside the block."""
        watcher = Watcher(only)
        self._all.add(watcher)
        try:
            yield watcher
        finally:
            self._all.discard(watcher)
