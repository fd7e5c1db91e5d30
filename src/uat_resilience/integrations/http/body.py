"""The body of an answer: read within its deadline, and what is held for it given back at its end."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from enum import Enum, auto

from uat_resilience.errors import ResilienceError, TimedOutError
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.deadlines import Late, awithin, within
from uat_resilience.integrations.http.kin import Kinship

__all__ = ["aread", "read"]


class _End(Enum):
    END = auto()


_END = _End.END


def _unknown(size: int) -> bool:  # noqa: ARG001 - for answers that do not say how long they are
    return False


def read(
    source: Iterable[bytes],
    answer: Answer,
    kinship: Kinship,
    *,
    late: Late,
    whole: Callable[[int], bool] = _unknown,
) -> Generator[bytes]:
    """Read a body in sync code.

    Args:
        source: Where it comes from.
        answer: What is held for it.
        kinship: Makes errors of ours also the library's.
        late: The library's errors for a read that took too long.
        whole: Says whether so many bytes are all of it. Asked once the deadline has passed: finding the end of
            what is there already is no read.

    Raises:
        TimedOutError: The deadline of the request has passed.
    """
    deadline, parts, size = answer.deadline, iter(source), 0
    try:
        while True:
            try:
                part = within(deadline, late, next, parts, _END)
            except TimedOutError:
                if not whole(size):
                    raise
                part = next(parts, _END)
            if part is _END:
                break
            size += len(part)
            yield part
    except ResilienceError as error:
        answer.end(error)
        raise kinship.adopt(error) from error.__cause__
    except BaseException as error:
        answer.end(error)
        raise
    answer.end()


async def aread(
    source: AsyncIterable[bytes], answer: Answer, kinship: Kinship, *, length: str | None = None
) -> AsyncGenerator[bytes]:
    """Read a body in async code. A read is cut at the deadline of the request.

    Args:
        source: Where it comes from.
        answer: What is held for it.
        kinship: Makes errors of ours also the library's.
        length: The answer's Content-Length, or None. Finding the end of what is there already is no read.

    Raises:
        TimedOutError: The deadline of the request has passed.
    """
    parts, missing = aiter(source), _missing(length)

    async def read_on() -> bytes | _End:
        return await anext(parts, _END)

    try:
        while True:
            part = await (awithin(answer.deadline, read_on) if missing else anext(parts, _END))
            if part is _END:
                break
            missing -= len(part)
            yield part
    except ResilienceError as error:
        answer.end(error)
        raise kinship.adopt(error) from error.__cause__
    except BaseException as error:
        answer.end(error)
        raise
    answer.end()


def _missing(length: str | None) -> int:
    """Return how many bytes are to come, below 0 when nobody says."""
    return int(length) if length is not None and length.isdecimal() else -1
