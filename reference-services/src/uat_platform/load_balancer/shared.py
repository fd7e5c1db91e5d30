"""The registry in Redis, for several load balancers: what one of them is told all know within a second.

    {prefix}:leases    sorted set: when each lease ends, in milliseconds of Redis' own clock
    {prefix}:offers    hash: what each instance says of itself, empty once it has left

    heard here ──▶ told to Redis ──▶ looked at by the others ──▶ registered there, for what is left of its lease

Both keys go when the last lease is over. While Redis is away each load balancer goes by what it knows, and tells
the rest later; so a Redis that has lost everything costs nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

import anyio
import msgspec
import structlog

from uat_platform.load_balancer.fleet import Fleet
from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import Change, Kind, RegistryFullError
from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import default_clock
from uat_resilience.integrations.redis.away import CLIENT_ERRORS
from uat_resilience.integrations.redis.once import AsyncClient
from uat_resilience.waiting import world

__all__ = ["Shared"]

_PREFIX = "uat:{load-balancer}"  # In one slot of a cluster.
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_TELL = f"""{_NOW}
for i = 1, #ARGV, 3 do
  redis.call('ZADD', KEYS[1], now + ARGV[i], ARGV[i + 1])
  redis.call('HSET', KEYS[2], ARGV[i + 1], ARGV[i + 2])
end
for _, one in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], one)
  redis.call('HDEL', KEYS[2], one)
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, last or now) end
"""
_LOOK = f"""{_NOW}
local found = {{}}
local leases = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES')
for i = 1, #leases, 2 do
  table.insert(found, leases[i])
  table.insert(found, redis.call('HGET', KEYS[2], leases[i]) or '')
  table.insert(found, leases[i + 1] - now)
end
return found
"""

Key = tuple[str, str]
Found = tuple[Key, float, Registration | None]


class _News(NamedTuple):
    """What Redis was not told yet of one instance; `offer` is None when it has left."""

    lease: float
    offer: Registration | None


class Shared:
    """Keep a fleet in step with a Redis. Belongs to one event loop.

    Args:
        fleet: Is listened to, and told what others have heard.
        client: To the Redis.
        interval: Seconds between two looks, above 0.
        timeout: Seconds for one exchange, above 0.
    """

    def __init__(
        self,
        fleet: Fleet,
        client: AsyncClient,
        *,
        interval: float = 1.0,
        timeout: float = 1.0,
    ) -> None:
        self._fleet = fleet
        self._interval = interval
        self._timeout = timeout
        self._keys = [f"{_PREFIX}:leases", f"{_PREFIX}:offers"]
        self._tell = client.register_script(_TELL)
        self._look = client.register_script(_LOOK)
        self._news: dict[Key, _News] = {}
        self._some = DrainSignal()
        self._strange: set[str] = set()
        self._taking = self._away = False
        fleet.follow(self._heard)
        fleet.listen(self._changed)

    async def run(self) -> None:
        """Tell and look again and again, until cancelled."""
        while True:
            self._some = DrainSignal()
            await self.exchange()
            # While it is away, news are no reason to ask at once.
            wake = DrainSignal() if self._away else self._some
            await world().pause(default_clock.clock, self._interval, wake)

    async def exchange(self) -> None:
        """Tell what is new here, then take what is new elsewhere. A Redis that is away changes nothing."""
        told, self._news = self._news, {}
        try:
            with anyio.fail_after(self._timeout):
                if told:
                    await self._tell(self._keys, _arguments(told))
                found = await self._look(self._keys)
        except CLIENT_ERRORS as error:
            self._news = {**told, **self._news}
            if not self._away:
                _logger.warning("registry not shared", error=type(error).__name__)
            self._away = True
            return
        self._away = False
        self._take([*self._understood(found)])

    def _understood(self, found: Iterable[bytes | int]) -> Iterable[Found]:
        """Return keys, seconds that are left, and offers, in the order in which the leases end.

        What somebody else has put there is left out, and told once: it must not hide the others' instances.
        """
        strange: set[str] = set()
        flat = iter(found)
        for key, offer, left in zip(flat, flat, flat, strict=True):
            try:
                one = msgspec.json.decode(_bytes(offer), type=Registration) if offer else None
                yield msgspec.json.decode(_bytes(key), type=Key), int(left) / 1000, one
            except msgspec.MsgspecError as error:
                name = _bytes(key).decode(errors="replace")
                strange.add(name)
                if name not in self._strange:
                    _logger.warning("offer not understood", offer=name, error=str(error))
        self._strange = strange

    def _take(self, found: list[Found]) -> None:
        self._taking = True
        try:
            # An address belongs to whoever was heard of last: until the other lease is over both are there.
            owners = {one.instance.url: key[0] for key, _, one in found if one is not None}
            for (service, id_), left, one in found:
                if (service, id_) in self._news:
                    continue
                if one is None:
                    self._fleet.remove(service, id_)
                elif owners[one.instance.url] == service:
                    self._fleet.register(one, lasts=left)
        except RegistryFullError as error:
            _logger.warning("registry not taken", error=str(error))
        finally:
            self._taking = False

    def _heard(self, one: Registration) -> None:
        if one.lease is not None and not one.stale and not self._taking:
            self._note(one, _News(one.lease, one))

    def _changed(self, changes: list[Change]) -> None:
        for each in changes:
            one = each.registration
            told = each.kind in {Kind.REMOVED, Kind.REPLACED} and not self._taking
            if told and one.lease is not None:
                self._note(one, _News(one.lease, None))

    def _note(self, one: Registration, news: _News) -> None:
        self._news[one.service, one.instance.id] = news
        self._some.set()


def _arguments(told: dict[Key, _News]) -> list[bytes | int]:
    arguments: list[bytes | int] = []
    for key, news in told.items():
        offer = b"" if news.offer is None else msgspec.json.encode(news.offer)
        arguments += [max(1, round(news.lease * 1000)), msgspec.json.encode(key), offer]
    return arguments


def _bytes(told: bytes | int) -> bytes:
    return told if isinstance(told, bytes) else b"%d" % told


_logger = structlog.get_logger("load_balancer")
