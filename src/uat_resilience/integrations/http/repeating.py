"""Which requests may be sent again.

A request whose connection broke may have been carried out. It is only sent again if doing it twice is the same as
doing it once: the method says so (RFC 9110, section 9.2.2), or an `Idempotency-Key` lets the server tell. Others
are sent again only after an error that means that nothing was sent. A body that can be read once is sent once.
"""

from collections.abc import Callable
from enum import Enum, auto

from uat_resilience.integrations.headers import IDEMPOTENCY_KEY

__all__ = ["IDEMPOTENT", "Repeat", "repeat_of"]

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"})
"""Methods of requests that may be carried out twice."""


class Repeat(Enum):
    """When a request may be sent again."""

    FREELY = auto()
    UNSENT = auto()
    NEVER = auto()

    __hash__ = object.__hash__  # Enum's own is written in Python, and hashes the name.


_FREELY = Repeat.FREELY  # Looking a member up on its class takes as long as a call.


def repeat_of(method: str, header: Callable[[str], str | None], *, replayable: bool) -> Repeat:
    """Return when a request may be sent again.

    Args:
        method: Its method.
        header: Looks up one of its headers.
        replayable: True when its body can be read more than once.
    """
    if not replayable:
        return Repeat.NEVER
    if method.upper() in IDEMPOTENT or header(IDEMPOTENCY_KEY):
        return _FREELY
    return Repeat.UNSENT
