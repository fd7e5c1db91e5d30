"""Answers that are no success, as the schema tells of them: problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar.datastructures import CacheControlHeader
from litestar.openapi import ResponseSpec

from uat_resilience.integrations.serving.problem import MEDIA_TYPE

__all__ = ["NO_STORE", "Problem", "answers"]

NO_STORE = CacheControlHeader(no_store=True)
"""Of answers with tokens in them."""

Responses = dict[int, ResponseSpec]


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    request_id: str | None = None
    errors: Annotated[object, msgspec.Meta(description="What was wrong with which field")] = None


# Whatever a route does: the database may be away, the service full, the caller in a hurry.
_ALWAYS = (503, 504)


def answers(*statuses: int) -> Responses:
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
