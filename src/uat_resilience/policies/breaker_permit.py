"""A block under a breaker."""

from uat_resilience._core.breaker import Ticket  # noqa: TC001 - read by those who ask for type hints
from uat_resilience.policies.breaker_gate import BreakerGate
from uat_resilience.policies.permit import Permit, Verdict

__all__ = ["BreakerPermit"]


class BreakerPermit(Permit):
    """A block whose end is judged like a call's, unless it has said how it ended."""

    __slots__ = ("_era", "_gate", "_started", "_ticket")

    def __init__(self, gate: BreakerGate) -> None:
        Permit.__init__(self)  # `super()` would be one more object for each call.
        self._gate = gate

    def _take(self) -> None:
        gate = self._gate
        self._era = era = gate.machine.era
        self._ticket: Ticket = era if era.admits else gate.admit()
        self._started = gate.now() if gate.timed or gate.bus.outcomes_wanted else None

    async def _atake(self) -> None:
        self._take()

    def _give_back(self, verdict: Verdict | None, error: BaseException | None) -> None:
        gate, ticket, started = self._gate, self._ticket, self._started
        if verdict is None and error is not None:
            gate.raised(ticket, started, error)
        elif verdict is None or verdict is Verdict.SUCCESS:
            if ticket is not self._era or not self._era.judge.quiet:
                gate.record(ticket, 0, started)
            if started is not None:
                gate.outcomes.succeeded(started)
        elif verdict is Verdict.FAILURE:
            gate.failed(ticket, started, error if isinstance(error, Exception) else None)
        else:
            gate.abandoned(ticket, started)
