"""The life of a service: is it well, and how does it end."""

from uat_resilience._core.drain import Account, Phase
from uat_resilience._core.hysteresis import Probe, Status
from uat_resilience.lifecycle.health import CheckReport, HealthRegistry, HealthReport
from uat_resilience.lifecycle.shutdown import GracefulShutdown, ShutdownSnapshot

__all__ = [
    "Account",
    "CheckReport",
    "GracefulShutdown",
    "HealthRegistry",
    "HealthReport",
    "Phase",
    "Probe",
    "ShutdownSnapshot",
    "Status",
]
