"""Routes files: TOML that is right, or errors that say where it is not."""

import tomllib

from pydantic import ValidationError

from uat_platform.gateway.routes.definition import Table
from uat_service.forms import in_words

__all__ = ["LARGEST", "RoutesError", "read_table"]

LARGEST = 1 << 20
"""Letters of a routes file at most."""


class RoutesError(ValueError):
    """A routes file says something that cannot be.

    Attributes:
        problems: What is wrong, each with its place.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_table(text: str) -> Table:
    """Return what a routes file says.

    Raises:
        RoutesError: It is no TOML, or breaks a rule.
    """
    if len(text) > LARGEST:
        raise RoutesError([f"the file must have at most {LARGEST} letters"])
    try:
        return Table.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RoutesError([f"no TOML: {error}"]) from None
    except ValidationError as error:
        told = error.errors(include_input=False, include_context=False, include_url=False)
        raise RoutesError([f"{_place(each['loc'])}{_said(each['msg'])}" for each in told]) from None


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc)) + ": " if loc else ""


def _said(message: str) -> str:
    return in_words(message.removeprefix("Value error, "))
