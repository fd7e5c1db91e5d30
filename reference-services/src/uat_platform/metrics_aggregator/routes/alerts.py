"""`/api/v1/alerts` and `/api/v1/rules`, as Prometheus has them."""

from typing import Any, Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency

from uat_platform.metrics_aggregator.alerts.board import Alert
from uat_platform.metrics_aggregator.alerts.rule import Rule
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.promql.values import number
from uat_platform.metrics_aggregator.routes.answers import AS_PROMETHEUS, answers
from uat_platform.metrics_aggregator.routes.state import written

__all__ = ["routes"]

_ROUTE: dict[str, Any] = {"exception_handlers": AS_PROMETHEUS, "responses": answers()}
_RANKS = ("firing", "pending", "inactive")


class ShownAlert(msgspec.Struct, rename="camel"):
    """An alert."""

    labels: dict[str, str]
    annotations: dict[str, str]
    state: str
    active_at: str
    value: str


class AlertsData(msgspec.Struct):
    """All alerts."""

    alerts: list[ShownAlert]


class Alerts(msgspec.Struct):
    """All alerts that are pending or firing."""

    data: AlertsData
    status: Literal["success"] = "success"


class ShownRule(msgspec.Struct, rename="camel"):
    """A rule, with its alerts."""

    name: str
    query: str
    duration: float
    labels: dict[str, str]
    annotations: dict[str, str]
    alerts: list[ShownAlert]
    state: str
    health: Literal["ok", "err", "unknown"]
    last_error: str
    last_evaluation: str
    evaluation_time: float = 0.0
    type: Literal["alerting"] = "alerting"


class Group(msgspec.Struct, rename="camel"):
    """Rules that are looked at together."""

    name: str
    file: str
    interval: float
    rules: list[ShownRule]
    limit: int = 0


class Groups(msgspec.Struct):
    """All rules."""

    groups: list[Group]


class Rules(msgspec.Struct):
    """All rules."""

    data: Groups
    status: Literal["success"] = "success"


@get("/api/v1/alerts", **_ROUTE)
async def alerts(parts: NamedDependency[Parts]) -> Alerts:
    """Return the alerts that are pending or firing."""
    return Alerts(AlertsData([_alert(each) for each in parts.watch.board.alerts]))


@get("/api/v1/rules", **_ROUTE)
async def rules(parts: NamedDependency[Parts]) -> Rules:
    """Return the rules, with their alerts."""
    group = Group(
        "platform",
        parts.settings.alert_rules or "built-in",
        parts.settings.alert_interval,
        [_rule(parts, each) for each in parts.watch.rules],
    )
    return Rules(Groups([group]))


def _alert(alert: Alert) -> ShownAlert:
    return ShownAlert(
        dict(alert.labels),
        alert.annotations,
        alert.state,
        written(alert.since),
        number(alert.value),
    )


def _rule(parts: Parts, rule: Rule) -> ShownRule:
    found = parts.watch.board.of(rule)
    checked = parts.watch.checked[rule.name]
    health: Literal["ok", "err", "unknown"] = "unknown"
    if checked.at:
        health = "err" if checked.error else "ok"
    return ShownRule(
        name=rule.name,
        query=rule.query,
        duration=rule.hold,
        labels=rule.labels,
        annotations=rule.annotations,
        alerts=[_alert(each) for each in found],
        state=min((each.state for each in found), key=_RANKS.index, default="inactive"),
        health=health,
        last_error=checked.error,
        last_evaluation=written(checked.at),
    )


routes = [alerts, rules]
