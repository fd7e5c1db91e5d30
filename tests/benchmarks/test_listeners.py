"""What the instrumented rows keep is what Prometheus would need, exact under threads."""

import threading

from benchmarks.listeners import count_outcomes

from uat_resilience import CallFailed, CallSucceeded, EventBus


def test_tally_counts_every_call_that_several_threads_tell() -> None:
    bus = EventBus()
    tallies = count_outcomes(bus)

    def tell() -> None:
        for _ in range(2500):
            bus.emit(CallSucceeded("retry", 0.0, 0.25))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tallies["success"].add_up()

    assert sum(tallies["success"].buckets["retry"]) == 10_000
    assert tallies["success"].seconds["retry"] == 2500.0


def test_outcomes_policies_and_durations_are_kept_apart() -> None:
    bus = EventBus()
    tallies = count_outcomes(bus)

    bus.emit(CallSucceeded("retry", 0.0, 0.001))
    bus.emit(CallSucceeded("breaker", 0.0, 99.0))
    bus.emit(CallFailed("retry", 0.0, 0.005, None))
    for tally in tallies.values():
        tally.add_up()

    assert tallies["success"].buckets["retry"][0] == 1
    assert tallies["success"].buckets["breaker"][-1] == 1
    assert tallies["failure"].buckets["retry"][0] == 1
    assert tallies["abandoned"].buckets == {}
