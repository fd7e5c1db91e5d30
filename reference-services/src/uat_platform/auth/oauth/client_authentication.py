"""Which client is asking: by HTTP Basic, by fields of the form, or by its name alone if it has no secret."""

from base64 import b64decode
from binascii import Error as NotBase64Error
from urllib.parse import unquote_plus

from uat_platform.auth.oauth.clients import Client, Clients
from uat_platform.auth.oauth.errors import OAuthError, invalid_client

__all__ = ["METHODS", "client_of"]

METHODS = ("client_secret_basic", "client_secret_post", "none")
"""As the metadata calls them."""


async def client_of(
    clients: Clients, *, authorization: str, client_id: str, client_secret: str
) -> Client:
    """Return the client that has proved itself.

    Args:
        clients: Who is known.
        authorization: The header, or empty.
        client_id: Of the form, or empty.
        client_secret: Of the form, or empty.

    Raises:
        OAuthError: It has not.
    """
    if authorization:
        name, secret = _basic(authorization)
        if client_secret or client_id not in {"", name}:
            raise OAuthError("invalid_request", "the client proves itself in two ways")
    else:
        name, secret = client_id, client_secret
    found = await clients.with_secret(name, secret)
    if found is None:
        raise invalid_client()
    return found


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client()
    try:
        name, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (NotBase64Error, UnicodeDecodeError):
        raise invalid_client() from None
    if not colon:
        raise invalid_client()
    # Both halves are encoded as in a form (RFC 6749, 2.3.1).
    return unquote_plus(name), unquote_plus(secret)
