"""A breaker stops calling a dependency that keeps failing, and tries it again later."""

from uat_resilience import CircuitBreaker, CircuitOpenError, ConsecutiveFailures
from uat_resilience.testing import FakeClock

breaker = CircuitBreaker("orders-db", trip=ConsecutiveFailures(3), recovery_time=30.0)


class Database:
    """Stands for something on the network. It counts how often it is really asked."""

    healthy = True
    asked = 0

    @breaker
    def fetch(self, order: int) -> str:
        """Return an order."""
        self.asked += 1
        if not self.healthy:
            raise ConnectionError("no route to the database")
        return f"order {order}"


def show(database: Database, order: int) -> None:
    """Fetch an order and print what became of it."""
    try:
        end = database.fetch(order)
    except CircuitOpenError as refused:
        end = f"refused, try again in {refused.retry_after:g} s"
    except ConnectionError as failed:
        end = f"failed: {failed}"
    print(f"{order}: {end:<38} {breaker.state.name:<9} asked {database.asked} times")


def main() -> None:
    """Take the database through an outage. The clock is a fake one, so nobody waits."""
    with FakeClock() as clock:
        database = Database()
        show(database, 1)
        database.healthy = False
        for order in (2, 3, 4):
            show(database, order)
        show(database, 5)  # refused at once: the database is left alone
        clock.advance(30.0)
        show(database, 6)  # one probe is let through; it fails, so the wait begins again
        show(database, 7)
        clock.advance(30.0)
        database.healthy = True
        show(database, 8)  # the next probe succeeds and closes the breaker
        show(database, 9)


if __name__ == "__main__":
    main()
