"""What the adaptive limiter and the load shedder share: calls that are let in by how much they matter."""

from abc import abstractmethod
from functools import partial
from typing import TypeVar

from uat_resilience._core.priority_slots import Priority
from uat_resilience.ambient import checked_priority
from uat_resilience.policies.admission import Admission, AdmissionPermit
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Permit
from uat_resilience.policies.priority_gate import PriorityGate

__all__ = ["Prioritised"]

Entry = TypeVar("Entry")


class Prioritised(Admission[Entry]):
    """A policy whose slots go to the most important first. Subclasses set `_gate`."""

    __slots__ = ("_gate",)
    _gate: PriorityGate

    @property
    def in_use(self) -> bool:
        """True while calls are inside or wait."""
        return self._gate.slots.running > 0 or self._gate.slots.waiting > 0

    def permit(self, *, priority: Priority | None = None) -> Permit:
        """Guard a block: `with policy.permit(): ...`, or `async with`. Taken on entering.

        Args:
            priority: How much it matters. Default: what the `priority` block around it says.

        Raises:
            OverloadedError: On entering, when there is no slot for it.
        """
        level = None if priority is None else checked_priority("priority", priority)
        outcomes = Outcomes(self.name, self._bus, self._clock)
        return AdmissionPermit(
            outcomes,
            partial(self._admit, outcomes, level),
            partial(self._aadmit, outcomes, level),
            self._release,
        )

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside."""
        self._gate.renew()

    @abstractmethod
    def _admit(self, outcomes: Outcomes, priority: Priority | None = None) -> Entry:
        """Let a call in, or raise a refusal. May block. Without a priority the ambient one counts."""

    @abstractmethod
    async def _aadmit(self, outcomes: Outcomes, priority: Priority | None = None) -> Entry:
        """Let a call in, or raise a refusal. May suspend."""
