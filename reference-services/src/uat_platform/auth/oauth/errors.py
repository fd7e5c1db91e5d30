"""What is told to clients in the words of OAuth (RFC 6749, 5.2)."""

from collections.abc import Mapping

__all__ = ["OAuthError", "invalid_client"]


class OAuthError(Exception):
    """A client has asked for something that it does not get.

    Attributes:
        error: A word that OAuth knows.
        description: For whoever writes the client.
        status: Of HTTP.
        headers: What goes along.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


def invalid_client() -> OAuthError:
    """Return the error for a client that is unknown, or has the wrong secret: nobody is told which."""
    told = {"WWW-Authenticate": 'Basic realm="clients"'}
    return OAuthError("invalid_client", "the client is not known", status=401, headers=told)
