"""The loop of a retry: call, and call again for as long as the run says so.

A run is what knows of attempts. A call that succeeds at once goes without one: it is begun when something has
failed, unless the rules or a listener have to know of the first attempt.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.retry_rules import RetryRules
from uat_resilience.policies.retry_run import RetryRun
from uat_resilience.telemetry.bus import EventBus

__all__ = ["arepeated", "repeated"]

P = ParamSpec("P")
T = TypeVar("T")

Begin = Callable[[float | None], RetryRun]
"""Begins a run for a call that began then, or nobody knows when."""


def repeated(
    fn: Callable[P, T], begin: Begin, rules: RetryRules, outcomes: Outcomes, bus: EventBus
) -> Callable[P, T]:
    """Return a sync function that calls `fn` until its run ends."""
    on_result, eager = rules.on_result, rules.eager

    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        started = outcomes.now() if bus.outcomes_wanted else None
        run = (
            _ahead(begin, rules, started, bus)
            if eager or (started is not None and bus.attempts_wanted)
            else None
        )
        while True:
            try:
                result = fn(*args, **kwargs)
                if type(result) is COROUTINE:
                    raise refuse_coroutine(result)
            except Exception as error:
                run = run or begin(started)
                pause = run.after_error(error)
                if pause is None or not run.pause(pause, error):
                    raise
                run.attempting()
                continue
            except BaseException as error:
                _interrupted(outcomes, started, run, error)
                raise
            if (run is None and on_result is None) or not _condemned(
                rules, result, outcomes, started, run
            ):
                if started is not None:
                    outcomes.succeeded(started)
                return result
            run = run or begin(started)
            pause = run.after_condemned(result)
            if pause is None or not run.pause(pause, None, discarded=result):
                return result
            run.attempting()

    return guarded


def arepeated(
    fn: Callable[P, Awaitable[T]],
    begin: Begin,
    rules: RetryRules,
    outcomes: Outcomes,
    bus: EventBus,
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return an async function that calls `fn` until its run ends."""
    on_result, eager = rules.on_result, rules.eager

    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        started = outcomes.now() if bus.outcomes_wanted else None
        run = (
            _ahead(begin, rules, started, bus)
            if eager or (started is not None and bus.attempts_wanted)
            else None
        )
        while True:
            try:
                result = await fn(*args, **kwargs)
            except Exception as error:
                run = run or begin(started)
                pause = run.after_error(error)
                if pause is None or not await run.apause(pause, error):
                    raise
                run.attempting()
                continue
            except BaseException as error:
                _interrupted(outcomes, started, run, error)
                raise
            if (run is None and on_result is None) or not _condemned(
                rules, result, outcomes, started, run
            ):
                if started is not None:
                    outcomes.succeeded(started)
                return result
            run = run or begin(started)
            pause = run.after_condemned(result)
            if pause is None or not await run.apause(pause, None, discarded=result):
                return result
            run.attempting()

    return guarded


def _ahead(
    begin: Begin, rules: RetryRules, started: float | None, bus: EventBus
) -> RetryRun | None:
    """Count a call before its first attempt, and begin its run where that must know of it."""
    rules.count_call()
    traced = started is not None and bus.attempts_wanted
    if not traced and rules.plan.time_limit is None:
        return None
    run = begin(started)
    run.attempting()
    return run


def _condemned(
    rules: RetryRules,
    result: object,
    outcomes: Outcomes,
    started: float | None,
    run: RetryRun | None,
) -> bool:
    """Ask `on_result` about a result. When that raises, nobody has judged the call."""
    if run is not None:
        run.attempted()
    try:
        return rules.condemns(result)
    except BaseException as error:
        _interrupted(outcomes, started, run, error)
        raise


def _interrupted(
    outcomes: Outcomes, started: float | None, run: RetryRun | None, error: BaseException
) -> None:
    if run is not None:
        run.attempted(error)
    if started is not None:
        outcomes.abandoned(started)
