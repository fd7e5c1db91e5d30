"""What can be wrong with a token, and with whoever made it."""

from uat_resilience.errors import CallRefusedError

__all__ = ["InvalidTokenError", "IssuerUnavailableError"]


class InvalidTokenError(Exception):
    """The token is not valid: the caller is not who it says it is, or not any more. Answered with 401.

    Attributes:
        reason: A word for logs and metrics: `malformed`, `expired`, `signature`, `issuer`, `audience`, ...
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the token is not valid: {reason}")
        self.reason = reason

    def __reduce__(self) -> tuple[type["InvalidTokenError"], tuple[str]]:
        return type(self), (self.reason,)


class IssuerUnavailableError(CallRefusedError):
    """There are no keys to check tokens with: nothing is known of the caller. Answered with 503, never 401."""

    def _reason(self) -> str:
        return "has no keys to check tokens with"
