"""The keys of an issuer (JWKS, RFC 7517), fetched ahead and kept while the issuer is away.

    none ── first token ──▶ fetching ──▶ fresh ── `fresh` seconds ──▶ refreshed beside the requests
                               │                                        └─ failed: the old ones stay
                               └─ failed: IssuerUnavailableError; asked again after `pause` seconds

A token may name a key that is not there yet, because the issuer has just begun to use it. Then the keys are
fetched, but at most once in `pause` seconds, as anybody can make up names of keys.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from typing import Any

import jwt
import structlog

from uat_resilience._core.arguments import seconds, text
from uat_resilience.clock import Clock, default_clock
from uat_service.tokens.errors import InvalidTokenError, IssuerUnavailableError

__all__ = ["Fetch", "KeySet"]

Fetch = Callable[[], Awaitable[Mapping[str, Any]]]
"""Returns the key set of an issuer, as parsed JSON."""


class KeySet:
    """Know an issuer's public keys. Belongs to one event loop.

    However many tokens wait for keys, they are fetched once. A cancelled request leaves the fetch to the others.

    Args:
        fetch: Fetches the key set, in a time of its own.
        name: Of the issuer, for logs and errors.
        fresh: Seconds, above 0, after which keys are fetched again, beside the requests.
        stale: Seconds, above 0, for which keys are good while the issuer is away. A day: that an issuer is down
            must not log everybody out, and a key that was stolen must not be good for ever.
        pause: Seconds between two fetches at least, above 0, for keys that are not known and after failures.
        clock: Time source. Default: the replaceable system clock.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        name: str = "issuer",
        fresh: float = 300.0,
        stale: float = 86_400.0,
        pause: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        if not callable(fetch):
            raise TypeError(f"fetch must be an async function, not {fetch!r}")
        self._fetch = fetch
        self.name = text("name", name)
        self._fresh = seconds("fresh", fresh)
        self._stale = seconds("stale", stale)
        self._pause = seconds("pause", pause)
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """True while there are keys to check tokens with."""
        return bool(self._keys) and self._age() < self._stale

    async def get(self, kid: str) -> jwt.PyJWK:
        """Return the key of a name.

        Raises:
            InvalidTokenError: The issuer has none of that name.
            IssuerUnavailableError: There are no keys, and the issuer does not give any.
        """
        if not self.ready or kid not in self._keys:
            await self._look()
        elif self._age() >= self._fresh and self._may():
            self._begin()
        if not self.ready:
            raise IssuerUnavailableError(self.name, retry_after=self._pause)
        key = self._keys.get(kid)
        if key is None:
            raise InvalidTokenError("key")
        return key

    async def load(self) -> None:
        """Fetch the keys unless they are there: for the start of a service.

        Raises:
            IssuerUnavailableError: There are none to be had.
        """
        if not self.ready:
            await self._look()
        if not self.ready:
            raise IssuerUnavailableError(self.name, retry_after=self._pause)

    async def close(self) -> None:
        """Stop fetching."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait((self._fetching,))

    async def _look(self) -> None:
        """Wait for a fetch: the one that runs, or a new one if it is time for one."""
        if self._fetching is None and self._may():
            self._begin()
        if self._fetching is not None:
            await asyncio.wait((self._fetching,))

    def _may(self) -> bool:
        return self._fetching is None and (
            self._tried is None or self._now() - self._tried >= self._pause
        )

    def _begin(self) -> None:
        self._tried = self._now()
        # In a context of its own: it is no part of the request that happens to need it first.
        loop = asyncio.get_running_loop()
        self._fetching = loop.create_task(self._run(), context=Context())

    async def _run(self) -> None:
        try:
            keys = _read(await self._fetch())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the issuer, the keys stay
            _logger.warning("keys not fetched", issuer=self.name, error=type(error).__name__)
        else:
            self._keys, self._fetched = keys, self._now()
        finally:
            self._fetching = None

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._now() - self._fetched

    def _now(self) -> float:
        return (self._clock or default_clock.clock).now()


def _read(told: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the keys that can check a signature, by their names.

    Raises:
        ValueError: There is none.
    """
    keys: dict[str, jwt.PyJWK] = {}
    for each in told["keys"]:
        # A symmetric key is none that an issuer may publish, and who takes one lets anybody sign.
        if "kid" not in each or each.get("use", "sig") != "sig" or each.get("kty") == "oct":
            continue
        try:
            keys[str(each["kid"])] = jwt.PyJWK.from_dict(each)
        except jwt.PyJWTError:
            continue  # of a kind we do not know; others may be of use
    if not keys:
        raise ValueError("the key set has no key that can check a signature")
    return keys


_logger = structlog.get_logger("uat_service")
