"""Threads find out who counts wrong."""

import threading
from collections.abc import Callable

import pytest
from benchmarks.contenders import Call, Contender
from benchmarks.contention import THREADS, Contended, contended
from benchmarks.measure import Plan

FEW = Plan(contended=20)


class Counting(Contender):
    """A breaker that counts one failure as so many."""

    name = "counting"

    def __init__(self, each: int) -> None:
        self._each = each

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        return call

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        failures: list[int] = []

        def guarded(order: int) -> object:
            try:
                return call(order)
            except ConnectionError:
                failures.append(self._each)
                raise

        return guarded, lambda: sum(failures)


class Holding(Contender):
    """A bulkhead with so many slots too many, which keeps some of them for good."""

    name = "holding"

    def __init__(self, *, more: int = 0, lost: int = 0) -> None:
        self._more = more
        self._lost = lost

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        # A bulkhead of one is what the trial fills up first; the faults are kept for the storm.
        slots = threading.Semaphore(size if size == 1 else size + self._more)
        lost = iter(range(0 if size == 1 else self._lost))

        def guarded(order: int) -> object:
            if not slots.acquire(blocking=False):
                raise BlockingIOError
            try:
                return call(order)
            finally:
                if next(lost, None) is None:
                    slots.release()

        return guarded


def found(contender: Contender) -> Contended:
    _, theirs = contended([contender], FEW)
    return theirs


def test_breaker_that_counts_every_failure_is_exact() -> None:
    assert found(Counting(1)).faults == ()
    assert found(Counting(1)).calls == THREADS * 20
    assert found(Counting(1)).throughput > 0


def test_breaker_that_miscounts_is_found_out() -> None:
    assert found(Counting(2)).faults == ("counted 320 failures of 160",)


def test_bulkhead_that_keeps_to_its_size_is_exact() -> None:
    assert found(Holding()).faults == ()


@pytest.mark.parametrize(
    ("contender", "fault"),
    [(Holding(more=1), "has a slot too many"), (Holding(lost=1), "lost a slot")],
)
def test_bulkhead_of_another_size_is_found_out(contender: Contender, fault: str) -> None:
    assert fault in found(contender).faults
