"""Policies that step aside: `disabled` lets every call through, `instant` makes pauses take no time."""

from contextlib import AbstractContextManager

from uat_resilience.switches import switches

__all__ = ["disabled", "instant"]


def disabled() -> AbstractContextManager[None]:
    """Let every call through unguarded inside the block; put back what was there before.

    Nothing is refused, retried, cut or counted. Process-wide, so it covers threads too.
    """
    return switches.guarding_off()


def instant() -> AbstractContextManager[None]:
    """Make the pauses of retries take no time inside the block; put back what was there before.

    Everything else is as always: attempts are made, breakers open, deadlines are kept. Process-wide.
    """
    return switches.pausing_off()
