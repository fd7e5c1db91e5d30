from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from uat_resilience._core.slots import SlotMachine


class Crowd(RuleBasedStateMachine):
    """A slot machine against three lists: who runs, who waits, who was told to go ahead."""

    @initialize(size=st.integers(1, 3), queue=st.integers(0, 4))
    def begin(self, size: int, queue: int) -> None:
        self.machine: SlotMachine[int] = SlotMachine(size, queue)
        self.size, self.queue = size, queue
        self.names = count()
        self.running: list[int] = []
        self.waiting: list[int] = []
        self.granted: list[int] = []
        self.gone: list[int] = []

    @rule()
    def arrive(self) -> None:
        name = next(self.names)
        if len(self.running) + len(self.granted) < self.size:
            assert self.machine.enter()
            self.running.append(name)
            return
        assert not self.machine.enter()
        assert self.machine.queue(name) == (len(self.waiting) < self.queue)
        if len(self.waiting) < self.queue:
            self.waiting.append(name)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.running))
        self.running.remove(name)
        self.hand_over(self.machine.leave())

    @precondition(lambda self: self.granted)
    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.granted))
        assert self.machine.claim(name)
        self.granted.remove(name)
        self.running.append(name)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.waiting))
        assert not self.machine.claim(name)
        self.waiting.remove(name)
        self.gone.append(name)

    @precondition(lambda self: self.granted + self.waiting + self.gone)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.granted + self.waiting + self.gone))
        heir = self.machine.abandon(name)
        if name in self.granted:
            self.granted.remove(name)
            self.hand_over(heir)
        else:
            assert heir is None
            self.waiting = [other for other in self.waiting if other != name]
        self.gone.append(name)

    def hand_over(self, heir: int | None) -> None:
        """Expect a freed slot at the head of the queue."""
        if self.waiting:
            assert heir == self.waiting.pop(0)
            self.granted.append(heir)
        else:
            assert heir is None

    @invariant()
    def slots_are_neither_lost_nor_made(self) -> None:
        assert self.machine.running == len(self.running) + len(self.granted) <= self.size
        assert self.machine.waiting == len(self.waiting) <= self.queue

    @invariant()
    def nobody_waits_while_a_slot_is_free(self) -> None:
        assert not self.machine.waiting or self.machine.running == self.size


TestCrowd = Crowd.TestCase
