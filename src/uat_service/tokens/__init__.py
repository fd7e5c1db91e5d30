"""Tokens of callers, checked with the keys of whoever issued them."""

from uat_service.tokens.errors import InvalidTokenError, IssuerUnavailableError
from uat_service.tokens.keys import Fetch, KeySet
from uat_service.tokens.verifier import Verifier

__all__ = ["Fetch", "InvalidTokenError", "IssuerUnavailableError", "KeySet", "Verifier"]
