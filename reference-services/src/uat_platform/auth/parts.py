"""What the service is made of, put together in one place."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from pathlib import Path

from litestar import Litestar
from prometheus_client import Counter

from uat_platform.auth.accounts.accounts import Accounts
from uat_platform.auth.accounts.lockout import Lockout
from uat_platform.auth.accounts.passwords import Passwords
from uat_platform.auth.accounts.users import Users
from uat_platform.auth.keys.ring import KeyRing
from uat_platform.auth.limits import AddressLimits
from uat_platform.auth.oauth.clients import Clients
from uat_platform.auth.oauth.codes import Codes
from uat_platform.auth.oauth.consents import Consents
from uat_platform.auth.oauth.grants import Grants
from uat_platform.auth.oauth.id_tokens import IdTokens
from uat_platform.auth.sessions.access import AccessTokens
from uat_platform.auth.sessions.callers import Callers
from uat_platform.auth.sessions.memory import SessionMemory
from uat_platform.auth.sessions.refresh import RefreshTokens
from uat_platform.auth.sessions.revoked import RevokedTokens
from uat_platform.auth.sessions.sessions import Sessions
from uat_platform.auth.settings import AuthSettings
from uat_platform.auth.upkeep import Upkeep
from uat_resilience.clock import wall_time
from uat_service.store import Store

__all__ = ["Parts"]

_MIGRATIONS = Path(__file__).parent / "migrations"
# For clocks that differ, and for requests that are on their way when a token expires.
_MARGIN = 300.0


class Parts:
    """Everything that requests need. Belongs to one event loop; made without one.

    Args:
        settings: What the service was told.
        now: Returns seconds since 1970.

    Attributes:
        counters: Its own metrics, to be registered.
    """

    def __init__(
        self,
        settings: AuthSettings,
        *,
        now: Callable[[], float] = wall_time,
    ) -> None:
        self.settings = settings
        self.now = now
        self.store = Store(settings.database_url)
        self.keys = KeyRing(
            self.store,
            now,
            lifetime=settings.key_lifetime,
            notice=settings.key_notice,
            kept=settings.access_token_lifetime + _MARGIN,
            passphrase=settings.key_passphrase.get_secret_value(),
        )
        self.passwords = Passwords(
            memory=settings.password_memory,
            passes=settings.password_passes,
            threads=settings.hashing_threads,
            queue=settings.hashing_queue,
            patience=settings.password_wait,
        )
        refreshes = _counter("auth_refreshes", "Refresh tokens that were shown")
        logins = _counter("auth_logins", "Passwords that were given")
        self.counters = (refreshes, logins)
        memory = SessionMemory(now, seconds=settings.session_memory)
        self.limits = AddressLimits(settings)
        self.users = Users(self.store, now, changed=memory.forget)
        self.accounts = Accounts(
            self.users,
            self.passwords,
            Lockout(
                self.store,
                now,
                attempts=settings.login_attempts,
                shortest=settings.lock_first,
                longest=settings.lock_longest,
            ),
            told=lambda outcome: logins.labels(outcome).inc(),
        )
        self.sessions = Sessions(self.store, now, lifetime=settings.session_lifetime, memory=memory)
        self.refresh = RefreshTokens(
            self.store,
            now,
            grace=settings.refresh_grace,
            told=lambda step: refreshes.labels(step.value).inc(),
            memory=memory,
        )
        self.access = AccessTokens(
            self.keys,
            now,
            issuer=settings.issuer_url,
            audience=settings.audience,
            algorithm=settings.signing_algorithm,
            lifetime=settings.access_token_lifetime,
        )
        self.clients = Clients(self.store, now, memory=memory)
        self.codes = Codes(self.store, now, memory=memory)
        self.consents = Consents(self.store, now)
        self.grants = Grants(
            users=self.users,
            sessions=self.sessions,
            codes=self.codes,
            refresh=self.refresh,
            access=self.access,
            id_tokens=IdTokens(
                self.keys, now, issuer=settings.issuer_url, lifetime=settings.access_token_lifetime
            ),
        )
        self.revoked = RevokedTokens(self.store, memory=memory)
        self.callers = Callers(self.access, self.sessions, self.revoked)
        self._upkeep = Upkeep(self.store, self.keys, now, grace=settings.refresh_grace)
        self._preparing = asyncio.Lock()
        self._prepared = False

    async def database(self) -> None:
        """Bring the database up to date, once, and ask it for a sign of life: for health checks."""
        async with self._preparing:
            if not self._prepared:
                await self.store.migrate(_MIGRATIONS)
                self._prepared = True
        await self.store.check()

    async def signing(self) -> bool:
        """Return whether there are keys to sign with, made now if need be: for health checks."""
        if not self.keys.ready:
            await self.database()
            await self.keys.load()
        return self.keys.ready

    @asynccontextmanager
    async def lifespan(self, _: Litestar | None = None) -> AsyncGenerator[None]:
        """Look after keys and old rows while it serves; close everything after the last request."""
        caring = asyncio.get_running_loop().create_task(self._upkeep.run(), context=Context())
        try:
            yield
        finally:
            caring.cancel()
            await asyncio.wait((caring,))
            self.passwords.close()
            await self.limits.close()
            await self.store.close()


def _counter(name: str, words: str) -> Counter:
    return Counter(name, words, ["outcome"], registry=None)
