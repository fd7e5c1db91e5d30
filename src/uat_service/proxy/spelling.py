"""Names of headers as they were spelled.

Case means nothing in a name, and ASGI servers hand it over in lower case. Some clients look at it all the same, so
a proxy that stands between them and a server had better leave it alone:

    uvicorn.Config(app, http=FaithfulProtocol)      keeps what clients spell; answers keep theirs with any protocol
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["FaithfulProtocol", "Heard", "Spelled"]


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


class FaithfulProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which remembers how the names of headers were spelled."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        super().on_header(name, value)
        lower, value = self.headers[-1]
        if lower != name:
            heard = Heard(lower)
            heard.spelled = name
            self.headers[-1] = heard, value
