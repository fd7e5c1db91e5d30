from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from uat_resilience._core.deadline import DeadlineQueue

SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class Call:
    until: float


class RunningCalls(RuleBasedStateMachine):
    """A queue against a list that is searched from end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: DeadlineQueue[Call] = DeadlineQueue()
        self.running: list[Call] = []
        self.ended: list[Call] = []
        self.now = 0.0

    @rule(silence=st.sampled_from([0.125, SECONDS / 2, SECONDS, 1e9]))
    def wait(self, silence: float) -> None:
        self.now += silence

    @rule()
    def begin(self) -> None:
        call = Call(self.now + SECONDS)
        self.queue[call] = None
        self.running.append(call)

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        everybody = self.running + self.ended
        if everybody:
            call = data.draw(st.sampled_from(everybody))
            self.queue.pop(call, None)
            self.ended.append(call)
            self.running = [other for other in self.running if other is not call]

    @rule()
    def ring(self) -> None:
        due = [call for call in self.running if call.until <= self.now]

        assert self.queue.due(self.now) == due
        self.running = [call for call in self.running if call not in due]
        self.ended += due

    @invariant()
    def the_next_deadline_is_the_earliest(self) -> None:
        assert self.queue.next_due() == min((call.until for call in self.running), default=None)
        assert len(self.queue) == len(self.running)


TestRunningCalls = RunningCalls.TestCase
