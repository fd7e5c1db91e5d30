"""The slots against a plain list: sorted when somebody is picked, counted when somebody is let in."""

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from uat_resilience._core.priority_slots import Priority, PrioritySlotMachine

PRIORITIES = st.sampled_from(Priority)
SIZES = st.integers(1, 4)
PICKS = st.floats(0, 1, exclude_max=True)


class PrioritySlots(RuleBasedStateMachine):
    @initialize(size=SIZES, queue=st.integers(0, 4))
    def begin(self, size: int, queue: int) -> None:
        self.slots: PrioritySlotMachine[int] = PrioritySlotMachine(size, queue)
        self.size = size
        self.limit = queue
        self.running = 0
        self.queue: list[tuple[int, int]] = []  # (-priority, ticket)
        self.granted: list[int] = []
        self.tickets = 0

    @rule(priority=PRIORITIES)
    def arrive(self, priority: Priority) -> None:
        self.tickets += 1
        place = (-priority, self.tickets)
        if self.slots.enter():
            assert self.running < self.size
            self.running += 1
            return
        assert self.running >= self.size
        queued = self.slots.queue(self.tickets, priority)
        assert queued == (len(self.queue) < self.limit)
        if not queued:
            last = max(self.queue, default=None)
            full = len(self.queue) == self.limit
            victim = last[1] if full and last is not None and last[0] > place[0] else None
            assert self.slots.shed(priority) == victim
            if victim is None:
                return
            assert not self.slots.claim(victim)
            assert self.slots.queue(self.tickets, priority)
            self.queue.remove(max(self.queue))
        self.queue.append(place)

    @precondition(lambda self: self.running > len(self.granted))
    @rule()
    def finish(self) -> None:
        assert self.slots.leave() == self._leave()

    @precondition(lambda self: self.granted)
    @rule(pick=PICKS)
    def wake(self, pick: float) -> None:
        ticket = self.granted.pop(int(pick * len(self.granted)))

        assert self.slots.claim(ticket)

    @precondition(lambda self: self.granted)
    @rule(pick=PICKS)
    def die_after_the_grant(self, pick: float) -> None:
        ticket = self.granted.pop(int(pick * len(self.granted)))

        assert self.slots.abandon(ticket) == self._leave()
        assert self.slots.abandon(ticket) is None

    @precondition(lambda self: self.queue)
    @rule(pick=PICKS)
    def give_up(self, pick: float) -> None:
        _, ticket = self.queue.pop(int(pick * len(self.queue)))

        assert self.slots.abandon(ticket) is None

    @rule(size=SIZES)
    def resize(self, size: int) -> None:
        self.size = size
        expected = [self._grant() for _ in range(min(size - self.running, len(self.queue)))]

        assert self.slots.resize(size) == expected

    @rule(queue=st.integers(0, 4))
    def change_the_queue(self, queue: int) -> None:
        self.limit = self.slots.queue_limit = queue

    @invariant()
    def agree(self) -> None:
        assert self.slots.running == self.running
        assert self.slots.waiting == len(self.queue)
        assert not self.queue or self.running >= self.size

    def _leave(self) -> int | None:
        self.running -= 1
        return self._grant() if self.queue and self.running < self.size else None

    def _grant(self) -> int:
        place = min(self.queue)
        self.queue.remove(place)
        self.running += 1
        self.granted.append(place[1])
        return place[1]


TestPrioritySlots = PrioritySlots.TestCase
