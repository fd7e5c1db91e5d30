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
        self.most = size
        self.called_away = False

    @rule()
    def arrive(self) -> None:
        name = next(self.names)
        free = self.free() and not self.waiting
        entered = self.machine.enter()
        assert entered == free or (self.called_away and not entered)
        if entered:
            self.running.append(name)
            return
        assert self.machine.queue(name) == (len(self.waiting) < self.queue)
        if len(self.waiting) < self.queue:
            self.waiting.append(name)
            self.grant()

    @rule()
    def look_for_an_heir(self) -> None:
        self.grant()

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def put_back_and_be_called_away(self, data: st.DataObject) -> None:
        """Give a slot back, and leave looking for an heir to whoever comes next."""
        crowded = self.waiting or self.machine.running > self.size
        self.running.remove(data.draw(st.sampled_from(self.running)))
        if self.machine.put_back():
            self.called_away = True
        else:
            assert not crowded

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self.running.remove(data.draw(st.sampled_from(self.running)))
        self.expect(self.machine.leave())

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
            self.expect(heir)
        else:
            assert heir is None
            self.waiting = [other for other in self.waiting if other != name]
        self.gone.append(name)

    @rule(size=st.integers(1, 6), queue=st.integers(0, 4))
    def resize(self, size: int, queue: int) -> None:
        self.size, self.queue = size, queue
        self.most = max(size, len(self.running) + len(self.granted))
        self.machine.queue_limit = queue
        heirs: list[int] = []
        while self.waiting and self.free():
            heirs.append(self.waiting.pop(0))
            self.granted.append(heirs[-1])
        assert self.machine.resize(size) == heirs
        self.called_away = False

    def free(self) -> bool:
        return len(self.running) + len(self.granted) < self.size

    def grant(self) -> None:
        self.expect(self.machine.heir())

    def expect(self, heir: int | None) -> None:
        """Expect a free slot at the head of the queue."""
        self.called_away = False
        if self.waiting and self.free():
            assert heir == self.waiting.pop(0)
            self.granted.append(heir)
        else:
            assert heir is None

    @invariant()
    def slots_are_neither_lost_nor_made(self) -> None:
        running = len(self.running) + len(self.granted)
        # Above the size are only those that ran when it shrank, and they get fewer.
        self.most = max(self.size, min(self.most, running))
        assert self.machine.running == running <= self.most
        assert self.machine.waiting == len(self.waiting)


TestCrowd = Crowd.TestCase
