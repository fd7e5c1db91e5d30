"""Trouble with a database, as those who ask a service may know it: try again later."""

from uat_resilience.errors import CallRefusedError

__all__ = ["StoreUnavailableError"]


class StoreUnavailableError(CallRefusedError):
    """The database is away, locked or full: nothing is known of what was asked for, so it is no "not found".

    Answered with 503 and `Retry-After`. The transaction was rolled back, unless the connection was lost during the
    commit itself.
    """

    def _reason(self) -> str:
        return "is not available"
