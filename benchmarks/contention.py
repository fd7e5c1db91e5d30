"""Eight threads on one object: is every call counted, is no slot lost, and how many calls go through.

For the counts the interpreter is told to change threads as often as it can; for the throughput it is left as
it is.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from random import Random
from time import perf_counter

from benchmarks.bodies import answer, fail
from benchmarks.contenders import Call, Contender, NotOffered, World
from benchmarks.drivers import SyncDriver
from benchmarks.measure import Plan, collector_off
from benchmarks.room import Room
from benchmarks.rows import ROWS
from benchmarks.trial import Unfit, prepare

__all__ = ["THREADS", "Contended", "contended"]

THREADS = 8
_SLOTS = 4
_RUSHES = 5
_REFUSING = next(row for row in ROWS if row.key == "bulkhead-full")


@dataclass(frozen=True, slots=True)
class Contended:
    """What the threads found.

    Attributes:
        pattern: What they shared.
        contender: Whose it was.
        calls: How many they made together while it was watched.
        faults: What was not as it should be; empty when every count was exact.
        throughput: Calls per second on its healthy path.
    """

    pattern: str
    contender: str
    calls: int
    faults: tuple[str, ...]
    throughput: float


def contended(contenders: Sequence[Contender], plan: Plan) -> list[Contended]:
    """Watch each contender's breaker and bulkhead, then time them all in turns."""
    each = plan.contended
    threaded = [who for who in contenders if World.SYNC in who.worlds]
    shared: dict[tuple[str, str], tuple[tuple[str, ...], Call]] = {
        ("nothing", "no guard"): ((), answer)
    }
    for who in threaded:
        for pattern, watch in (("breaker", _breaker), ("bulkhead", _bulkhead)):
            try:
                shared[pattern, who.name] = watch(who, each)
            except (NotOffered, Unfit):
                continue
    rates = _rates({place: call for place, (_, call) in shared.items()}, plan)
    return [
        Contended(*place, THREADS * each, faults, rates[place])
        for place, (faults, _) in shared.items()
    ]


def _breaker(who: Contender, each: int) -> tuple[tuple[str, ...], Call]:
    failing, failures = who.counting(fail)
    ends = _stormed(failing, each)
    made = THREADS * each
    faults = []
    if ends[ConnectionError.__name__] != made:
        faults.append(f"let {made - ends[ConnectionError.__name__]} failures end otherwise")
    if failures() != made:
        faults.append(f"counted {failures()} failures of {made}")
    return tuple(faults), _guarded(who)


def _guarded(who: Contender) -> Call:
    """Guard the healthy call with the breaker that the contender is timed with elsewhere."""
    try:
        return who.breaker(answer)
    except NotOffered:
        return who.windowed(answer)


def _bulkhead(who: Contender, each: int) -> tuple[tuple[str, ...], Call]:
    with SyncDriver() as driver:
        prepare(_REFUSING, who, driver)
    room = Room(_SLOTS)
    room.door = who.bulkhead(room.visit, size=_SLOTS)
    ends = _stormed(room.door, each)
    return tuple(room.faults(returned=ends[_RETURNED])), who.bulkhead(answer)


_RETURNED = "returned"


def _stormed(call: Call, each: int) -> Counter[str]:
    """Call from all threads at once and return how the calls ended: by type of error, or returned."""
    ends: list[Counter[str]] = []

    def storm() -> None:
        mine: Counter[str] = Counter()
        for _ in repeat(None, each):
            try:
                call(0)
            except Exception as error:  # noqa: BLE001 - which ones there were is judged by the caller
                mine[type(error).__name__] += 1
            else:
                mine[_RETURNED] += 1
        ends.append(mine)

    with _restless():
        _together(storm)
    return sum(ends, Counter())


def _rates(calls: dict[tuple[str, str], Call], plan: Plan) -> dict[tuple[str, str], float]:
    """Return the calls per second of each, best of a few rushes in shuffled order."""
    rng = Random(plan.seed)
    best = dict.fromkeys(calls, 0.0)
    order = list(calls)
    with collector_off():
        for _ in range(_RUSHES):
            rng.shuffle(order)
            for place in order:
                rate = THREADS * plan.contended / _rushed(calls[place], plan.contended)
                best[place] = max(best[place], rate)
    return best


def _rushed(call: Call, each: int) -> float:
    def rush() -> None:
        for _ in repeat(None, each):
            call(0)

    return _together(rush)


def _together(work: Callable[[], None]) -> float:
    """Do it in all threads at once; return the seconds from the first to begin to the last to end."""
    gate = threading.Barrier(THREADS)
    spans: list[tuple[float, float]] = []

    def run() -> None:
        gate.wait()
        started = perf_counter()
        work()
        spans.append((started, perf_counter()))

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(ended for _, ended in spans) - min(started for started, _ in spans)


@contextmanager
def _restless() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can manage."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
