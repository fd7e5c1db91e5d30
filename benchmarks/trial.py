"""Try a contender before it is timed: a figure for a call that does something else is worth nothing."""

from collections.abc import Callable
from functools import wraps

from benchmarks.bodies import BODIES
from benchmarks.contenders import Call, Contender, NotOffered, World
from benchmarks.drivers import Driver, Stuck
from benchmarks.rows import Ending, Row

__all__ = ["Unfit", "check", "prepare"]

MOST_FAILURES = 200
"""More than any of them needs to open: the largest window here counts 100 calls."""


class Unfit(Exception):  # noqa: N818 - a finding, not an accident
    """The contender does not do what the row says; the message says what it does."""


def prepare(row: Row, contender: Contender, driver: Driver) -> Call:
    """Guard the body of a row, bring the guard to where the row wants it, and see how its calls end.

    Raises:
        NotOffered: The contender has no such pattern.
        Unfit: It has, but it does something else.
    """
    bring = {Ending.OPEN: _refusing, Ending.SPENT: _refusing, Ending.FULL: _full}.get(
        row.ending, _plain
    )
    try:
        return bring(row, contender, driver)
    except (NotOffered, Unfit):
        raise
    except Stuck as error:
        raise Unfit("does not end") from error
    except Exception as error:  # Strangers' code: a fault in one of them must not end the run.
        raise Unfit(f"raised {error!r}") from error


def check(row: Row, driver: Driver, call: Call) -> None:
    """Make one call.

    Raises:
        Unfit: It did not end as the row says.
    """
    try:
        result = driver.once(call)
    except Stuck as error:
        raise Unfit("waits instead of refusing" if row.refuses else "does not end") from error
    except Exception as error:  # noqa: BLE001 - judged here, whatever it is
        _check_raised(row, error)
    else:
        if row.ending is not Ending.RETURNS:
            raise Unfit(f"returned {result!r} instead of raising")
        if result != 1:
            raise Unfit(f"returned {result!r} instead of what the body returned")


def _check_raised(row: Row, error: Exception) -> None:
    if row.ending is Ending.RETURNS:
        raise Unfit(f"raised {error!r}") from error
    # All failing bodies raise ConnectionError, and no refusal does.
    if row.refuses and isinstance(error, ConnectionError):
        raise Unfit("ran the body instead of refusing") from error
    if row.ending is Ending.RAISES and not isinstance(error, ConnectionError):
        raise Unfit(f"raised {error!r} instead of what the body raised") from error


def _plain(row: Row, contender: Contender, driver: Driver) -> Call:
    body = BODIES[driver.world][row.body]
    counting, runs = _counted(body, driver.world)
    check(row, driver, driver.build(lambda: row.build(contender, counting)))
    if runs() != row.runs:
        raise Unfit(f"ran the body {runs()} times instead of {row.runs}")
    # What is timed runs the plain body, without the count.
    call = driver.build(lambda: row.build(contender, body))
    check(row, driver, call)
    return call


def _refusing(row: Row, contender: Contender, driver: Driver) -> Call:
    counting, runs = _counted(BODIES[driver.world][row.body], driver.world)
    call = driver.build(lambda: row.build(contender, counting))
    for made in range(MOST_FAILURES):
        if runs() < made:
            check(row, driver, call)
            return call
        try:
            driver.once(call)
        except Stuck:
            raise
        except Exception:  # noqa: BLE001, S110 - the failures that open it, and its own first refusal
            pass
    raise Unfit(f"refuses nothing after {MOST_FAILURES} calls")


def _full(row: Row, contender: Contender, driver: Driver) -> Call:
    call = driver.occupy(lambda body: row.build(contender, body))
    check(row, driver, call)
    return call


def _counted(body: Call, world: World) -> tuple[Call, Callable[[], int]]:
    runs = 0

    @wraps(body)
    def counting(order: int) -> object:
        nonlocal runs
        runs += 1
        return body(order)

    @wraps(body)
    async def acounting(order: int) -> object:
        nonlocal runs
        runs += 1
        return await body(order)

    return (acounting if world is World.ASYNC else counting), lambda: runs
