"""A request on its way through the policies of its upstream, and what these must know of it.

Passing       one request of a client, which may become several attempts
Passed        the answer that one of them got, with what is held until its body has ended
DIALECT       which requests may be sent again, which answers mean that an instance is not well
"""

from collections.abc import Callable

from uat_resilience.errors import CallRefusedError, TimedOutError
from uat_resilience.integrations.headers import IDEMPOTENCY_KEY
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat, repeat_of
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Scope
from uat_resilience.policies.permit import Permit, Verdict
from uat_service.proxy import (
    Arrival,
    BrokenAnswerError,
    Exchange,
    GoneError,
    ProxyError,
    SilentUpstreamError,
    UnreachableError,
)

__all__ = ["DIALECT", "HELD", "NoInstanceError", "Passed", "Passing", "Running", "unsent", "unwell"]

HELD = 65_536
"""Bytes of a body that are held, so that a request that may be sent again can be."""

_GATEWAY_ERRORS = frozenset({502, 503, 504})
_KEY = IDEMPOTENCY_KEY.lower().encode("ascii")


class NoInstanceError(CallRefusedError):
    """Nobody knows where the upstream is."""

    def _reason(self) -> str:
        return "has no instance that anybody knows of"


class Passing:
    """One request, and who has had a go at it.

    Args:
        exchange: Sends it.
        scope: The request.
        path: What to ask for, or None for the path that came.
        told: Headers for the upstream.
        without: Headers of the client that do not go further.

    Attributes:
        tried: Ids of instances that were asked.
        more: True while there is an instance that was not.
        began: When the first attempt began, in the loop's time.
    """

    __slots__ = ("began", "exchange", "more", "path", "scope", "told", "tried", "without")

    def __init__(
        self,
        exchange: Exchange,
        scope: Scope,
        *,
        path: bytes | None,
        told: RawHeaders,
        without: frozenset[bytes],
    ) -> None:
        self.exchange = exchange
        self.scope = scope
        self.path = path
        self.told = told
        self.without = without
        self.tried: list[str] = []
        self.more = False
        self.began: float | None = None

    @property
    def free(self) -> bool:
        """Whether the request may be sent again whatever became of it, if its body is at hand."""
        return self._repeat(replayable=True) is Repeat.FREELY

    @property
    def repeat(self) -> Repeat:
        """When the request may be sent again. As long as nothing was sent, its body is still there."""
        repeat = self._repeat(replayable=self.exchange.replayable)
        return Repeat.UNSENT if repeat is Repeat.NEVER else repeat

    def _repeat(self, *, replayable: bool) -> Repeat:
        return repeat_of(self.scope["method"], self._key, replayable=replayable)

    def _key(self, _: str) -> str | None:
        found = next((value for name, value in self.scope["headers"] if name == _KEY), None)
        return None if found is None else found.decode("latin-1")


class Passed:
    """An answer whose head has come.

    Args:
        arrival: The answer.
        passing: What it answers.
    """

    __slots__ = ("answer", "arrival", "passing")

    def __init__(self, arrival: Arrival, passing: Passing) -> None:
        self.arrival = arrival
        self.passing = passing
        self.answer = Answer(None)

    async def relay(self, more: RawHeaders) -> None:
        """Pass it on to the client, and give back what is held for it.

        Raises:
            ProxyError: It broke off.
        """
        try:
            await self.passing.exchange.relay(self.arrival, more=more)
        except GoneError:
            self.answer.leave()
        except ProxyError as error:
            self.answer.end(error)
            raise
        except BaseException:
            self.answer.leave()
            raise
        else:
            self.answer.end()

    async def aclose(self) -> None:
        """Drop it: another attempt is made."""
        try:
            await self.arrival.aclose()
        finally:
            self.answer.leave()


class Running(Permit):
    """A place at an instance, given back when the request is over."""

    __slots__ = ("_over",)

    def __init__(self, over: Callable[[], None]) -> None:
        super().__init__()
        self._over = over

    def _take(self) -> None:
        """Take nothing: choosing the instance did."""

    async def _atake(self) -> None:
        """Take nothing: choosing the instance did."""

    def _give_back(self, verdict: Verdict | None, error: BaseException | None) -> None:  # noqa: ARG002 - whichever
        self._over()


def unwell(error: Exception) -> bool:
    """Return whether an error means that the instance, or the way to it, is not well."""
    return isinstance(error, BrokenAnswerError | SilentUpstreamError | UnreachableError)


def unsent(error: Exception) -> bool:
    """Return whether an error means that nothing of the request was sent."""
    return isinstance(error, UnreachableError)


class _Dialect(Dialect[Passing, Passed]):
    """What a gateway makes of answers."""

    __slots__ = ()

    def failed(self, response: Passed) -> bool:
        """Return True for 502, 503 and 504.

        A 500 is a fault in one route of an upstream, and says nothing about its others.
        """
        return response.arrival.status in _GATEWAY_ERRORS

    def worth_another(self, response: Passed) -> bool:
        """Return True for the same, as long as there is somebody else to ask."""
        return self.failed(response) and response.passing.more and super().worth_another(response)


def _header(passed: Passed, name: str) -> str | None:
    wanted = name.lower().encode("ascii")
    for each, value in passed.arrival.headers:
        if each.lower() == wanted:
            return value.decode("latin-1")
    return None


def _host(passing: Passing) -> str:
    return str(passing.scope.get("path_template", ""))


def _status(passed: Passed) -> int:
    return passed.arrival.status


def _answer(passed: Passed) -> Answer:
    return passed.answer


def _repeat(passing: Passing) -> Repeat:
    return passing.repeat


DIALECT = _Dialect(
    host=_host,
    repeat=_repeat,
    status=_status,
    header=_header,
    answer=_answer,
    unwell=unwell,
    unsent=unsent,
    # Refusals and missed deadlines stay what they are: whoever serves the request answers them.
    kinship=Kinship(refused=CallRefusedError, timed_out=TimedOutError),
)
