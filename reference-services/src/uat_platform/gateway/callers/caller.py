"""A caller who has shown who it is."""

from dataclasses import dataclass, field

__all__ = ["API_KEY", "TOKEN", "Caller", "Signed"]

TOKEN, API_KEY = "token", "api-key"
"""How a caller has shown who it is."""


@dataclass(slots=True)
class Signed:
    """An identity as it was last signed.

    Attributes:
        text: The signed identity.
        until: When it is to be signed again, in seconds since 1970.
    """

    text: str = ""
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request is from.

    Attributes:
        id: The user, or the client that acts for itself.
        kind: `TOKEN` or `API_KEY`.
        scopes: What it may do.
        email: Of the user, or empty.
        signed: Kept with the caller, as signing takes longer than all else.
    """

    id: str
    kind: str
    scopes: frozenset[str] = frozenset()
    email: str = ""
    signed: Signed = field(default_factory=Signed, compare=False, repr=False)
