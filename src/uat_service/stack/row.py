"""What is shown of one process, in a table or as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from uat_service.stack.state import Status
from uat_service.stack.traffic import Traffic

__all__ = ["Row", "row"]


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of one process. Times are in seconds; what is not known is None."""

    name: str
    service: str
    state: str
    detail: str
    pid: int | None
    port: int | None
    uptime: float | None
    restarts: int
    requests_per_second: float | None
    p95: float | None
    breakers: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return asdict(self)


def row(status: Status, *, port: int | None, traffic: Traffic, now: float) -> Row:
    """Return what is shown of a process.

    Args:
        status: Its state.
        port: Where it listens.
        traffic: What its service is busy with.
        now: The time, on the clock of the states.
    """
    return Row(
        name=status.instance,
        service=status.service,
        state=status.state.value,
        detail=status.detail,
        pid=status.pid,
        port=port,
        uptime=None if status.since is None else round(now - status.since, 3),
        restarts=status.restarts,
        requests_per_second=traffic.rate,
        p95=traffic.p95,
        breakers=dict(traffic.breakers),
    )
