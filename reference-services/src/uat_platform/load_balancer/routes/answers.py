"""Answers that are no success, as the schema tells of them; and what names look like."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar.openapi import ResponseSpec
from litestar.params import PathParameter

from uat_resilience.integrations.serving.problem import MEDIA_TYPE

__all__ = ["Id", "Name", "Problem", "answers"]

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
ID = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}$"

Name = Annotated[str, PathParameter(pattern=NAME, description="Name of a service")]
Id = Annotated[str, PathParameter(pattern=ID, description="Id of an instance")]


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None
    request_id: str | None = None
    errors: Annotated[object, msgspec.Meta(description="What was wrong with which field")] = None


# Whatever a route does: the service may be full, the caller in a hurry.
_ALWAYS = (503, 504)


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
