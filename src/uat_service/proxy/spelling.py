"""Names of headers as they were spelled.

Case means nothing in a name, and ASGI servers hand it over in lower case. Some clients look at it all the same, so
a proxy that stands between them and a server had better leave it alone:

    Heard      by `uat_service.protocol.FaithfulProtocol`, which keeps what clients spell
    Spelled    in answers, which keep theirs with any protocol
"""

__all__ = ["Heard", "Spelled"]


class Heard(bytes):
    """A name in lower case, as everybody expects it.

    Attributes:
        spelled: As the client spelled it.
    """

    spelled: bytes


class Spelled(bytes):
    """A name as it is to be sent, which counts as its own lower case: it is equal to that, and found by that."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return bytes.lower(self) == other

    def __hash__(self) -> int:
        return hash(bytes.lower(self))

    def lower(self) -> bytes:
        """Return it as it is."""
        return self
