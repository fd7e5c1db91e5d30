"""What this project tests itself with, for the tests of programs that use it."""

from uat_resilience.telemetry import captured
from uat_resilience.testing import virtual_time
from uat_resilience.testing.chaos import Chaos, ChaosSnapshot
from uat_resilience.testing.fake_clock import FakeClock
from uat_resilience.testing.stepping_aside import disabled, instant

__all__ = [
    "Chaos",
    "ChaosSnapshot",
    "FakeClock",
    "captured",
    "disabled",
    "instant",
    "virtual_time",
]
