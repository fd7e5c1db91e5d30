"""What the service may be told from outside; the names are those of environment variables, in small letters."""

import os
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from uat_service.duration import Duration, Pause
from uat_service.settings import Settings
from uat_service.store import StoreUrl

__all__ = ["AuthSettings"]

_DAY = 86_400.0


class AuthSettings(Settings):
    """The settings of the authentication service, besides those that every service has.

    Attributes:
        database_url: Where users, sessions and keys are: `sqlite:///path` or `postgresql://...`.
        issuer: What tokens say they come from, and where clients find it. Empty: `http://localhost:<port>`.
        audience: Whom access tokens are for: all services of this platform.
        signing_algorithm: Of access tokens, and of ID tokens for clients that ask for no other.
        access_token_lifetime: Seconds. Services check tokens by themselves, so a revoked one is good for as long.
        session_lifetime: Seconds from signing in until it has to be done again.
        refresh_grace: Seconds in which a refresh token that was used already gets the same successor again.
        session_memory: Seconds for which a session that was looked up is not looked up again. What this process
            ends is forgotten at once; what another one ends, after this.
        key_lifetime: Seconds a key signs before the next one takes over.
        key_notice: Seconds a key is published before it may sign; longer than anybody keeps the key set.
        key_passphrase: Encrypts private keys in the database. Empty: they are as safe as the database.
        password_memory: KiB that one Argon2id takes.
        password_passes: Over that memory.
        password_threads: Passwords that are hashed at once; 0 for one fewer than there are cores, as the last one
            is for those who only want a token checked.
        password_queue: Requests that wait for their turn to hash; at most half of BULKHEAD_SIZE, or they would
            take the place of those who only want a token checked.
        password_wait: Seconds they wait at most.
        login_attempts: Wrong passwords in a row, for one account from one address, before it is locked.
        lock_first: Seconds of the first lock; each further failure doubles it.
        lock_longest: Seconds of a lock at most.
        requests_per_minute: From one address, to what takes a password or a secret.
        cookie_secure: Whether browsers send the session by TLS only. Default: when the issuer is `https`.
    """

    port: Annotated[int, Field(ge=0, le=65535)] = 8015
    database_url: StoreUrl = "sqlite:///.uat/auth.db"
    issuer: str = ""
    audience: Annotated[str, Field(min_length=1)] = "uat-platform"
    signing_algorithm: Literal["ES256", "RS256"] = "ES256"
    access_token_lifetime: Duration = 300.0
    session_lifetime: Duration = 30 * _DAY
    refresh_grace: Pause = 30.0
    session_memory: Pause = 5.0
    key_lifetime: Duration = 30 * _DAY
    key_notice: Pause = 900.0
    key_passphrase: SecretStr = SecretStr("")
    password_memory: Annotated[int, Field(ge=8)] = 19_456
    password_passes: Annotated[int, Field(ge=1)] = 2
    password_threads: Annotated[int, Field(ge=0)] = 0
    password_queue: Annotated[int, Field(ge=0)] = 50
    password_wait: Duration = 1.0
    login_attempts: Annotated[int, Field(ge=1)] = 5
    lock_first: Duration = 30.0
    lock_longest: Duration = 900.0
    requests_per_minute: Annotated[int, Field(ge=1)] = 120
    cookie_secure: bool | None = None

    @property
    def issuer_url(self) -> str:
        """The issuer as it is written into tokens, without a slash at its end."""
        return (self.issuer or f"http://localhost:{self.port}").rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether cookies are for TLS only."""
        if self.cookie_secure is None:
            return self.issuer_url.startswith("https:")
        return self.cookie_secure

    @property
    def hashing_queue(self) -> int:
        """Requests that wait for their turn to hash."""
        return min(self.password_queue, self.bulkhead_size // 2)

    @property
    def hashing_threads(self) -> int:
        """Passwords that are hashed at once."""
        return self.password_threads or max(1, (os.cpu_count() or 1) - 1)
