"""One session, and where it was begun."""

from dataclasses import dataclass

from uat_platform.auth.queries import Row

__all__ = ["COLUMNS", "Origin", "Session", "session_of"]

_LONGEST_AGENT = 300

COLUMNS = (
    "s.id AS session_id, s.user_id, s.client_id, s.scope, s.auth_time, s.created_at AS session_created_at,"
    " s.used_at, s.expires_at, s.address, s.agent"
)
"""Of the table `sessions s`, under names that no other table has."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for people who look at their sessions.

    Attributes:
        address: Of the client, as far as we can tell.
        agent: What it calls itself.
    """

    address: str
    agent: str = ""

    @property
    def shown(self) -> dict[str, str]:
        """What fits into the table."""
        return {"address": self.address[:60], "agent": self.agent[:_LONGEST_AGENT]}


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in: here, or at a client.

    Attributes:
        id: Its name, in tokens as `sid`.
        user_id: Who.
        client_id: At which client, or None for our own login.
        scope: What the tokens of this session are good for.
        auth_time: Seconds since 1970 at which the password was given.
        created_at: Seconds since 1970 at which it began.
        used_at: Seconds since 1970 at which a token was refreshed last.
        expires_at: Seconds since 1970 at which it ends by itself.
        origin: Where it was begun.
    """

    id: str
    user_id: str
    client_id: str | None
    scope: frozenset[str]
    auth_time: float
    created_at: float
    used_at: float
    expires_at: float
    origin: Origin


def session_of(row: Row) -> Session:
    """Return the session of a row that was selected by `COLUMNS`."""
    return Session(
        id=row["session_id"],
        user_id=row["user_id"],
        client_id=row["client_id"],
        scope=frozenset(row["scope"].split()),
        auth_time=row["auth_time"],
        created_at=row["session_created_at"],
        used_at=row["used_at"],
        expires_at=row["expires_at"],
        origin=Origin(row["address"], row["agent"]),
    )
