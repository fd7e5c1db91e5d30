"""What the fleet knows of a breaker: heard when that is due, told when something came of it here.

Both happen before and after a call, never inside its breaker's lock, and what is heard moves the breaker like a
call would. An opening is told by how long it lasts, so that no two clocks are compared.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import uuid4

from uat_resilience._core.breaker import BreakerState, Move
from uat_resilience.errors import CircuitOpenError
from uat_resilience.integrations.redis.away import RedisAwayError
from uat_resilience.integrations.redis.leases import micros
from uat_resilience.integrations.redis.link import RedisLink
from uat_resilience.integrations.redis.scripts import HEAR, REPORT
from uat_resilience.policies.breaker_gate import BreakerGate
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import FallbackUsed

__all__ = ["Fleet"]

_PROBE, _OPEN, _TAKEN = 1, 2, 3  # What Redis answers, else 0: nothing is known to be wrong.
_OPENED, _CLOSED = 1, 2  # What Redis is told.
_FORCED = frozenset({BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED})
_MEMORY = 3_600_000  # Milliseconds for which Redis remembers an opening that is over.


class Fleet:
    """Keep a breaker and its fleet in step.

    Args:
        link: The way to Redis.
        gate: The breaker's gate.
        name: What the breaker is called.
        refresh: Seconds between two looks while closed.
        lease: Seconds for which a probe holds its place.
        bus: Where events go.
    """

    def __init__(
        self,
        link: RedisLink,
        gate: BreakerGate,
        *,
        name: str,
        refresh: float,
        lease: float,
        bus: EventBus,
    ) -> None:
        self._link = link
        self._gate = gate
        self._name = name
        self._keys = [link.key(name, part) for part in ("breaker", "probe")]
        self._refresh = refresh
        self._lease = micros(lease)
        self._bus = bus
        self._due: float | None = None  # When to look again; None before the first time.
        self._episode = 0
        # Tokens that a silent Redis may give the probe to when it speaks again, long after their calls have ended.
        self._given_up: deque[str] = deque(maxlen=16)
        self._told = gate.machine.era.generation

    def consult(self) -> str | None:
        """Learn how the fleet stands when that is due, from sync code; return the probe's token, if it is ours.

        Raises:
            CircuitOpenError: Another process probes.
        """
        token = self._question()
        if token is None:
            return None
        try:
            answer = self._link.ask(self._name, HEAR, self._keys, *self._asked(token))
        except RedisAwayError as away:
            self._stay_alone(token, away)
            return None
        return self._heed(token, answer)

    async def aconsult(self) -> str | None:
        """Learn how the fleet stands when that is due, from a task; return the probe's token, if it is ours.

        Raises:
            CircuitOpenError: Another process probes.
        """
        token = self._question()
        if token is None:
            return None
        try:
            answer = await self._link.aask(self._name, HEAR, self._keys, *self._asked(token))
        except RedisAwayError as away:
            self._stay_alone(token, away)
            return None
        except asyncio.CancelledError:
            if token:  # Redis may have given it the probe.
                self._given_up.append(token)
                self._link.later(self._atell(token, 0, 0))
            raise
        return self._heed(token, answer)

    def report(self, probe: str | None) -> None:
        """Tell the fleet what became of the breaker, from sync code."""
        moved, left = self._news()
        if moved or probe:
            try:
                answer = self._link.ask(
                    self._name, REPORT, self._keys, probe or "", moved, left, _MEMORY
                )
            except (RedisAwayError, TimeoutError):
                self._untold(probe, moved)
            else:
                self._episode = answer[0]

    async def areport(self, probe: str | None, error: BaseException | None) -> None:
        """Tell the fleet what became of the breaker, beside the task; a cancelled one does not wait for it."""
        moved, left = self._news()
        if not moved and not probe:
            return
        task = self._link.later(self._atell(probe or "", moved, left))
        if task is not None and (error is None or isinstance(error, Exception)):
            await asyncio.shield(task)

    async def _atell(self, probe: str, moved: int, left: int) -> None:
        try:
            answer = await self._link.aask(
                self._name, REPORT, self._keys, probe, moved, left, _MEMORY
            )
        except (RedisAwayError, TimeoutError):
            self._untold(probe, moved)
        else:
            self._episode = answer[0]

    def _question(self) -> str | None:
        """Return None for nothing to ask, a token to ask for the probe, or "" to ask how things stand."""
        now, era = self._gate.now(), self._gate.machine.era
        if not switches.guarding or era.state in _FORCED or era.is_open(now):
            return None
        if era.state is not BreakerState.CLOSED:
            return uuid4().hex
        due = self._due
        if era.generation != self._told or (due is not None and now < due <= now + self._refresh):
            return None
        self._due = now + self._refresh  # Those who come while this one asks go by what is known.
        return ""

    def _asked(self, token: str) -> list[str | int]:
        given_up = list(self._given_up) if token else []
        return [token, self._lease, self._episode, *given_up]

    def _heed(self, token: str, answer: Sequence[int]) -> str | None:
        verdict, self._episode, left = answer
        if verdict == _PROBE:
            return token
        if verdict == _TAKEN:
            raise self._gate.outcomes.refused(
                CircuitOpenError(
                    self._name, state=BreakerState.HALF_OPEN, retry_after=left / 1_000_000
                )
            )
        if verdict == _OPEN:
            self._gate.follow(left / 1_000_000)
        elif token:
            self._gate.force(Move.RESET)
        self._told = self._gate.machine.era.generation
        return None

    def _stay_alone(self, token: str, away: RedisAwayError) -> None:
        """Tell of a decision without Redis, which may have given us the probe, or may yet do so."""
        if token:
            self._given_up.append(token)
        if self._bus.wants(FallbackUsed):
            self._bus.emit(FallbackUsed(self._name, self._gate.now(), away.error))

    def _news(self) -> tuple[int, int]:
        """Return what the fleet does not know yet, and for how long it holds."""
        era = self._gate.machine.era
        if era.generation == self._told:
            return 0, 0
        self._told = era.generation
        left = era.until - self._gate.now()
        if era.state is BreakerState.OPEN and left > 0:
            return _OPENED, micros(left)
        return (_CLOSED, 0) if era.state is BreakerState.CLOSED else (0, 0)

    def _untold(self, probe: str | None, moved: int) -> None:
        if probe:
            self._given_up.append(probe)
        # An opening is worth telling later. A recovery is not: by then the others may know better.
        if moved == _OPENED:
            self._told = -1
