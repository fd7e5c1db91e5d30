"""A dependency that does what it was told: one outcome a call."""

from typing import Any


class Script:
    """Plays its outcomes, one a call; the last one repeats.

    An exception class is raised as a new instance, an exception is raised itself, anything else is returned.
    """

    def __init__(self, *outcomes: Any) -> None:
        self._outcomes = outcomes
        self.calls = 0

    def __call__(self, *_args: object, **_kwargs: object) -> Any:
        outcome = self._outcomes[min(self.calls, len(self._outcomes) - 1)]
        self.calls += 1
        if isinstance(outcome, type) and issubclass(outcome, BaseException):
            raise outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome
