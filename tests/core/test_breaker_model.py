from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from tests.core.naive import NaiveJudge
from tests.core.strategies import draws, eighths, lags, silences, trip_rules

from uat_resilience._core.breaker import BreakerMachine, BreakerState, Move, Refusal, Ticket
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.straggling import STRAGGLING
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate, SlowRate, TripRule

PASSING = (BreakerState.CLOSED, BreakerState.FORCED_CLOSED)


@dataclass(eq=False)
class NaiveTicket:
    """What the model knows of a call: when it began, and in which era."""

    era: int
    since: float
    until: float
    running: bool = True
    overdue: bool = False

    def holds_a_place(self, now: float) -> bool:
        """Return True while the lease lasts; a straggler does not bring it back once it was seen to be over."""
        self.overdue = self.overdue or not self.since - STRAGGLING <= now < self.until
        return self.running and not self.overdue


@dataclass
class NaiveBreaker:
    """The rules of a breaker, told one by one, over a list of every call that was ever let in."""

    trip: TripRule
    open_for: float
    probes: int
    close_after: int
    lease: float | None
    ramp: Ramp | None
    state: str = "CLOSED"
    generation: int = 0
    era: int = 0
    ramped_from: float | None = None
    opened_at: float = 0.0
    times_opened: int = 0
    good_probes: int = 0
    judge: NaiveJudge = field(init=False)
    calls: list[NaiveTicket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judge = NaiveJudge(self.trip)

    def enter(self, state: str, now: float) -> None:
        self.state = state
        self.generation += 1
        self.era += 1
        self.ramped_from = None
        self.good_probes = 0
        if state == "OPEN":
            self.opened_at = now
            self.times_opened += 1
        if state in ("CLOSED", "FORCED_CLOSED"):
            self.judge = NaiveJudge(self.trip)

    def wait_for(self, now: float) -> float | None:
        """Return seconds until a call could pass, or None when one passes now or no time helps."""
        ends = self.opened_at + self.open_for
        if self.state == "OPEN" and self.opened_at - STRAGGLING <= now < ends:
            return ends - now
        places = [call.until for call in self.present() if call.holds_a_place(now)]
        if self.state == "HALF_OPEN" and len(places) >= self.probes:
            return min(places) - now
        return None

    def present(self) -> list[NaiveTicket]:
        """Return the calls of this generation that have not ended."""
        return [call for call in self.calls if call.running and call.era == self.era]

    def end_ramp(self, now: float) -> None:
        """Go on without a ramp when its time is over; calls that began on it are forgotten."""
        if self.ramped_from is not None:
            age = now - self.ramped_from
            if not -STRAGGLING <= age < self.ramp.seconds:
                self.ramped_from = None
                self.era += 1

    def admit(self, now: float, draw: float) -> NaiveTicket | None:
        self.end_ramp(now)
        if self.ramped_from is not None and draw >= self.ramp.share(now - self.ramped_from):
            return None
        if self.state == "FORCED_OPEN" or self.wait_for(now) is not None:
            return None
        if self.state == "OPEN":
            self.enter("HALF_OPEN", now)
        lease = self.open_for if self.lease is None else self.lease
        self.calls.append(NaiveTicket(self.era, now, now + lease))
        return self.calls[-1]

    def record(self, call: NaiveTicket, failed: int, elapsed: float, now: float) -> None:
        if call.era != self.era:
            return
        if self.state == "CLOSED":
            if self.judge.trips(now, failed, elapsed):
                self.enter("OPEN", now)
        elif self.state == "HALF_OPEN" and call.running:
            call.running = False
            self.settle(failed or self.is_slow(elapsed), now)

    def settle(self, failed: int, now: float) -> None:
        self.good_probes += not failed
        if failed:
            self.enter("OPEN", now)
        elif self.good_probes == self.close_after:
            self.times_opened = 0
            self.enter("CLOSED", now)
            self.ramped_from = None if self.ramp is None else now

    def is_slow(self, elapsed: float) -> bool:
        return self.trip.slower_than is not None and elapsed >= self.trip.slower_than

    def force(self, move: Move, now: float) -> None:
        if move is Move.RESET:
            self.times_opened = 0
        names = {Move.FORCE_OPEN: "FORCED_OPEN", Move.FORCE_CLOSED: "FORCED_CLOSED"}
        self.enter(names.get(move, "CLOSED"), now)

    def retrip(self, trip: TripRule) -> None:
        self.trip = trip
        if self.state in ("CLOSED", "FORCED_CLOSED") and not self.judge.replace(trip):
            self.judge = NaiveJudge(trip)
            self.era += 1

    def amend(self, generation: int, open_for: float) -> None:
        if self.state == "OPEN" and self.generation == generation:
            self.open_for = open_for


class Life(RuleBasedStateMachine):
    """A breaker against its model, with calls that end late, twice, or never."""

    tickets = Bundle("tickets")

    @initialize(
        trip=trip_rules(),
        open_for=eighths(1, 30),
        probes=st.integers(1, 3),
        close_after=st.integers(1, 3),
        lease=st.none() | eighths(1, 30),
        ramp=st.none() | st.builds(Ramp, eighths(1, 8), start=st.sampled_from([0.25, 1.0])),
    )
    def begin(self, **settings: Any) -> None:
        self.machine = BreakerMachine(**settings)
        self.model = NaiveBreaker(**settings)
        self.now = 0.0
        self.most = self.model.probes  # That were ever allowed.

    @rule(silence=silences())
    def wait(self, silence: float) -> None:
        self.now += silence

    @rule(target=tickets)
    def wait_for_a_probe(self) -> tuple[Ticket | Refusal, NaiveTicket | None]:
        self.now += self.machine.retry_after(self.now) or 0.0
        return self.ask(0.0)

    @rule()
    def replace_the_clock(self) -> None:
        self.now -= 1e6

    @rule(target=tickets, lag=lags(), draw=draws())
    def ask(self, lag: float, draw: float = 0.0) -> tuple[Ticket | Refusal, NaiveTicket | None]:
        now, before = self.now - lag, self.machine.era.state

        wait = self.model.wait_for(now)
        answer, moved = self.machine.admit(now, draw)
        expected = self.model.admit(now, draw)

        assert isinstance(answer, Refusal) == (expected is None)
        assert (moved is not None) == (self.machine.era.state is not before)
        if isinstance(answer, Refusal):
            on_ramp = self.model.ramped_from is not None
            assert answer.retry_after == (self.machine.era.until - now if on_ramp else wait)
            assert answer.retry_after is None or answer.retry_after > 0
        return answer, expected

    @rule(calls=st.integers(1, 5), failed=st.integers(0, 1), elapsed=eighths(0, 3))
    def call_several_times(self, calls: int, failed: int, elapsed: float) -> None:
        for _ in range(calls):
            self.end(self.ask(0.0), failed, elapsed, 0.0)

    @rule(failed=st.integers(0, 1), elapsed=eighths(0, 3))
    def wait_and_call(self, failed: int, elapsed: float) -> None:
        self.end(self.wait_for_a_probe(), failed, elapsed, 0.0)

    @rule(pair=tickets, failed=st.integers(0, 1), elapsed=eighths(0, 3), lag=lags())
    def end(
        self,
        pair: tuple[Ticket | Refusal, NaiveTicket | None],
        failed: int,
        elapsed: float,
        lag: float,
    ) -> None:
        ticket, expected = pair
        if isinstance(ticket, Refusal) or expected is None:
            return
        generation = self.machine.era.generation

        moved = self.machine.record(ticket, failed, elapsed, self.now - lag)
        self.model.record(expected, failed, elapsed, self.now - lag)

        assert (moved is not None) == (self.machine.era.generation != generation)

    @rule(pair=tickets)
    def abandon(self, pair: tuple[Ticket | Refusal, NaiveTicket | None]) -> None:
        ticket, expected = pair
        if isinstance(ticket, Refusal) or expected is None:
            return
        self.machine.abandon(ticket)
        if self.model.state == "HALF_OPEN":
            expected.running = False

    @rule(move=st.sampled_from([Move.FORCE_OPEN, Move.FORCE_CLOSED, Move.RESET]))
    def force(self, move: Move) -> None:
        self.machine.force(move, self.now)
        self.model.force(move, self.now)

    @rule(stale=st.integers(0, 2), open_for=eighths(1, 30))
    def amend(self, stale: int, open_for: float) -> None:
        generation = self.machine.era.generation - stale
        self.machine.amend(generation, open_for)
        self.model.amend(generation, open_for)

    @rule(trip=trip_rules())
    def replace_the_trip_rule(self, trip: TripRule) -> None:
        generation = self.machine.era.generation

        self.machine.retrip(trip)
        self.model.retrip(trip)

        assert self.machine.era.generation == generation

    @rule(fewer=st.booleans(), slower=st.sampled_from([0.125, 1.0, 2.0]))
    def replace_the_limits_of_the_trip_rule(self, fewer: bool, slower: float) -> None:  # noqa: FBT001 - drawn
        """Replace the rule by one that counts alike."""
        self.replace_the_trip_rule(relaxed(self.model.trip, 1 if fewer else 4, slower))

    @rule(
        probes=st.integers(1, 3),
        close_after=st.integers(1, 3),
        lease=st.none() | eighths(1, 30),
        open_for=eighths(1, 30),
    )
    def replace_the_other_settings(self, **settings: Any) -> None:
        for name, value in settings.items():
            if name != "open_for":
                setattr(self.model, name, value)
            elif self.model.state != "OPEN":
                self.model.open_for = value
            else:
                continue
            setattr(self.machine, name, value)
        self.most = max(self.most, self.model.probes)

    @invariant()
    def both_tell_the_same(self) -> None:
        era = self.machine.era
        assert era.state.name == self.model.state
        assert era.generation == self.model.generation
        assert era.admits == (era.state in PASSING and self.model.ramped_from is None)
        assert self.machine.times_opened == self.model.times_opened
        assert self.machine.retry_after(self.now) == self.model.wait_for(self.now)
        probing = len(self.model.present()) if self.model.state == "HALF_OPEN" else 0
        assert self.machine.probing == probing

    @invariant()
    def both_have_counted_the_same(self) -> None:
        if self.model.state == "CLOSED":
            judge = self.machine.era.judge
            judge.forget(self.now)
            assert (judge.calls, judge.failures, judge.slow) == self.model.judge.figures(self.now)

    @invariant()
    def no_more_probes_hold_a_place_than_are_allowed(self) -> None:
        places = [call for call in self.model.present() if call.holds_a_place(self.now)]
        assert self.model.state != "HALF_OPEN" or len(places) <= self.most


def relaxed(rule: TripRule, count: int, slower: float) -> TripRule:
    """Return a rule of the same kind over the same window, with other limits."""
    match rule:
        case ConsecutiveFailures():
            return ConsecutiveFailures(count)
        case FailureRate():
            return replace(rule, threshold=count / 4, minimum_calls=count)
        case SlowRate():
            return replace(rule, threshold=count / 4, slower_than=slower, minimum_calls=count)
        case _:
            return relaxed(rule.left, count, slower) | relaxed(rule.right, count, slower)


TestLife = Life.TestCase
