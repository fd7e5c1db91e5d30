"""Active checks: each host is asked again and again whether it is fit, and at once when it could not be reached.

new ──▶ asked ──▶ waits `interval` ──▶ asked ...        a tenth earlier or later, so that they do not march in step
                  waits `recheck` after a failure       suspected: asked now, or anew after the answer
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Self

import httpx2

from uat_platform.load_balancer.fleet import Fleet
from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import Change
from uat_resilience.integrations.cookies import no_cookies

__all__ = ["Checks"]

_OK = 200
_UNAVAILABLE = 503
_AT_ONCE = 100
_JITTER = 0.1

Key = tuple[str, str]


class Checks:
    """Check all hosts. Belongs to one event loop; runs inside `async with`.

    Args:
        fleet: The hosts; is told what comes of it.
        draw: Returns a uniform number from [0, 1).
        tell: Is told of a service one of whose hosts is in another state than before.
        interval: Seconds between two checks of a host.
        recheck: Seconds until the next one after a failure.
        timeout: Seconds for one.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        draw: Callable[[], float],
        tell: Callable[[str], object],
        interval: float,
        recheck: float,
        timeout: float,
    ) -> None:
        self._fleet = fleet
        self._draw = draw
        self._tell = tell
        self._interval = interval
        self._recheck = min(recheck, interval)
        self._timeout = timeout
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._doubted: set[Key] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._closed = True
        fleet.listen(self._changed)

    async def __aenter__(self) -> Self:
        self._client = httpx2.AsyncClient(
            trust_env=False, cookies=no_cookies(), timeout=httpx2.Timeout(None)
        )
        self._closed = False
        registry = self._fleet.registry
        for service in registry.services:
            for each in registry.instances(service):
                self.suspect(service, each.instance.id)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._client.aclose()

    def suspect(self, service: str, id_: str) -> None:
        """Check a host now; anew, if that is being done: its answer may be from before the trouble."""
        key = service, id_
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._running:
            self._doubted.add(key)
        elif not self._closed:
            # In a context of its own: a check is no part of the request that could not reach the host.
            task = asyncio.get_running_loop().create_task(self._check(key), context=Context())
            self._running[key] = task
            task.add_done_callback(lambda _: self._next(key))

    def _changed(self, changes: list[Change]) -> None:
        for each in changes:
            key = each.registration.service, each.registration.instance.id
            if each.gone:
                timer = self._timers.pop(key, None)
                if timer is not None:
                    timer.cancel()
            else:
                self.suspect(*key)

    async def _check(self, key: Key) -> None:
        found = self._fleet.registry.find(*key)
        if found is None:
            return
        async with self._slots:
            error, certain = await self._asked(found)
        group = self._fleet.group(found.service)
        if group is None or self._fleet.registry.find(*key) is None:
            return
        if group.checked(found.instance.id, error, self._fleet.now(), certain=certain):
            self._tell(found.service)

    async def _asked(self, one: Registration) -> tuple[str | None, bool]:
        """Return what is wrong, and whether that leaves no doubt."""
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.get(one.instance.url + one.health)
        except TimeoutError:
            return "no answer in time", False
        except httpx2.ConnectError:
            return "cannot be reached", True
        except httpx2.HTTPError as error:
            return type(error).__name__, False
        status = response.status_code
        return (None, False) if status == _OK else (f"status {status}", status == _UNAVAILABLE)

    def _next(self, key: Key) -> None:
        del self._running[key]
        doubted = key in self._doubted
        self._doubted.discard(key)
        if self._closed or self._fleet.registry.find(*key) is None:
            return
        if doubted:
            self.suspect(*key)
            return
        group = self._fleet.existing.get(key[0])
        failed = group is not None and group[key[1]].checked.error is not None
        pause = self._recheck if failed else self._interval
        pause *= 1.0 - _JITTER + 2 * _JITTER * self._draw()
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(pause, self.suspect, *key)
