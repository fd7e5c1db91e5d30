import gc
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from uat_resilience import CallFailed, CallSucceeded
from uat_resilience.integrations.tally import OTHER, Tally

THREADS, CALLS = 8, 5_000


def test_duration_on_a_bound_falls_below_it() -> None:
    tally = Tally([0.1, 0.2])

    for elapsed in (0.1, 0.15, 0.2, 0.3):
        tally.end(CallSucceeded, "db", elapsed)

    calls, _ = tally.read()
    assert calls["db"].buckets[CallSucceeded] == [1, 2, 1]
    assert calls["db"].seconds == pytest.approx(0.75)


def test_counts_are_exact_when_threads_count_at_once_and_one_reads() -> None:
    tally, ready = Tally(), Barrier(THREADS)

    def work(_: int) -> None:
        ready.wait()
        for _ in range(CALLS):
            tally.end(CallFailed, "db", 0.5)
            tally.count("uat_retries", "db")
            tally.read()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))

    calls, counts = tally.read()
    assert sum(calls["db"].buckets[CallFailed]) == THREADS * CALLS
    assert calls["db"].seconds == THREADS * CALLS * 0.5
    assert counts["uat_retries", "db", ""] == THREADS * CALLS


def test_end_that_is_heard_while_the_lock_is_held_is_counted_by_its_holder() -> None:
    tally = Tally()

    with tally._mailbox.lock:
        tally.end(CallSucceeded, "db", 0.1)
    tally.end(CallSucceeded, "db", 0.1)

    calls, _ = tally.read()
    assert sum(calls["db"].buckets[CallSucceeded]) == 2


def test_end_that_is_heard_in_the_middle_of_counting_another_is_counted_too() -> None:
    tally = Tally()
    tally.end(CallSucceeded, "db", 0.1)

    class Interrupting(float):
        """Is compared with the bounds while the lock is held, as a signal handler may run there."""

        def __gt__(self, bound: float) -> bool:
            tally.end(CallFailed, "db", 0.1)
            return float(self) > bound

    tally.end(CallSucceeded, "db", Interrupting(0.001))

    calls, _ = tally.read()
    assert sum(calls["db"].buckets[CallSucceeded]) == 2
    assert sum(calls["db"].buckets[CallFailed]) >= 1


def test_note_left_during_a_read_is_counted_after_it() -> None:
    tally = Tally()
    tally.end(CallSucceeded, "db", 0.1)

    class Finalised:
        def __del__(self) -> None:
            tally.end(CallSucceeded, "db", 0.1)

    with tally._mailbox.lock:
        Finalised()
        gc.collect()
    tally.read()

    assert sum(tally.read()[0]["db"].buckets[CallSucceeded]) == 2


def test_names_above_the_limit_are_counted_together_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tally = Tally(names=2)

    with caplog.at_level(logging.WARNING, "uat_resilience"):
        for key in range(5):
            tally.end(CallSucceeded, f"tenant-{key}", 0.1)
            tally.count("uat_retries", f"tenant-{key}")

    calls, counts = tally.read()
    assert set(calls) == {"tenant-0", "tenant-1", OTHER}
    assert sum(calls[OTHER].buckets[CallSucceeded]) == 3
    assert counts["uat_retries", OTHER, ""] == 3
    assert len(caplog.records) == 1
    assert "'tenant-2'" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forked_child_starts_at_nothing_even_while_the_parent_counts() -> None:
    tally = Tally()
    tally.end(CallSucceeded, "db", 0.1)
    tally.count("uat_retries", "db")

    with tally._mailbox.lock:
        child = os.fork()
        if child == 0:
            tally.end(CallSucceeded, "db", 0.1)
            calls, counts = tally.read()
            os._exit(0 if (sum(calls["db"].buckets[CallSucceeded]), counts) == (1, {}) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_renewed_tally_has_counted_nothing() -> None:
    tally = Tally()
    tally.end(CallSucceeded, "db", 0.1)
    tally.count("uat_retries", "db")

    tally.renew()

    assert tally.read() == ({}, {})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"bounds": [0.1, 0.1]}, ValueError, "buckets must rise, not"),
        ({"bounds": [0.0]}, ValueError, "buckets must be a finite number of seconds above 0, not"),
        ({"bounds": [True]}, TypeError, "buckets must be a finite number of seconds above 0, not"),
        ({"names": 0}, ValueError, "names must be a whole number of at least 1, not 0"),
    ],
)
def test_bad_argument_is_named_with_its_rule(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Tally(**arguments)
