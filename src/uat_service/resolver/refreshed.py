"""Lists of instances that are kept, and looked up again before they are old.

    unknown ── find ──▶ looking ──▶ kept ──▶ looking ──▶ kept ...     every `interval`, beside the requests
                                     │          └─ failed: the list stays, the next look is soon
                                     └─ nobody asked for `idle` seconds: forgotten

Only the first request for a name waits for a look. All others take what is there, whatever becomes of the source.
"""

import asyncio
from contextvars import Context

from uat_resilience._core.arguments import seconds, seconds_or_zero
from uat_service.resolver.instance import Instance
from uat_service.resolver.resolver import Source

__all__ = ["RefreshedResolver"]

_FIRST = 5.0  # Seconds for the first look, which somebody waits for.


class _Entry:
    """What is known of one name."""

    __slots__ = ("asked", "empty_since", "failures", "instances", "look", "looked", "timer")

    def __init__(self) -> None:
        self.instances: list[Instance] = []
        self.asked = 0.0
        self.looked: float | None = None
        self.empty_since: float | None = None
        self.failures = 0
        self.look: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None


class RefreshedResolver:
    """Know services by a source that may change, be slow, or be away.

    A look at the source that fails changes nothing: the last good list stays for as long as it takes, and the next
    look is after a tenth of `interval`, then twice that, up to `interval`. A source that suddenly knows of no
    instance at all (an empty registry after a restart) is believed after `grace` seconds.

    Runs on asyncio; belongs to one event loop. `resolve` never waits.

    Args:
        source: Where to look.
        interval: Seconds between two looks at a name, above 0.
        timeout: Seconds for one look, above 0.
        grace: Seconds for which an empty list is not believed, or 0.
        idle: Seconds, above 0, after which a name that nobody asked for is forgotten.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        source: Source,
        *,
        interval: float = 5.0,
        timeout: float = 2.0,
        grace: float = 15.0,
        idle: float = 600.0,
    ) -> None:
        if not isinstance(source, Source):
            raise TypeError(f"source must have look_up(), not {source!r}")
        self._source = source
        self._interval = seconds("interval", interval)
        self._timeout = seconds("timeout", timeout)
        self._grace = seconds_or_zero("grace", grace)
        self._idle = seconds("idle", idle)
        self._entries: dict[str, _Entry] = {}

    def resolve(self, name: str) -> list[Instance]:
        """Return the instances as they are known now, and look for those of a new name."""
        loop = asyncio.get_running_loop()
        entry = self._entries.get(name)
        if entry is None:
            entry = self._entries[name] = _Entry()
            self._begin(name, entry)
        entry.asked = loop.time()
        return list(entry.instances)

    async def find(self, name: str) -> list[Instance]:
        """Return the instances; of a new name after the first look, which all who ask share.

        Cancelling does not end the look: others wait for it too.
        """
        found = self.resolve(name)
        entry = self._entries[name]
        if entry.looked is None and entry.look is not None:
            await asyncio.wait((entry.look,), timeout=_FIRST)
            return list(entry.instances)
        return found

    def age(self, name: str) -> float | None:
        """Return the seconds since the source was last heard of a name, or None for never: for health checks."""
        entry = self._entries.get(name)
        if entry is None or entry.looked is None:
            return None
        return asyncio.get_running_loop().time() - entry.looked

    async def close(self) -> None:
        """Stop looking. What is known stays known."""
        looks = [entry.look for entry in self._entries.values() if entry.look is not None]
        for entry in self._entries.values():
            if entry.timer is not None:
                entry.timer.cancel()
        for look in looks:
            look.cancel()
        if looks:
            await asyncio.wait(looks)

    def _begin(self, name: str, entry: _Entry) -> None:
        # In a context of its own: a look is no part of the request that happens to be the first to ask.
        loop = asyncio.get_running_loop()
        entry.look = loop.create_task(self._look(name, entry), context=Context())

    async def _look(self, name: str, entry: _Entry) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._source.look_up(name)
        except Exception:  # noqa: BLE001 - whatever is wrong with the source, the last good list stays
            entry.failures += 1
        else:
            entry.failures, entry.looked = 0, loop.time()
            self._take(entry, found, entry.looked)
        entry.look = None
        entry.timer = loop.call_later(self._pause(entry), self._again, name, entry)

    def _take(self, entry: _Entry, found: list[Instance], now: float) -> None:
        if found or not entry.instances:
            entry.instances, entry.empty_since = found, None
            return
        if entry.empty_since is None:
            entry.empty_since = now
        if now - entry.empty_since >= self._grace:
            entry.instances = []

    def _pause(self, entry: _Entry) -> float:
        if not entry.failures:
            return self._interval
        return min(self._interval, self._interval * 0.1 * 2.0 ** min(entry.failures - 1, 10))

    def _again(self, name: str, entry: _Entry) -> None:
        if asyncio.get_running_loop().time() - entry.asked >= self._idle:
            del self._entries[name]
        else:
            self._begin(name, entry)
