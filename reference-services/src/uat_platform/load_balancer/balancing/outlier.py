"""Passive ejection: a host that fails again and again gets nothing for a while.

    in ── failures in a row ──▶ out ── time is over ──▶ due ── a request ──▶ probing ── success ──▶ in
                                 ▲                                              └───── failure ──┐
                                 └──────────────── for twice as long ────────────────────────────┘

One request at a time tries a host that is due. One that must not be repeated is only put at that risk when no
other has come for as long as the ejection lasted.
"""

from uat_platform.load_balancer.balancing.rules import Rules

__all__ = ["Outlier"]

_FORGIVEN = 60.0


class Outlier:
    """Whether one host is ejected.

    Args:
        rules: How many failures it takes, and for how long.

    Attributes:
        out: True from the ejection until a probe has succeeded.
        probing: True while a request tries it.
        in_a_row: Failures since the last success.
        ejections: Without a long good time between them.
    """

    __slots__ = ("_back", "_lasts", "_rules", "_until", "ejections", "in_a_row", "out", "probing")

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._until = self._lasts = self._back = 0.0
        self.out = self.probing = False
        self.in_a_row = self.ejections = 0

    def left(self, now: float) -> float:
        """Return the seconds until it is due, 0 when it is."""
        return max(0.0, self._until - now) if self.out else 0.0

    def due(self, now: float, *, repeatable: bool) -> bool:
        """Return whether a request should try it.

        Args:
            now: The time.
            repeatable: The request can be sent again elsewhere when this fails.
        """
        wait = self._until if repeatable else self._until + self._lasts
        return self.out and not self.probing and now >= wait

    def succeeded(self, now: float) -> bool:
        """Take note of a success; True when the host is back by that."""
        self.in_a_row = 0
        back = self.out and self.probing
        if back:
            self.out = self.probing = False
            self._back = now
        elif not self.out and self.ejections and now - self._back >= _FORGIVEN:
            self.ejections = 0
        return back

    def failed(self, now: float, *, allowed: bool) -> bool:
        """Take note of a failure; True when the host is ejected by that.

        Args:
            now: The time.
            allowed: One more host may be ejected.
        """
        self.in_a_row += 1
        if self.out:
            if not self.probing:
                return False  # A request from before: of that it has been punished already.
        elif self.in_a_row < self._rules.failures_in_a_row or not allowed:
            return False
        self.eject(now)
        return True

    def eject(self, now: float) -> None:
        """Leave it out for a while."""
        rules = self._rules
        self._lasts = min(rules.longest_ejection, rules.ejection * 2.0 ** min(self.ejections, 20))
        self._until = now + self._lasts
        self.ejections += 1
        self.out, self.probing, self.in_a_row = True, False, 0
