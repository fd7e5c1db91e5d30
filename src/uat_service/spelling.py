"""How names are spelled: in environment variables, by people who mistyped them, and in headers.

Case means nothing in the name of a header, and ASGI servers hand it over in lower case. Some clients look at it
all the same, so a proxy that stands between them and a server had better leave it alone:

    Heard      by `uat_service.protocol.FaithfulProtocol`, which keeps what clients spell
    Spelled    in answers, which keep theirs with any protocol
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["Heard", "Spelled", "choice", "hint", "meant", "shouted"]


class Heard(bytes):
    """A name in lower case, as everybody expects it.

    Attributes:
        spelled: As the client spelled it.
    """

    spelled: bytes


class Spelled(bytes):
    """A name as it is to be sent, which counts as its own lower case: it is equal to that, and found by that."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return bytes.lower(self) == other

    def __hash__(self) -> int:
        return hash(bytes.lower(self))

    def lower(self) -> bytes:
        """Return it as it is."""
        return self


def shouted(name: str) -> str:
    """Return a name as environment variables have it: `order-desk` is `ORDER_DESK`."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)


def hint(name: str, known: Iterable[str]) -> str:
    """Return a question to put after a name that is not known, or nothing."""
    close = meant(name, known)
    return "" if close is None else f" (did you mean `{close}`?)"


def choice(name: str, known: Iterable[str]) -> str:
    """Return what to put after a name that is not known: the one that was probably meant, or all there are."""
    names = list(known)
    return hint(name, names) or (f" (there is {', '.join(names)})" if names else "")
