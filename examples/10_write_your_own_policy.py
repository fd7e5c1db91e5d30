"""A policy is a name, `call` and `acall`: write your own, and put it into a pipeline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from uat_resilience import Pipeline, Policy, Retry
from uat_resilience.testing import instant

P = ParamSpec("P")
T = TypeVar("T")


class MissingIsTransient:
    """Say ConnectionError for KeyError, so that a retry around it tries again."""

    name = "missing_is_transient"

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function."""
        try:
            return fn(*args, **kwargs)
        except KeyError as error:
            raise ConnectionError("not there yet") from error

    async def acall(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call an async function."""
        try:
            return await fn(*args, **kwargs)
        except KeyError as error:
            raise ConnectionError("not there yet") from error


own: Policy = MissingIsTransient()  # no base class: the type checker compares the shapes
pipeline = Pipeline(Retry(ConnectionError, attempts=3), own, name="lookup")
table: dict[str, str] = {}


@pipeline
def look_up(key: str) -> str:
    """Miss at first; somebody fills the table meanwhile."""
    try:
        return table[key]
    finally:
        table[key] = f"{key}, found"


def main() -> None:
    """Guard a sync and an async function with the same pipeline."""
    with instant():
        print(look_up("ada"))
    print(asyncio.run(pipeline.acall(asyncio.sleep, 0, "an async function, too")))


if __name__ == "__main__":
    main()
