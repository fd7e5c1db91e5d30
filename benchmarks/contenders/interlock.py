"""interlock-cb: a breaker, and a pipeline with bulkhead, timeout and (through tenacity) retry."""

from collections.abc import Callable

import interlock
from interlock.integrations.tenacity import retry_unless_open

from benchmarks.contenders.contender import NEVER, Call, Contender, by_hand

_WINDOW = interlock.WindowType.TIME_BASED


class Interlock(Contender):
    """Its breaker judges a failure rate; its retry is tenacity's, and measured there."""

    name = "interlock-cb"
    module = "interlock"
    distribution = "interlock-cb"
    note = "its breaker judges a failure rate; its sync timeout runs the body in a thread"

    def windowed(self, call: Call, *, minimum: int = 10, recovery: float = 30.0) -> Call:
        # By default it counts the last 100 calls.
        config = interlock.Config(
            window_type=_WINDOW,
            window_size=60,
            minimum_number_of_calls=minimum,
            wait_duration_in_open=recovery,
        )
        return interlock.CircuitBreaker(name="benchmark", config=config)(call)

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        return interlock.Pipeline.builder().bulkhead(size).build()(call)

    def timeout(self, call: Call) -> Call:
        return interlock.Pipeline.builder().timeout(10.0).build()(call)

    def three_windowed(self, call: Call) -> Call:
        return _three().build()(call)

    three = three_windowed

    def three_by_hand(self, call: Call) -> Call:
        pipeline = _three().build()
        return by_hand(call, pipeline.call, pipeline.call)

    def four(self, call: Call) -> Call:
        return _three().timeout(10.0).build()(call)

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        # The window is made longer than the count takes, so that nothing is forgotten meanwhile. It is
        # summed up at every call, so it is not made longer than that.
        config = interlock.Config(
            window_type=_WINDOW, window_size=300, minimum_number_of_calls=NEVER
        )
        breaker = interlock.CircuitBreaker(name="benchmark", config=config)
        return breaker(call), lambda: breaker.snapshot().failed_calls


def _three() -> interlock.PipelineBuilder:
    config = interlock.Config(window_type=_WINDOW, window_size=60)
    return (
        interlock.Pipeline.builder()
        .retry(attempts=3, retry=retry_unless_open(ConnectionError))
        .circuit_breaker(interlock.CircuitBreaker(name="benchmark", config=config))
        .bulkhead(100)
    )


CONTENDERS = [Interlock]
