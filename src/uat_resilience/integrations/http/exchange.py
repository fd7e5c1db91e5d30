"""An exchange: what a transport, an adapter or a middleware sends its requests through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from uat_resilience._core.arguments import callback
from uat_resilience.errors import ResilienceError
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.guarding import ASend, Guarding, Send, repeats
from uat_resilience.integrations.http.hosts import Hosts
from uat_resilience.integrations.http.repeating import Repeat
from uat_resilience.policies.policy import Policy

__all__ = ["AsyncExchange", "Exchange", "PolicyChoice"]

Q = TypeVar("Q")
R = TypeVar("R")
S = TypeVar("S")
PolicyChoice = Policy | Callable[[Q], Policy] | None
"""One policy for all requests, a function that picks one for each, or None for one per host."""

_KEPT = 1000  # Policies whose wrapping is kept ready.


@dataclass(frozen=True, slots=True)
class _Ready(Generic[S]):
    """A policy that is wrapped around the sending. It keeps the policy, so that its id stays its own."""

    policy: Policy
    send: S
    repeats: bool


class Exchange(Generic[Q, R]):
    """Send requests under their policies, in sync code.

    Args:
        policy: One policy, a function that picks one for each request, or None for one per host.
        dialect: The library's requests, answers and errors.
        send: Makes one attempt. It begins the attempt of its call, and opens the answer.

    Raises:
        TypeError: `policy` is none of these.
    """

    def __init__(self, policy: PolicyChoice[Q], dialect: Dialect[Q, R], send: Send[Q, R]) -> None:
        self._dialect = dialect
        self._send = send
        self._choose = _choice(policy, dialect)
        self._ready: dict[tuple[int, Repeat], _Ready[Send[Q, R]]] = {}

    def send(self, request: Q, using: Any = None) -> R:  # noqa: ANN401 - the adapter's own
        """Send a request, again if need be; `using` is what the adapter needs for it.

        Raises:
            ResilienceError: It was refused or took too long; the error is also one of the library's.
        """
        policy, repeat = self._choose(request), self._dialect.repeat(request)
        ready = self._ready.get((id(policy), repeat)) or self._prepare(policy, repeat)
        try:
            return ready.send(Call(request, using, repeat=repeat, repeats=ready.repeats))
        except ResilienceError as error:
            raise self._dialect.kinship.adopt(error) from error.__cause__

    def _prepare(self, policy: Policy, repeat: Repeat) -> _Ready[Send[Q, R]]:
        if len(self._ready) >= _KEPT:
            self._ready.clear()
        _check_chosen(policy)
        guarded = Guarding(self._dialect, repeat).wrap(policy, self._send)
        ready = _Ready(policy, guarded, repeat is Repeat.FREELY and repeats(policy))
        self._ready[id(policy), repeat] = ready
        return ready


class AsyncExchange(Generic[Q, R]):
    """Send requests under their policies, in async code. See `Exchange`."""

    def __init__(self, policy: PolicyChoice[Q], dialect: Dialect[Q, R], send: ASend[Q, R]) -> None:
        self._dialect = dialect
        self._send = send
        self._choose = _choice(policy, dialect)
        self._ready: dict[tuple[int, Repeat], _Ready[ASend[Q, R]]] = {}

    async def send(self, request: Q, using: Any = None) -> R:  # noqa: ANN401 - the adapter's own
        """Send a request, again if need be. A cancelled call leaves nothing behind.

        Raises:
            ResilienceError: It was refused or took too long; the error is also one of the library's.
        """
        policy, repeat = self._choose(request), self._dialect.repeat(request)
        ready = self._ready.get((id(policy), repeat)) or self._prepare(policy, repeat)
        try:
            return await ready.send(Call(request, using, repeat=repeat, repeats=ready.repeats))
        except ResilienceError as error:
            raise self._dialect.kinship.adopt(error) from error.__cause__

    def _prepare(self, policy: Policy, repeat: Repeat) -> _Ready[ASend[Q, R]]:
        if len(self._ready) >= _KEPT:
            self._ready.clear()
        _check_chosen(policy)
        guarded = Guarding(self._dialect, repeat).awrap(policy, self._send)
        ready = _Ready(policy, guarded, repeat is Repeat.FREELY and repeats(policy))
        self._ready[id(policy), repeat] = ready
        return ready


def _choice(policy: PolicyChoice[Q], dialect: Dialect[Q, R]) -> Callable[[Q], Policy]:
    if policy is None:
        return Hosts(dialect)
    rule = "a policy, a function of the request, or None"
    if isinstance(policy, type):
        raise TypeError(f"policy must be {rule}, not {policy!r}")
    if isinstance(policy, Policy):
        return lambda _: policy
    return callback("policy", policy, rule)


def _check_chosen(policy: object) -> None:
    """Look at what a function has picked: without a policy the request would be sent unguarded."""
    if isinstance(policy, type) or not isinstance(policy, Policy):
        raise TypeError(f"policy must return a policy for each request, not {policy!r}")
