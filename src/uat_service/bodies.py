"""Bodies of requests, as handlers get them."""

from typing import Any, TypeVar

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import ClientException

__all__ = ["ReadRequest"]

U = TypeVar("U")
A = TypeVar("A")


class ReadRequest(Request[U, A, State]):
    """A request whose mistakes are its own: for `Litestar(request_class=ReadRequest)`."""

    __slots__ = ()

    async def json(self) -> Any:  # noqa: ANN401 - as Litestar has it
        """Return what the body says.

        Raises:
            HTTPException: It is no JSON, or is nested more deeply than anything that is meant.
        """
        try:
            return await super().json()
        except RecursionError:
            raise ClientException(detail="JSON is nested too deeply") from None
