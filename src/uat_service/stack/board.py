"""The states of all processes of a stack."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from uat_service.stack.journal import Journal, Moved
from uat_service.stack.state import State, Status

__all__ = ["Board"]


class Board:
    """Keep the state of each process, and wake whoever waits for one. For one event loop.

    Args:
        statuses: The processes, as they are at first.
        journal: Where changes are told.
    """

    def __init__(self, statuses: Iterable[Status], journal: Journal) -> None:
        self._statuses = {status.instance: status for status in statuses}
        self._journal = journal
        self._change = asyncio.Event()

    def __getitem__(self, instance: str) -> Status:
        return self._statuses[instance]

    @property
    def statuses(self) -> list[Status]:
        """All of them, in the order of the stack."""
        return list(self._statuses.values())

    def by_service(self) -> dict[str, list[Status]]:
        """Return the processes of each service."""
        found: dict[str, list[Status]] = {}
        for status in self._statuses.values():
            found.setdefault(status.service, []).append(status)
        return found

    def set(self, instance: str, state: State, detail: str = "") -> None:
        """Change what a process is doing. That nothing has changed is not told."""
        self._put(replace(self._statuses[instance], state=state, detail=detail))

    def started(self, instance: str, *, pid: int, since: float, restarts: int) -> None:
        """Tell that a process has been started."""
        status = replace(self._statuses[instance], state=State.STARTING, detail="")
        self._put(replace(status, pid=pid, since=since, restarts=restarts))

    def ended(self, instance: str, state: State, detail: str) -> None:
        """Tell that a process is no more, and what comes now."""
        status = replace(self._statuses[instance], state=state, detail=detail)
        self._put(replace(status, pid=None, since=None))

    async def changed(self) -> None:
        """Wait for the next change of any state."""
        await self._change.wait()

    def _put(self, status: Status) -> None:
        if status == self._statuses[status.instance]:
            return
        self._statuses[status.instance] = status
        self._journal.tell(Moved(status))
        self._change.set()
        self._change = asyncio.Event()
