"""Users, as the database knows them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.opaque import digest, fresh_api_key, fresh_id
from uat_platform.auth.queries import Row, change, every, first
from uat_service.store import Store

__all__ = ["User", "UserExistsError", "Users", "user_of"]


class UserExistsError(Exception):
    """Somebody has this address already."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody.

    Attributes:
        id: Never changes.
        email: In small letters; one user has it.
        username: What to call them.
        roles: What they may do: `user`, `admin`, or words of other services.
        password_hash: Argon2id, with its parameters.
        disabled: True for those who may not sign in.
    """

    id: str
    email: str
    username: str
    roles: frozenset[str]
    password_hash: str
    disabled: bool = False


class Users:
    """Find and keep users.

    Args:
        store: Where they are.
        now: Returns seconds since 1970.
        changed: Called when a user is not what they were.
    """

    def __init__(
        self, store: Store, now: Callable[[], float], *, changed: Callable[[], object]
    ) -> None:
        self._store = store
        self._now = now
        self._changed = changed

    async def add(
        self, *, email: str, username: str, password_hash: str, roles: Collection[str] = ("user",)
    ) -> tuple[User, str]:
        """Keep a new user; return it with its API key, which nobody can read again.

        Raises:
            UserExistsError: Somebody has the address.
        """
        user = User(fresh_id(), folded(email), username, frozenset(roles), password_hash)
        api_key = fresh_api_key()

        async def work(connection: AsyncConnection) -> None:
            await change(
                connection,
                "INSERT INTO users (id, email, username, password_hash, api_key_digest, roles, created_at)"
                " VALUES (:id, :email, :username, :hash, :key, :roles, :now)",
                id=user.id,
                email=user.email,
                username=username,
                hash=password_hash,
                key=digest(api_key),
                roles=" ".join(sorted(user.roles)),
                now=self._now(),
            )

        try:
            await self._store.write(work)
        except IntegrityError as error:
            raise UserExistsError from error
        return user, api_key

    async def by_email(self, email: str) -> User | None:
        """Return the user with an address, however it is capitalised."""
        return await self._find("email = :value", folded(email))

    async def by_id(self, user_id: str) -> User | None:
        """Return the user of an id."""
        return await self._find("id = :value", user_id)

    async def by_api_key(self, key: str) -> User | None:
        """Return the user who has a key, unless disabled."""
        user = await self._find("api_key_digest = :value", digest(key))
        return None if user is None or user.disabled else user

    async def page(self, *, after: str = "", limit: int = 100) -> list[User]:
        """Return users in the order of their addresses, from the one after an address on."""
        async with self._store.read() as connection:
            rows = await every(
                connection,
                "SELECT * FROM users WHERE email > :after ORDER BY email LIMIT :limit",
                after=after,
                limit=limit,
            )
        return [user_of(row) for row in rows]

    async def rehash(self, user: User, password_hash: str) -> None:
        """Keep another hash of the password."""
        await self._set(user.id, "password_hash = :value", password_hash)

    async def give_roles(self, user_id: str, roles: Collection[str]) -> bool:
        """Set what a user may do. False when there is no such user."""
        return await self._set(user_id, "roles = :value", " ".join(sorted(set(roles))))

    async def disable(self, user_id: str, *, disabled: bool) -> bool:
        """Keep a user out, or let them in again. False when there is no such user."""
        return await self._set(user_id, "disabled_at = :value", self._now() if disabled else None)

    async def new_api_key(self, user_id: str) -> str:
        """Return another API key; the one before is good no more."""
        key = fresh_api_key()
        await self._set(user_id, "api_key_digest = :value", digest(key))
        return key

    async def _find(self, condition: str, value: str) -> User | None:
        async with self._store.read() as connection:
            row = await first(connection, f"SELECT * FROM users WHERE {condition}", value=value)  # noqa: S608 - ours
        return None if row is None else user_of(row)

    async def _set(self, user_id: str, assignment: str, value: object) -> bool:
        statement = f"UPDATE users SET {assignment} WHERE id = :id"  # noqa: S608 - our own words

        async def work(connection: AsyncConnection) -> int:
            return await change(connection, statement, id=user_id, value=value)

        done = await self._store.write(work)
        self._changed()
        return done > 0


def folded(email: str) -> str:
    """Return an address as it is compared: mail servers do not tell capitals apart."""
    return email.strip().lower()


def user_of(row: Row) -> User:
    """Return the user of a row of the table, whatever else is in the row."""
    return User(
        id=row["id"],
        email=row["email"],
        username=row["username"],
        roles=frozenset(row["roles"].split()),
        password_hash=row["password_hash"],
        disabled=row["disabled_at"] is not None,
    )
