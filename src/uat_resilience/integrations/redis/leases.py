"""The slots of a fleet that this process holds: leases, renewed while their calls run.

A lease ends by itself when nobody renews it, so a process that dies gives its slots back. Renewing is one exchange
for all leases, three times in each lease: in sync code by a thread that lives as long as something is held, on
asyncio by a timer of the loop. Neither goes on for what Redis could not be told: that runs out by itself.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from threading import Event, Lock, Thread

from uat_resilience.integrations.redis.away import RedisAwayError
from uat_resilience.integrations.redis.link import RedisLink
from uat_resilience.integrations.redis.scripts import BEAT
from uat_resilience.policies.unset import Unset

__all__ = ["Leases", "micros"]


class Leases:
    """What is held, what is over and Redis has not heard of yet, and what Redis last said.

    Args:
        link: The way to Redis.
        name: Whose slots they are.
        keys: Of the holders, of the queue, and of those heard of in it.
        size: Slots.
        seconds: How long a lease lasts that is not renewed.

    Attributes:
        running: Slots taken in the fleet, as last heard.
        waiting: Calls that wait in the fleet, as last heard.
        lost: Leases that ran out and were not to be had again, while their calls went on.
    """

    def __init__(
        self, link: RedisLink, *, name: str, keys: list[str], size: int, seconds: float
    ) -> None:
        self._link = link
        self._name = name
        self._keys = keys
        self._size = size
        self._seconds = seconds
        self.forget()

    @property
    def held(self) -> int:
        """Leases that this process holds."""
        return len(self._held) + len(self._aheld)

    def forget(self) -> None:
        """Start anew: in a forked child the leases are those of the parent."""
        self._held: dict[str, None] = {}  # By threads.
        self._aheld: dict[str, None] = {}  # By tasks.
        # What Redis cannot be told runs out, so only so much is remembered while it is away.
        self._over: deque[str] = deque(maxlen=1000)
        self._untold: deque[str] = deque(maxlen=1000)  # For the next exchange, whoever makes it.
        self._lock = Lock()
        self._keeper: Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.running = 0
        self.waiting = 0
        self.lost = 0

    def hold(self, token: str) -> None:
        """Keep a lease that a thread was given."""
        self._held[token] = None
        with self._lock:
            if self._keeper is None:
                self._keeper = Thread(target=self._keep, name=f"{self._name} leases", daemon=True)
                self._keeper.start()

    def ahold(self, token: str) -> None:
        """Keep a lease that a task was given."""
        self._aheld[token] = None
        loop = asyncio.get_running_loop()
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._timer = loop.call_later(self._seconds / 3, self._atick)

    def drop(self, token: str) -> None:
        """Renew it no longer, and have it ended with the next exchange. Never waits."""
        self._held.pop(token, None)
        self._aheld.pop(token, None)
        self._over.append(token)

    def settle(self) -> None:
        """Tell Redis which leases are over, from sync code; what it does not hear runs out."""
        self._exchange_now({})

    async def asettle(self) -> None:
        """Tell Redis which leases are over, from a task; what it does not hear runs out."""
        await self._aexchange({})

    def _keep(self) -> None:
        pause, holding = Event(), True
        while holding:
            pause.wait(self._seconds / 3)
            with self._lock:
                holding = bool(self._held)
                if not holding:
                    self._keeper = None
            if holding or self._over:
                self._exchange_now(dict(self._held) if holding else {})

    def _atick(self) -> None:
        self._timer = None
        if self._aheld:
            self._timer = asyncio.get_running_loop().call_later(self._seconds / 3, self._atick)
        if self._aheld or self._over:
            self._link.later(self._aexchange(dict(self._aheld)))

    def _exchange_now(self, held: dict[str, None]) -> None:
        over = self._take_over()
        if not held and not over:
            return
        try:
            answer = self._link.ask(self._name, BEAT, self._keys, *self._request(held, over))
        except (RedisAwayError, TimeoutError):
            self._untold.extend(over)
            return
        if self._hear(answer, list(held), self._held):
            self._exchange_now({})

    async def _aexchange(self, held: dict[str, None]) -> None:
        over = self._take_over()
        if not held and not over:
            return
        try:
            answer = await self._link.aask(self._name, BEAT, self._keys, *self._request(held, over))
        except (RedisAwayError, TimeoutError):
            self._untold.extend(over)
            return
        except asyncio.CancelledError:
            self._untold.extend(over)
            raise
        if self._hear(answer, list(held), self._aheld):
            await self._aexchange({})

    def _request(self, held: dict[str, None], over: list[str]) -> list[str | int]:
        return [self._size, micros(self._seconds), len(held), *held, *over]

    def _take_over(self) -> list[str]:
        return [queue.popleft() for queue in (self._over, self._untold) for _ in range(len(queue))]

    def _hear(self, answer: Sequence[int], renewed: list[str], held: dict[str, None]) -> bool:
        """Take note of an answer; True when a lease was renewed that has been dropped meanwhile."""
        self.running, self.waiting, *lost = answer
        for place in lost:
            if held.pop(renewed[place], Unset.UNSET) is None:
                self.lost += 1
        gone = {renewed[place] for place in lost}
        # Its end may have reached Redis before its renewal did, which then took the slot again.
        dropped = [token for token in renewed if token not in held and token not in gone]
        self._over.extend(dropped)
        return bool(dropped)


def micros(duration: float) -> int:
    """Return seconds as Redis counts them: whole microseconds, at least 1."""
    return max(1, round(duration * 1_000_000))
