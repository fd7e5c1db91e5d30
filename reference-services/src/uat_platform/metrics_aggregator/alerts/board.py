"""Which alerts there are: pure, values and times come in as arguments.

query yields it                 pending
... for as long as the rule says  firing
query does not yield it         gone; one that has fired is told of as resolved
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from uat_platform.metrics_aggregator.alerts.rule import Rule
from uat_platform.metrics_aggregator.promql.values import Vector, number
from uat_platform.metrics_aggregator.series.labels import Labels, labelled, nameless

__all__ = ["Alert", "Board"]

_FIELD = re.compile(r"\{\{\s*\$(?:labels\.(\w+)|(value)(?:\s*\|\s*(humanizePercentage))?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should look at.

    Attributes:
        labels: Of the element, of the rule, and `alertname`.
        annotations: For people.
        value: Of the element.
        since: When it was seen first, in seconds since 1970.
        state: What has become of it.
        ended: When it was over, or None.
    """

    labels: Labels
    annotations: dict[str, str]
    value: float
    since: float
    state: Literal["pending", "firing", "resolved"] = "pending"
    ended: float | None = None


class Board:
    """Keep the alerts of some rules."""

    def __init__(self) -> None:
        self._alerts: dict[str, dict[Labels, Alert]] = {}

    @property
    def alerts(self) -> list[Alert]:
        """All that are pending or firing."""
        return [alert for of_rule in self._alerts.values() for alert in of_rule.values()]

    def of(self, rule: Rule) -> list[Alert]:
        """Return those of one rule."""
        return [*self._alerts.get(rule.name, {}).values()]

    def judge(self, rule: Rule, vector: Vector, now: float) -> list[Alert]:
        """Take down what a rule's query is worth; return the alerts that began to fire, or are over.

        Args:
            rule: The rule.
            vector: The value of its query.
            now: In seconds since 1970.
        """
        before = self._alerts.get(rule.name, {})
        after: dict[Labels, Alert] = {}
        told: list[Alert] = []
        for labels, value in vector:
            shown = {**dict(nameless(labels)), **rule.labels, "alertname": rule.name}
            key = labelled(shown)
            known = before.get(key)
            alert = Alert(
                key,
                _filled(rule.annotations, shown, value),
                value,
                now if known is None else known.since,
                "pending" if known is None else known.state,
            )
            if alert.state == "pending" and now - alert.since >= rule.hold:
                alert = replace(alert, state="firing")
                told.append(alert)
            after[key] = alert
        told += [
            replace(alert, state="resolved", ended=now)
            for key, alert in before.items()
            if key not in after and alert.state == "firing"
        ]
        self._alerts[rule.name] = after
        return told


def _filled(texts: Mapping[str, str], labels: Mapping[str, str], value: float) -> dict[str, str]:
    def meant(match: re.Match[str]) -> str:
        if match[3]:
            return f"{value * 100:.4g}%"
        return number(value) if match[2] else labels.get(match[1], "")

    return {name: _FIELD.sub(meant, text) for name, text in texts.items()}
