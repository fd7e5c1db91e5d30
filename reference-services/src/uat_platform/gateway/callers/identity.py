"""What services are told of a caller: the user's id, and the same signed, so that nobody else can say it.

    X-User-ID: 42
    X-Internal-Identity: a JWT (ES256) of `sub`, `scope`, `kind`, good for a minute

What clients send under such names does not get through. The public key is at `/.well-known/gateway-jwks.json`.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from uat_platform.gateway.callers.caller import Caller
from uat_resilience.integrations.serving.asgi_types import RawHeaders
from uat_service.environment import ConfigurationError

__all__ = ["AUDIENCE", "IDENTITY", "Identities", "claimed", "read_key"]

IDENTITY = b"x-internal-identity"
AUDIENCE = "uat-internal"
_USER = b"x-user-id"
_CLAIMED = frozenset(
    {
        _USER,
        IDENTITY,
        b"x-authenticated-user",
        b"x-user-email",
        b"x-user-roles",
        b"x-user-scopes",
    }
)


class Identities:
    """Sign who callers are.

    Args:
        key: Signs.
        issuer: Who says it: the name of the gateway.
        lifetime: Seconds a signature is good for.
        wall: Returns seconds since 1970.
    """

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        *,
        issuer: str,
        lifetime: float,
        wall: Callable[[], float],
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._lifetime = lifetime
        self._wall = wall
        public = key.public_key()
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._kid = sha256(point).hexdigest()[:16]
        self.published: dict[str, list[dict[str, Any]]] = {
            "keys": [
                {
                    **ECAlgorithm.to_jwk(public, as_dict=True),
                    "kid": self._kid,
                    "use": "sig",
                    "alg": "ES256",
                }
            ]
        }

    def headers(self, caller: Caller) -> RawHeaders:
        """Return the headers that tell services who a caller is."""
        now = self._wall()
        if now >= caller.signed.until:
            caller.signed.text = self._sign(caller, now)
            caller.signed.until = now + self._lifetime / 2
        # An id may have any letters, and a header not.
        return [
            (_USER, quote(caller.id, safe="@.:+|/-_~").encode("ascii")),
            (IDENTITY, caller.signed.text.encode("ascii")),
        ]

    def _sign(self, caller: Caller, now: float) -> str:
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": caller.id,
            "iat": int(now),
            "exp": int(now + self._lifetime) + 1,
            "kind": caller.kind,
            "scope": " ".join(sorted(caller.scopes)),
        }
        if caller.email:
            claims["email"] = caller.email
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._kid})


def claimed(headers: RawHeaders) -> frozenset[bytes]:
    """Return the names under which a client says who it is, as far as only we may say it.

    Some servers take `_` for `-`.
    """
    return frozenset(
        name for name, _ in headers if name[:2] == b"x-" or b"_" in name if _plain(name) in _CLAIMED
    )


def _plain(name: bytes) -> bytes:
    return name.replace(b"_", b"-")


def read_key(given: str, file: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key that was given, or the one in a file, which is made if it is not there.

    Raises:
        ConfigurationError: It is no private key of P-256, or the file cannot be read or made.
    """
    if given:
        return _private(given.encode(), "IDENTITY_KEY")
    try:
        if not file.exists():
            _make(file)
        return _private(file.read_bytes(), "IDENTITY_FILE")
    except OSError as error:
        rule = f"names a file that cannot be read or made ({type(error).__name__})"
        raise ConfigurationError({"IDENTITY_FILE": rule}) from None


def _private(pem: bytes, name: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ConfigurationError({name: "must be a private key of P-256 in PEM, not encrypted"})
    return key


def _make(file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    # Of several that start at once, one makes it and all read that one.
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    try:
        draft.write_bytes(pem)
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
