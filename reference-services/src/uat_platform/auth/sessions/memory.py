"""Sessions that were looked up a moment ago, so that a token that is checked again and again costs no question.

A database is a few turns of the event loop away, and in a flood of logins each turn takes its time. What ends here
is forgotten here at once. Other processes of this service may take it for living for as long as they remember, a
few seconds; everybody who checks tokens by the published keys alone does so until they expire.
"""

from collections.abc import Callable

from uat_platform.auth.accounts.users import User
from uat_platform.auth.sessions.session import Session

__all__ = ["SessionMemory"]

_MOST = 10_000


class SessionMemory:
    """Remember whose a token is. Belongs to one event loop.

    Args:
        now: Returns seconds since 1970.
        seconds: For how long, 0 or more.

    Attributes:
        era: Counts what was forgotten. Whoever has asked the database in an earlier era has an old answer.
    """

    def __init__(self, now: Callable[[], float], *, seconds: float) -> None:
        self.era = 0
        self._now = now
        self._seconds = seconds
        self._found: dict[str, tuple[float, Session, User]] = {}

    def get(self, jti: str) -> tuple[Session, User] | None:
        """Return whose a token is, if that was looked up lately."""
        found = self._found.get(jti)
        if found is None:
            return None
        until, session, user = found
        if self._now() < min(until, session.expires_at):
            return session, user
        del self._found[jti]
        return None

    def keep(self, jti: str, session: Session, user: User, *, era: int) -> None:
        """Remember an answer of the database, which was asked in this era."""
        if era != self.era or self._seconds == 0:
            return
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[jti] = self._now() + self._seconds, session, user

    def forget(self) -> None:
        """Forget all: something has ended, or somebody is another one now."""
        self.era += 1
        self._found.clear()
