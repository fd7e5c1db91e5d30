"""Seconds that are given, or taken from how long calls took lately: what `Hedge` and `Timeout` wait for."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import seconds
from uat_resilience._core.quantile import Quantile
from uat_resilience.errors import TimedOutError
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.switches import switches

__all__ = ["AdaptiveDelay"]

P = ParamSpec("P")
T = TypeVar("T")


class AdaptiveDelay:
    """A number of seconds, or a live quantile. Thread-safe; recording never blocks.

    Args:
        argument: What it is called where it was given.
        setting: Seconds above 0, or a `Quantile`.
    """

    __slots__ = ("_mailbox", "_tracker", "follows", "setting")

    def __init__(self, argument: str, setting: float | Quantile) -> None:
        self.setting = setting
        self.follows = isinstance(setting, Quantile)
        quantile = setting if isinstance(setting, Quantile) else Quantile(1.0)
        self._tracker = quantile.tracker()
        self._mailbox: Mailbox[float, None] = Mailbox(self._tracker.record, lambda _: None)
        if not isinstance(setting, Quantile):
            self.setting = seconds(argument, setting)

    def seconds(self) -> float | None:
        """Return the seconds now, or None while a quantile has too few samples."""
        if not isinstance(self.setting, Quantile):
            return self.setting
        with self._mailbox.lock:
            value = self._tracker.value()
        self._mailbox.sweep()
        return value

    def record(self, duration: float) -> None:
        """Take note of how long a call took; nothing happens where the seconds are fixed."""
        if self.follows and switches.guarding:
            self._mailbox.post(duration)

    def learning(self, body: Callable[P, T], outcomes: Outcomes) -> Callable[P, T]:
        """Return a sync function that also takes note of how long its calls take, or were allowed to."""

        def learning(*args: P.args, **kwargs: P.kwargs) -> T:
            began = outcomes.now()
            try:
                result = body(*args, **kwargs)
            except TimedOutError as error:
                if error.policy == outcomes.policy:
                    self.record(error.after)
                raise
            self.record(outcomes.now() - began)
            return result

        return learning

    def alearning(
        self, guarded: Callable[P, Awaitable[T]], outcomes: Outcomes
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return the async function, which also takes note of how long its calls take, or were allowed to."""

        async def learning(*args: P.args, **kwargs: P.kwargs) -> T:
            began = outcomes.now()
            try:
                result = await guarded(*args, **kwargs)
            except TimedOutError as error:
                if error.policy == outcomes.policy:
                    self.record(error.after)
                raise
            self.record(outcomes.now() - began)
            return result

        return learning

    def renew(self) -> None:
        """In a forked child: a free lock."""
        self._mailbox.renew()
