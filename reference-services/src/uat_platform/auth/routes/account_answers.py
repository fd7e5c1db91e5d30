"""What the six routes answer."""

import msgspec

__all__ = ["Done", "Fresh", "Registered", "Shown", "SignedIn", "SignedUp", "Verified"]

_BEARER = "Bearer"


class Shown(msgspec.Struct):
    """A user, as others may see one."""

    id: str
    email: str
    username: str
    roles: list[str]


class Registered(msgspec.Struct):
    """A new user, with the key that is shown this once."""

    id: str
    email: str
    username: str
    roles: list[str]
    api_key: str


class SignedIn(msgspec.Struct):
    """Who came in, and with what to go on."""

    user: Shown
    token: str
    refresh_token: str
    expires_in: int
    token_type: str = _BEARER


class SignedUp(msgspec.Struct):
    """Who came in for the first time."""

    user: Registered
    token: str
    refresh_token: str
    expires_in: int
    token_type: str = _BEARER


class Verified(msgspec.Struct):
    """Who it is."""

    user: Shown
    valid: bool = True


class Done(msgspec.Struct):
    """It is done."""

    message: str
    success: bool = True


class Fresh(msgspec.Struct):
    """What to go on with."""

    token: str
    expires_in: int
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET
    token_type: str = _BEARER
