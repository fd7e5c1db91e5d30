"""What can be wrong with a token, and with whoever made it."""

from litestar.exceptions import NotAuthorizedException

from uat_resilience.errors import CallRefusedError

__all__ = ["InvalidTokenError", "IssuerUnavailableError"]

_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}  # RFC 6750, section 3


class InvalidTokenError(NotAuthorizedException):
    """The token is not valid: the caller is not who it says it is, or not any more. Answered with 401.

    The answer does not say why: that is of use to those who guess.

    Attributes:
        reason: A word for logs and metrics: `malformed`, `expired`, `signature`, `issuer`, `audience`, ...
    """

    def __init__(self, reason: str) -> None:
        super().__init__(detail="the token is not valid", headers=_CHALLENGE)
        self.reason = reason

    def __str__(self) -> str:
        return f"the token is not valid: {self.reason}"

    def __reduce__(self) -> tuple[type["InvalidTokenError"], tuple[str]]:
        return type(self), (self.reason,)


class IssuerUnavailableError(CallRefusedError):
    """There are no keys to check tokens with: nothing is known of the caller. Answered with 503, never 401."""

    def _reason(self) -> str:
        return "has no keys to check tokens with"
