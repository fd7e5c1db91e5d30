"""An answer: what is held for a response until its body has ended."""

from collections.abc import Sequence

from uat_resilience.ambient import Deadline
from uat_resilience.policies.permit import Permit

__all__ = ["Answer"]


class Answer:
    """Keep the permits of one response, and give them back once.

    The first end counts: the body is read to its end, it breaks off, or whoever reads it leaves early. A response
    that is dropped without being closed has been left.

    Attributes:
        deadline: The tightest deadline the request was sent under, which its body is read under too; or None.
    """

    __slots__ = ("_error", "_over", "_permits", "deadline")

    def __init__(self, deadline: Deadline | None) -> None:
        self.deadline = deadline
        self._permits: list[Permit] = []
        self._over = False
        self._error: BaseException | None = None

    def hold(self, permit: Permit) -> None:
        """Keep a permit, or give it back at once when the body is over already. The innermost comes first."""
        self._permits.append(permit)
        if self._over:
            self.end(self._error)

    def end(self, error: BaseException | None = None) -> None:
        """Give the permits back: the body has ended, or broken off with `error`."""
        permits, self._permits = self._permits, []
        if not self._over:
            self._over, self._error = True, error
        _give_back(permits, error)

    def leave(self) -> None:
        """Give the permits back: nobody reads on, which says nothing about the server."""
        if self._permits or not self._over:
            for permit in self._permits:
                permit.abandon()
            self.end()

    def __del__(self) -> None:
        self.leave()


def _give_back(permits: Sequence[Permit], error: BaseException | None) -> None:
    """Leave all permits, also when a predicate of the user's raises on the way."""
    kind, trace = (None, None) if error is None else (type(error), error.__traceback__)
    for number, permit in enumerate(permits, 1):
        try:
            permit.__exit__(kind, error, trace)
        except BaseException:
            _give_back(permits[number:], error)
            raise
