"""A retry waits longer each time, and not as long as everyone else does."""

from uat_resilience import Exponential, Jitter, Retry
from uat_resilience.testing import FakeClock


class BusyError(ConnectionError):
    """The server is busy. A retry reads `retry_after` and never comes back earlier."""

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("busy")
        self.retry_after = retry_after


def busy() -> None:
    """Fail, always."""
    raise BusyError


def busy_for_five_seconds() -> None:
    """Fail, always, and say when to come back."""
    raise BusyError(retry_after=5.0)


def pauses(jitter: Jitter, *, seed: int) -> str:
    """Return the pauses that a retry takes before it gives up."""
    retry = Retry(ConnectionError, attempts=6, backoff=Exponential(0.1, maximum=1.0), jitter=jitter)
    with FakeClock(auto=True, seed=seed) as clock:
        try:
            retry.call(busy)
        except ConnectionError:
            return "  ".join(f"{pause:.2f}" for pause in clock.sleeps)
    raise AssertionError("the last error of a retry comes out")


def main() -> None:
    """Show the pauses of several clients that failed at the same moment."""
    print("no jitter: every client comes back at the same moment, again and again")
    for client in (1, 2, 3):
        print(f"  client {client}:  {pauses(Jitter.NONE, seed=client)}")
    print("full jitter, the default: anywhere between zero and that pause")
    for client in (1, 2, 3):
        print(f"  client {client}:  {pauses(Jitter.FULL, seed=client)}")

    with FakeClock(auto=True) as clock:
        try:
            Retry(ConnectionError, attempts=3).call(busy_for_five_seconds)
        except BusyError as last:
            print(f"what the server asks for is never undercut: {min(clock.sleeps) >= 5.0}")
            print(f"the last error comes out itself: {last!r}, {last.__notes__}")


if __name__ == "__main__":
    main()
