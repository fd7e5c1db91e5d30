"""Passwords, hashed by Argon2id: slow on purpose, so only so many at once, and the rest is told to come again.

Hashing is nearly all that this service's processor does. In a bulkhead a flood of logins takes those threads and a
short queue, and no more; everybody else is refused at once, before anything is looked up for them.

The threads run at the priority of all others. With less of it they would stand still with the interpreter's lock
in their hands, and the event loop behind them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from uat_platform.auth.opaque import fresh
from uat_resilience import Bulkhead
from uat_resilience.policies.permit import Permit

__all__ = ["Passwords"]

T = TypeVar("T")


class Passwords:
    """Hash passwords and check them, a few at once. Belongs to one event loop.

        async with passwords.turn():
            hashed = await passwords.hash("correct horse")

    Args:
        memory: KiB for each.
        passes: Over that memory.
        threads: At once.
        queue: Requests that wait for their turn.
        patience: Seconds that they wait.

    Attributes:
        slots: Who is hashing, and who waits.
    """

    def __init__(
        self, *, memory: int, passes: int, threads: int, queue: int, patience: float
    ) -> None:
        # One lane: requests already run beside each other.
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=1)
        self.slots = Bulkhead(threads, name="passwords", queue=queue, max_wait=patience)
        self._threads = ThreadPoolExecutor(threads, "argon2")
        # Checked in place of nobody's password, so that the time of an answer does not tell who is a user.
        self._nobodys = self._hasher.hash(fresh())

    def turn(self) -> Permit:
        """Wait for a turn to hash. Take it before anything that costs: who is refused should cost nothing.

        Raises:
            BulkheadFullError: On entering: too many wait, or it took too long. Answered with 503.
        """
        return self.slots.permit()

    async def hash(self, password: str) -> str:
        """Return the hash of a password. Within a turn."""
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Return whether a password is the right one; for nobody's it takes as long. Within a turn."""
        return await self._run(lambda: self._check(password, hashed or self._nobodys))

    def outdated(self, hashed: str) -> bool:
        """Return whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)

    def _check(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        """Run something in a thread. Whoever is cancelled leaves when the thread is free again, and not before."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait((running,))
            raise
