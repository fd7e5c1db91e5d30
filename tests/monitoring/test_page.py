"""The page about monitoring tells of every metric and every alert that there is."""

import re

from tests.monitoring.exported import exported_labels
from tests.monitoring.promtool import MONITORING

PAGE = (MONITORING.parents[1] / "docs" / "how-to" / "monitoring.md").read_text(encoding="utf-8")
RULES = (MONITORING / "prometheus" / "resilience.rules.yml").read_text(encoding="utf-8")


def test_page_tells_of_every_metric_and_of_no_other() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `uat_")]
    told = {name for row in rows for name in re.findall(r"`(uat_\w+)`", row.split("|")[1])}

    exported = {re.sub("_(bucket|sum|count)$", "", name) for name in exported_labels()}

    assert told == exported


def test_page_tells_of_every_alert_and_how_grave_it_is() -> None:
    told = re.findall(r"^\| `(Resilience\w+)` \|.*\| (\w+) \|$", PAGE, re.MULTILINE)

    rules = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", RULES, re.DOTALL)

    assert sorted(told) == sorted(rules)
