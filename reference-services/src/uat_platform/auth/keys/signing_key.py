"""One key: made, written down, read again, and published."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from uat_platform.auth.opaque import fresh_id
from uat_platform.auth.queries import Row

__all__ = ["ALGORITHMS", "KeyState", "SigningKey", "make_key", "read_key", "written"]

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ALGORITHMS = ("ES256", "RS256")
"""Signatures we make. The first is small and fast; all clients of OpenID Connect know the second."""

_RSA_BITS = 2048


class KeyState(StrEnum):
    """Where a key is in its life; only a current one signs."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True)
class SigningKey:
    """A key of ours.

    Attributes:
        kid: Its name in tokens and in the key set.
        algorithm: What it signs with.
        state: Where it is in its life.
        private: Signs.
        published_at: Seconds since 1970 at which it came into the key set.
        signing_since: Seconds since 1970 at which it began to sign, or None.
        retired_at: Seconds since 1970 at which it signed no more, or None.
    """

    kid: str
    algorithm: str
    state: KeyState
    private: Private
    published_at: float
    signing_since: float | None = None
    retired_at: float | None = None

    @cached_property
    def jwk(self) -> dict[str, Any]:
        """The public half, as a member of a key set (RFC 7517)."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            told = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            told = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        told.pop("key_ops", None)  # `use` says it, and a set should not say it twice
        return {**told, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @cached_property
    def public(self) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
        """Checks what the private half has signed."""
        return self.private.public_key()


def make_key(algorithm: str, *, state: KeyState, now: float) -> SigningKey:
    """Return a new key. RSA takes a tenth of a second, so in a thread."""
    private: Private = (
        rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
        if algorithm == "RS256"
        else ec.generate_private_key(ec.SECP256R1())
    )
    since = now if state is KeyState.CURRENT else None
    return SigningKey(fresh_id(), algorithm, state, private, now, since)


def written(key: SigningKey, passphrase: str) -> str:
    """Return the private half as PEM, encrypted when there is something to do so with."""
    return key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption(),
    ).decode()


def read_key(row: Row, passphrase: str) -> SigningKey:
    """Return the key of a row.

    Raises:
        ValueError, TypeError: The passphrase is another one, or missing, or there where none is needed.
    """
    text = row["private_key"].encode()
    encrypted = b"ENCRYPTED" in text
    secret = passphrase.encode() if encrypted and passphrase else None
    private = serialization.load_pem_private_key(text, password=secret)
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("the key is neither RSA nor of an elliptic curve")
    return SigningKey(
        kid=row["kid"],
        algorithm=row["algorithm"],
        state=KeyState(row["state"]),
        private=private,
        published_at=row["published_at"],
        signing_since=row["signing_since"],
        retired_at=row["retired_at"],
    )
