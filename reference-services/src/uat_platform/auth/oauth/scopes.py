"""What a token may be good for."""

__all__ = ["ADMIN", "IDENTITY", "MEANINGS", "granted", "words"]

ADMIN = "admin"
"""Only for users with the role of that name, and for clients that were given it."""

MEANINGS = {
    "openid": "know that it is you",
    "profile": "see your name",
    "email": "see your e-mail address",
    "offline_access": "stay signed in while you are away",
    "account": "see and end your sessions, and change your password",
    ADMIN: "manage users, clients and keys",
}
"""Scopes of our own, in words for whoever is asked for leave. Those of other services are shown as they are."""

IDENTITY = frozenset({"openid", "profile", "email", "offline_access", "account"})
"""Scopes that mean a person: a client that acts for itself does not get them."""


def words(scope: str) -> frozenset[str]:
    """Return the scopes of a text."""
    return frozenset(scope.split())


def granted(asked: frozenset[str], roles: frozenset[str]) -> frozenset[str]:
    """Return what a user can give of what a client asks for."""
    return asked if ADMIN in roles else asked - {ADMIN}
