"""Secrets that are only random letters: API keys, refresh tokens, codes.

They have 256 bits of chance, so a plain digest is as good to look them up by as to keep them secret: there is
nothing to guess, and no need for a slow hash.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

__all__ = ["digest", "fresh", "fresh_api_key", "fresh_id", "successor"]

_API_KEY = "sk-"


def fresh() -> str:
    """Return a new secret of 43 letters that are safe in URLs."""
    return secrets.token_urlsafe(32)


def fresh_api_key() -> str:
    """Return a new key: `sk-` and 48 letters."""
    return _API_KEY + secrets.token_urlsafe(36)


def fresh_id() -> str:
    """Return a new name for a row, which is no secret, and cannot be guessed either."""
    return secrets.token_hex(16)


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return sha256(secret.encode()).hexdigest()


def successor(secret: str, salt: str) -> str:
    """Return the secret that follows another one: always the same for the same salt.

    Whoever has the salt only, such as a reader of the database, learns nothing of it.
    """
    return urlsafe_b64encode(hmac.digest(secret.encode(), salt.encode(), "sha256")).decode()[:43]
