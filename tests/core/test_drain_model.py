"""The drain against a list of every piece of work, each with its own story."""

from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from uat_resilience._core.drain import DrainMachine, Phase

STEPS = st.integers(0, 16).map(lambda quarters: quarters / 4)


@dataclass
class Work:
    begun: Literal["before", "during"]
    fate: Literal["runs", "done", "cut", "cut, then done"] = "runs"

    def end(self) -> None:
        self.fate = "done" if self.fate == "runs" else "cut, then done"


class Drain(RuleBasedStateMachine):
    @initialize(
        delay=st.sampled_from([0.0, 1.0, 3.0]),
        work=st.sampled_from([0.0, 3.0, 8.0]),
        reserve=st.sampled_from([0.0, 2.0]),
    )
    def start(self, delay: float, work: float, reserve: float) -> None:
        self.grace = max(delay + work + reserve, 3.0)
        self.drain = DrainMachine(delay=delay, grace=self.grace, reserve=reserve)
        self.delay, self.reserve = delay, reserve
        self.now = 0.0
        self.phase = Phase.RUNNING
        self.began = 0.0
        self.works: list[Work] = []
        self.refused = 0

    @rule(step=STEPS)
    def pass_time(self, step: float) -> None:
        self.now += step

    @rule()
    def poll(self) -> None:
        self._expect([change.new for change in self.drain.poll(self.now)], *self._due())

    @rule()
    def enter(self) -> None:
        due = self._due()
        accepted, moved = self.drain.enter(self.now)
        self._expect([change.new for change in moved], *due)

        if self.phase is Phase.RUNNING:
            self.works.append(Work("before"))
        elif self.phase is Phase.ANNOUNCED:
            self.works.append(Work("during"))
        else:
            self.refused += 1
        assert accepted == (self.phase <= Phase.ANNOUNCED)

    @precondition(lambda self: any(work.fate in {"runs", "cut"} for work in self.works))
    @rule(pick=st.floats(0, 1, exclude_max=True))
    def leave(self, pick: float) -> None:
        unfinished = [work for work in self.works if work.fate in {"runs", "cut"}]
        unfinished[int(pick * len(unfinished))].end()

        due = self._due()
        self._expect([change.new for change in self.drain.leave(self.now)], *due)

    @rule()
    def begin(self) -> None:
        first = self.phase is Phase.RUNNING
        if first:
            self.works = [work for work in self.works if work.fate == "runs"]
            self.began, self.phase = self.now, Phase.ANNOUNCED
        due = self._due()
        moved = [change.new for change in self.drain.begin(self.now)]
        self._expect(moved, *([Phase.ANNOUNCED] * first), *due)

    @rule()
    def close(self) -> None:
        expected = [Phase.CLOSED] if self.phase is Phase.CLOSING else []
        self._expect([change.new for change in self.drain.close(self.now)], *expected)

    @precondition(lambda self: self.now > 10)
    @rule()
    def force(self) -> None:
        if self.phase is Phase.RUNNING:
            self.works = [work for work in self.works if work.fate == "runs"]
        expected = []
        if self.phase not in {Phase.CLOSED, Phase.FORCED}:
            expected = [Phase.FORCED]
            self._cut()
        self._expect([change.new for change in self.drain.force(self.now)], *expected)

    @invariant()
    def every_piece_of_work_is_accounted_for(self) -> None:
        account = self.drain.account
        assert self.drain.phase is self.phase
        assert self.drain.running == len(self.works) - self._count("done", "cut, then done")
        assert account.refused == self.refused
        assert account.cut == self._count("cut", "cut, then done")
        if self.phase is Phase.RUNNING:
            return
        assert account.before == sum(work.begun == "before" for work in self.works)
        assert account.during == sum(work.begun == "during" for work in self.works)
        assert account.finished == self._count("done", "cut, then done")

    def _due(self) -> list[Phase]:
        """Return the phases that time, and the lack of work, lead to now."""
        if self.phase is Phase.ANNOUNCED and self.now < self.began + self.delay:
            return []
        if self.phase not in {Phase.ANNOUNCED, Phase.DRAINING}:
            return []
        onward = [Phase.DRAINING] if self.phase is Phase.ANNOUNCED else []
        if not self._count("runs"):
            return [*onward, Phase.CLOSING]
        if self.now >= self.began + self.grace - self.reserve:
            self._cut()
            return [*onward, Phase.CLOSING]
        return onward

    def _cut(self) -> None:
        for work in self.works:
            work.fate = "cut" if work.fate == "runs" else work.fate

    def _count(self, *fates: str) -> int:
        return sum(work.fate in fates for work in self.works)

    def _expect(self, moved: list[Phase], *expected: Phase) -> None:
        assert moved == list(expected)
        self.phase = moved[-1] if moved else self.phase


TestDrain = Drain.TestCase
