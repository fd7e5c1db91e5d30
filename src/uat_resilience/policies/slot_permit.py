"""A block guarded by a bulkhead: `with bulkhead.permit(): ...`."""

from collections.abc import Callable
from typing import Self

from uat_resilience.errors import BulkheadFullError
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import ENTERING, INSIDE, Permit, Verdict
from uat_resilience.policies.slot_gate import SlotGate, Slots
from uat_resilience.switches import switches

__all__ = ["SlotPermit"]


class SlotPermit(Permit):
    """A block that holds a slot.

    Args:
        gate: Whose slot.
        outcomes: Tells how the block ended.
        full: Makes the refusal, and tells it.
    """

    __slots__ = ("_full", "_gate", "_outcomes", "_slots", "_started")

    def __init__(
        self, gate: SlotGate, outcomes: Outcomes, full: Callable[[Outcomes], BulkheadFullError]
    ) -> None:
        Permit.__init__(self)  # `super()` would be one more object for each call.
        self._gate = gate
        self._outcomes = outcomes
        self._full = full
        self._slots: Slots | None = None  # Where it holds a slot.
        self._started: float | None = None

    async def __aenter__(self) -> Self:
        # As it is inherited, without a coroutine of its own where nobody has to wait.
        if self._stage:
            raise self._entered_twice()
        self._stage = ENTERING
        if switches.guarding:
            self._started = self._outcomes.begin()
            slots = self._gate.slots
            if slots.enter():
                self._slots = slots
            else:
                await self._atake()
        self._stage = INSIDE
        return self

    def _take(self) -> None:
        if not switches.guarding:
            return
        gate, outcomes = self._gate, self._outcomes
        self._started = outcomes.begin()
        slots = gate.slots
        if not slots.enter() and not gate.wait(outcomes.policy, outcomes.clock()):
            raise self._full(outcomes)
        self._slots = slots

    async def _atake(self) -> None:
        gate, outcomes = self._gate, self._outcomes
        slots = gate.slots
        if not slots.enter() and not await gate.await_slot(outcomes.policy, outcomes.clock()):
            raise self._full(outcomes)
        self._slots = slots

    def _give_back(self, verdict: Verdict | None, error: BaseException | None) -> None:
        if self._slots is not None and self._slots.put_back():
            self._gate.pass_on()
        if self._started is None:
            return
        if verdict is None and error is None:
            self._outcomes.succeeded(self._started)
        else:
            self._outcomes.settled(self._started, verdict, error)
