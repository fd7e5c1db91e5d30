"""Register, and prove who one is by a password."""

from collections.abc import Callable, Collection

import structlog

from uat_platform.auth.accounts.lockout import Lockout
from uat_platform.auth.accounts.passwords import Passwords
from uat_platform.auth.accounts.users import User, Users, folded

__all__ = ["Accounts"]


class Accounts:
    """Let people in by their password. Whatever costs is done within a turn to hash, of which there are few.

    Args:
        users: Who they are.
        passwords: Hashes and checks.
        lockout: Counts who is wrong.
        told: Called with the outcome of each attempt: `accepted` or `refused`.
    """

    def __init__(
        self,
        users: Users,
        passwords: Passwords,
        lockout: Lockout,
        *,
        told: Callable[[str], object],
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._lockout = lockout
        self._told = told

    async def register(
        self, *, email: str, username: str, password: str, roles: Collection[str] = ("user",)
    ) -> tuple[User, str]:
        """Keep a new user; return it with its API key.

        Raises:
            UserExistsError: Somebody has the address.
            BulkheadFullError: Too many passwords are being hashed.
        """
        async with self._passwords.turn():
            hashed = await self._passwords.hash(password)
        user, api_key = await self._users.add(
            email=email, username=username, password_hash=hashed, roles=roles
        )
        _logger.info("registered", user=user.id, roles=sorted(user.roles))
        return user, api_key

    async def authenticate(self, email: str, password: str, *, address: str) -> User | None:
        """Return who has this password, or None. It takes as long for those who are nobody.

        Raises:
            RateLimitedError: Too many wrong ones; this one was not looked at.
            BulkheadFullError: Too many passwords are being hashed.
        """
        email = folded(email)
        async with self._passwords.turn():
            await self._lockout.check(email, address)
            user = await self._users.by_email(email)
            right = await self._passwords.matches(
                password, None if user is None else user.password_hash
            )
            if user is None or not right or user.disabled:
                self._told("refused")
                await self._lockout.failed(email, address)
                return None
            if self._passwords.outdated(user.password_hash):
                await self._users.rehash(user, await self._passwords.hash(password))
        await self._lockout.succeeded(email, address)
        self._told("accepted")
        return user

    async def change_password(self, user: User, *, old: str, new: str, address: str) -> bool:
        """Give a user another password. False when the old one is wrong.

        Raises:
            RateLimitedError: Too many wrong ones.
            BulkheadFullError: Too many passwords are being hashed.
        """
        if await self.authenticate(user.email, old, address=address) is None:
            return False
        async with self._passwords.turn():
            await self._users.rehash(user, await self._passwords.hash(new))
        _logger.info("password changed", user=user.id)
        return True


_logger = structlog.get_logger("uat_platform.auth")
