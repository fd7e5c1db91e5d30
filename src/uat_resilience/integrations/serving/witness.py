"""Whoever sees each request begin and end."""

from typing import Protocol

from uat_resilience.integrations.serving.answer import Answer
from uat_resilience.integrations.serving.asgi_types import Scope

__all__ = ["Witness"]


class Witness(Protocol):
    """Sees each HTTP request begin and end, and what was answered: for logs and metrics.

    Called in the task of the request. What it raises is not contained: it breaks the request.
    """

    def begun(self, scope: Scope) -> float:
        """Take note of a request that begins; return the time, which is handed back at its end."""
        ...

    def crashed(self, answer: Answer, error: Exception) -> None:
        """Take note of an error that goes on to the server."""
        ...

    def ended(self, scope: Scope, answer: Answer, began: float) -> None:
        """Take note of a request that is over, whatever became of it."""
        ...
