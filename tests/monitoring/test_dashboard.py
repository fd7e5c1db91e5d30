"""The dashboard: every query in it is one that Prometheus understands, and asks for what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.monitoring.exported import exported_labels
from tests.monitoring.promtool import MONITORING, promtool
from tests.monitoring.queries import asked_labels, selectors

DASHBOARD = json.loads((MONITORING / "grafana" / "resilience.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
GIVEN_BY_GRAFANA = {"__rate_interval", "__interval"}


def queries() -> Iterator[str]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["expr"]


def with_values(query: str) -> str:
    """Put in what Grafana would."""
    return re.sub(r"\$(\w+)", lambda match: "5m" if match[1].startswith("__") else ".*", query)


def test_every_query_is_understood(tmp_path: Path) -> None:
    rules = [
        {"record": f"dashboard:query:{number}", "expr": with_values(query)}
        for number, query in enumerate(queries())
    ]
    file = tmp_path / "queries.json"  # JSON is YAML as well.
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    code, said = promtool("check", "rules", file)

    assert code == 0, said
    assert f"{len(rules)} rules found" in said


def test_every_query_asks_for_metrics_and_labels_that_are_exported() -> None:
    exported = exported_labels()

    asked = {query: selectors(query) for query in queries()}

    for query, found in asked.items():
        assert found, query
        for name, labels in found:
            assert labels <= exported.get(name, set()), f"{name} {labels}"
            # What is grouped by must be there, or all series fall into one.
            assert asked_labels(query) <= exported[name], query


def test_everything_that_is_exported_is_shown() -> None:
    shown = {name for query in queries() for name, _ in selectors(query)}

    assert exported_labels().keys() - shown == set()


def test_every_variable_that_is_used_is_defined() -> None:
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))

    assert used - GIVEN_BY_GRAFANA - {"__all"} == VARIABLES


def test_variables_offer_labels_of_metrics_that_are_exported() -> None:
    offered = [
        variable["definition"]
        for variable in DASHBOARD["templating"]["list"]
        if variable["type"] == "query"
    ]

    assert offered
    assert {name for each in offered for name, _ in selectors(each)} == {"uat_calls_total"}


def test_legends_name_labels_that_the_query_leaves() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            left = {
                label.strip()
                for names in re.findall(r"by \(([^)]*)\)", target["expr"])
                for label in names.split(",")
            }
            assert named <= left, panel["title"]


def test_panels_have_ids_and_places_of_their_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    squares = [square for panel in DASHBOARD["panels"] for square in covered(panel["gridPos"])]

    assert len(set(ids)) == len(ids)
    assert len(set(squares)) == len(squares)
    assert all(x < 24 for x, _ in squares)


def covered(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def test_data_source_is_the_readers_choice() -> None:
    sources = list(of_key(DASHBOARD, "datasource"))

    assert sources
    assert {source["uid"] for source in sources} == {"${datasource}"}


def of_key(node: Any, key: str) -> Iterator[Any]:
    """Return what is found under a key anywhere in a document."""
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from of_key(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from of_key(value, key)
