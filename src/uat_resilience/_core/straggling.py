"""Times that come in a little out of order.

A caller reads the clock before it queues for a machine's lock, so of two callers the one with the
older reading may be served last. That is no news about the past: it belongs to the era, the lease or the
bucket it finds. A reading that is older by more than `STRAGGLING` comes from another clock, one with
an earlier epoch (a test's fake clock, say), and nothing that was measured on the old one holds on it.
"""

__all__ = ["STRAGGLING"]

STRAGGLING = 1.0
"""Seconds. Far longer than a thread waits for a short lock, far shorter than clocks are apart."""
