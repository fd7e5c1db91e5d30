"""The body of an answer: read within its deadline, and what is held for it given back at its end."""

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from enum import Enum, auto

from uat_resilience.errors import ResilienceError
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.deadlines import Late, awithin, within
from uat_resilience.integrations.http.kin import Kinship

__all__ = ["aread", "read"]


class _End(Enum):
    END = auto()


_END = _End.END


def read(source: Iterable[bytes], answer: Answer, late: Late, kinship: Kinship) -> Generator[bytes]:
    """Read a body in sync code.

    Args:
        source: Where it comes from.
        answer: What is held for it.
        late: The library's error for a read that took too long.
        kinship: Makes errors of ours also the library's.

    Raises:
        TimedOutError: The deadline of the request has passed.
    """
    parts = iter(source)
    try:
        while (part := within(answer.deadline, lambda: next(parts, _END), late)) is not _END:
            yield part
    except ResilienceError as error:
        answer.end(error)
        raise kinship.adopt(error) from error.__cause__
    except BaseException as error:
        answer.end(error)
        raise
    answer.end()


async def aread(
    source: AsyncIterable[bytes], answer: Answer, kinship: Kinship
) -> AsyncGenerator[bytes]:
    """Read a body in async code. A read is cut at the deadline of the request.

    Raises:
        TimedOutError: The deadline of the request has passed.
    """
    parts = aiter(source)
    try:
        while (part := await awithin(answer.deadline, lambda: anext(parts, _END))) is not _END:
            yield part
    except ResilienceError as error:
        answer.end(error)
        raise kinship.adopt(error) from error.__cause__
    except BaseException as error:
        answer.end(error)
        raise
    answer.end()
