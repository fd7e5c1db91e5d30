"""Seconds that are given, or taken from how long calls took lately: what `Hedge` and `Timeout` wait for."""

from uat_resilience._core.arguments import seconds
from uat_resilience._core.quantile import Quantile
from uat_resilience.policies.mailbox import Mailbox

__all__ = ["AdaptiveDelay"]


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
        if self.follows:
            self._mailbox.post(duration)

    def renew(self) -> None:
        """In a forked child: a free lock."""
        self._mailbox.renew()
