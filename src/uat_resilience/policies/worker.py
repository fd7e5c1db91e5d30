"""Run a blocking body in a thread of its own, so that its caller can leave at a deadline."""

from collections.abc import Callable
from contextvars import copy_context
from threading import Event, Thread
from typing import Generic, ParamSpec, TypeVar

from uat_resilience.ambient import Deadline, current_deadline
from uat_resilience.errors import TimedOutError
from uat_resilience.policies.permit import Permit
from uat_resilience.switches import switches
from uat_resilience.waiting import refuse_to_block

__all__ = ["in_workers"]

P = ParamSpec("P")
T = TypeVar("T")


class _Outcome(Generic[T]):
    """What the body came to: filled in by the worker, read by the caller once `ended` is set."""

    __slots__ = ("ended", "error", "finished", "result")
    result: T

    def __init__(self) -> None:
        self.ended = Event()
        self.finished = False
        self.error: BaseException | None = None


def in_workers(fn: Callable[P, T], permit: Callable[[], Permit]) -> Callable[P, T]:
    """Return a function that runs `fn` in a daemon thread, and waits for it until the ambient deadline.

    Context variables are carried into the thread. Each run takes a permit, which is given back by the thread, when
    the body has really ended; a caller that has left (at the deadline, or by Ctrl-C) does not shorten that.
    """

    def in_worker(*args: P.args, **kwargs: P.kwargs) -> T:
        budget = current_deadline.get()
        if budget is None or not switches.guarding:
            return fn(*args, **kwargs)
        return _run(permit(), budget, fn, *args, **kwargs)

    return in_worker


def _run(
    permit: Permit, budget: Deadline, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a body in a daemon thread.

    Raises:
        TimedOutError: The body had not ended at the deadline.
        BulkheadFullError: All worker threads are taken.
        RuntimeError: This thread runs an event loop, which waiting would stop.
    """
    refuse_to_block(budget.policy, "guard an async function, or use acall()")
    outcome: _Outcome[T] = _Outcome()
    context = copy_context()

    def work() -> None:
        try:
            outcome.result = context.run(fn, *args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            outcome.error = error
        finally:
            _give_back(permit, outcome.error)
            outcome.finished = True
            outcome.ended.set()

    permit.__enter__()
    try:
        Thread(target=work, name=f"uat-{budget.policy}", daemon=True).start()
    except BaseException as error:
        _give_back(permit, error)  # No thread can be started: no body was run.
        raise
    budget.clock.wait(outcome.ended, budget.until)
    if not outcome.finished:
        raise TimedOutError(budget.policy, after=budget.after)
    failure, outcome.error = outcome.error, None
    if failure is None:
        return outcome.result
    try:
        raise failure
    finally:
        del failure  # Or this frame and the error's traceback would keep each other alive.


def _give_back(permit: Permit, error: BaseException | None) -> None:
    # Not in the body of `work`: a name for the error there would keep its frame alive.
    permit.__exit__(None if error is None else type(error), error, None)
