"""One instance as it is registered."""

from dataclasses import dataclass

from uat_service.resolver import Instance

__all__ = ["Registration"]


@dataclass(frozen=True, slots=True)
class Registration:
    """What an instance says of itself.

    Attributes:
        service: Its name.
        instance: Where it is.
        lease: Seconds it is known for without being heard of, or None for ever: it is in the settings.
        health: Path that answers 200 while it is fit.
        metrics: Path of its metrics, or empty for none.
        stale: It is known from before the last start, and has not been heard of since.
    """

    service: str
    instance: Instance
    lease: float | None
    health: str = "/health/ready"
    metrics: str = "/metrics"
    stale: bool = False
