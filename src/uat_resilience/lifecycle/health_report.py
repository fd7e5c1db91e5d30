"""What the checks of a health registry have come to, and what all of them come to together."""

from dataclasses import dataclass

from uat_resilience._core.hysteresis import Probe, Status, counted, overall

__all__ = ["CheckReport", "HealthReport", "reported"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One check in a report.

    Attributes:
        status: What its latest results have come to; None when it never ran.
        kind: What it is asked for.
        critical: Whether it alone can make the whole unhealthy.
        checked: Seconds ago that it last ran, or None.
        elapsed: Seconds that took, or None.
        error: Type of the error it last raised, or None. Never its message, which may hold secrets.
    """

    status: Status | None
    kind: Probe
    critical: bool
    checked: float | None
    elapsed: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What the checks have come to.

    Attributes:
        status: The worst of them, where one that is not critical counts as degraded at worst.
        checks: Each of them, by name.
    """

    status: Status
    checks: dict[str, CheckReport]


def reported(checks: dict[str, CheckReport]) -> HealthReport:
    """Return the report on these checks."""
    counts = (
        counted(each.status, kind=each.kind, critical=each.critical) for each in checks.values()
    )
    return HealthReport(overall(counts), checks)
