"""Rules: a query that yields nothing as long as all is well."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.promql.parser import parsed
from uat_service.duration import parsed as seconds

__all__ = ["Rule", "read"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A query; each element of its value is an alert.

    Attributes:
        name: Of the alerts.
        query: In PromQL.
        hold: Seconds that an alert waits before it fires.
        labels: That alerts get.
        annotations: For people; `{{ $labels.job }}`, `{{ $value }}` and
            `{{ $value | humanizePercentage }}` are filled in.
    """

    name: str
    query: str
    hold: float = 0.0
    labels: dict[str, str] = field(default_factory=dict[str, str])
    annotations: dict[str, str] = field(default_factory=dict[str, str])


def read(text: str) -> list[Rule]:
    """Return the rules of a TOML file: tables `[[rule]]` with `name`, `query`, `for`, `labels`, `annotations`.

    Raises:
        ValueError: It is none; the message says which rule is wrong.
    """
    tables: object = tomllib.loads(text).get("rule", [])
    if not isinstance(tables, list):
        raise TypeError("rules must be tables [[rule]]")
    return [_rule(table) for table in cast("list[dict[str, Any]]", tables)]


def _rule(table: Mapping[str, Any]) -> Rule:
    name = str(table.get("name", ""))
    unknown = set(table) - {"name", "query", "for", "labels", "annotations"}
    if not name or unknown:
        raise ValueError(f"rule {name!r} must have a name, and nothing called {sorted(unknown)}")
    query = str(table.get("query", ""))
    try:
        parsed(query)
    except QueryError as error:
        raise ValueError(f"rule {name!r}: {error}") from error
    return Rule(
        name,
        query,
        seconds(table.get("for", 0)),
        {str(key): str(value) for key, value in table.get("labels", {}).items()},
        {str(key): str(value) for key, value in table.get("annotations", {}).items()},
    )
