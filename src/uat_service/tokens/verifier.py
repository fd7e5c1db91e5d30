"""Check tokens (JWT, RFC 7519, as RFC 8725 has it): by their signature, and by whom they are from and for."""

from collections.abc import Collection, Mapping
from typing import Any

import jwt

from uat_resilience._core.arguments import seconds_or_zero, text
from uat_service.tokens.errors import InvalidTokenError
from uat_service.tokens.keys import KeySet

__all__ = ["Verifier"]

_LONGEST = 16_384
_ASYMMETRIC = frozenset(
    {"ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
)


class Verifier:
    """Tell who a caller is. Belongs to the event loop of its keys.

    Args:
        keys: The issuer's keys.
        issuer: What `iss` must be.
        audience: What must be in `aud`.
        algorithms: Signatures that are taken. Those with a shared secret are not: whoever checks could sign too.
        leeway: Seconds by which clocks may differ, 0 or more.
        required: Claims that must be there.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        algorithms: Collection[str] = ("ES256", "RS256"),
        leeway: float = 30.0,
        required: Collection[str] = ("exp", "iss", "aud", "sub"),
    ) -> None:
        other = set(algorithms) - _ASYMMETRIC
        if other or not algorithms or isinstance(algorithms, str):
            allowed = ", ".join(sorted(_ASYMMETRIC))
            raise ValueError(f"algorithms must be some of {allowed}, not {algorithms!r}")
        if not isinstance(keys, KeySet):
            raise TypeError(f"keys must be a KeySet, not {keys!r}")
        if isinstance(required, str):
            raise TypeError(f"required must be a collection of claims, not the string {required!r}")
        self._keys = keys
        self._issuer = text("issuer", issuer)
        self._audience = text("audience", audience)
        self._algorithms = frozenset(algorithms)
        self._leeway = seconds_or_zero("leeway", leeway)
        self._required = list(required)

    async def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token.

        Raises:
            InvalidTokenError: It is not valid.
            IssuerUnavailableError: There is nothing to check it with.
        """
        if len(token) > _LONGEST:
            raise InvalidTokenError("length")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise InvalidTokenError("malformed") from None
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(kid, str):
            raise InvalidTokenError("key")
        if algorithm not in self._algorithms:
            raise InvalidTokenError("algorithm")
        key = await self._keys.get(kid)
        # The key says what it is for; a token that says something else is made to confuse.
        if key.algorithm_name != algorithm:
            raise InvalidTokenError("algorithm")
        return self._decoded(token, key)

    def _decoded(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": self._required},
            )
        except jwt.PyJWTError as error:
            reasons = (reason for kind, reason in _REASONS.items() if isinstance(error, kind))
            # PyJWT's message may have claims in it, so it goes no further.
            raise InvalidTokenError(next(reasons, "malformed")) from None


_REASONS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "not yet",
    jwt.InvalidSignatureError: "signature",
    jwt.InvalidAudienceError: "audience",
    jwt.InvalidIssuerError: "issuer",
    jwt.MissingRequiredClaimError: "claim",
}
