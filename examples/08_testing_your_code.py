"""The testing kit: hours pass at once, retries do not wait, or the guards step aside."""

import asyncio
import time

from uat_resilience import CircuitBreaker, CircuitOpenError, Constant, Jitter, Retry
from uat_resilience.testing import FakeClock, captured, disabled, instant, virtual_time

retry = Retry(ConnectionError, attempts=3, backoff=Constant(600.0), jitter=Jitter.NONE)
breaker = CircuitBreaker("prices", recovery_time=3600.0)


@breaker
@retry
def fetch_price() -> float:
    """Fail, always, ten minutes apart."""
    raise ConnectionError("no prices today")


def show(tool: str) -> None:
    """Fetch a price and print how that ended."""
    try:
        fetch_price()
    except (ConnectionError, CircuitOpenError) as error:
        print(f"{tool}: {type(error).__name__}, breaker {breaker.state.name}")


async def poll_for_an_hour() -> str:
    """Wait for real, as far as this code can tell."""
    await asyncio.sleep(3600.0)
    return "polled for an hour"


def main() -> None:
    """Use each tool once, and check that nobody waited."""
    began = time.perf_counter()
    with FakeClock(auto=True) as clock:  # a pause moves the clock; advance() does so by hand
        show("FakeClock")
        print(f"  pauses {clock.sleeps}, now {clock.now():g} s")
    print("virtual_time:", virtual_time.run(poll_for_an_hour))
    with instant(), captured() as events:  # every attempt is made, without the pauses
        show("instant")
    print(f"  told {[type(event).__name__ for event in events]}")
    breaker.force_open()
    show("force_open")
    with disabled():  # no policy does anything
        show("disabled")
    print("took less than a second of real time:", time.perf_counter() - began < 1.0)


if __name__ == "__main__":
    main()
