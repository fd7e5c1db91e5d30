"""What the schema says of own routes: problems, how operators show who they are, and a body of TOML."""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from uat_resilience.integrations.serving.problem import MEDIA_TYPE

__all__ = ["ADMIN", "TOML", "Problem", "TakesToml", "answers"]

ADMIN = [{"admin": list[str]()}]
"""The security of routes for operators."""

TOML = "application/toml"

# Whatever a route does: the service may be draining, or the caller in a hurry.
_ALWAYS = (503, 504)


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None
    request_id: str | None = None
    errors: object = None


def answers(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the problems that a route may answer with, for `responses=`."""
    return {
        status: ResponseSpec(
            Problem,
            description=HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status in (*statuses, *_ALWAYS)
    }


@dataclass
class TakesToml(Operation):
    """An operation whose body is a routes file."""

    def __post_init__(self) -> None:
        """Say so."""
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, min_length=1))
        content = {TOML: text, "text/plain": text}
        self.request_body = RequestBody(content=content, required=True)
