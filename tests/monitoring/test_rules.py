"""The alert rules: Prometheus takes them, they do what they say, and they ask for what there is."""

import re

from tests.monitoring.exported import exported_labels, exported_text
from tests.monitoring.promtool import MONITORING, promtool
from tests.monitoring.queries import selectors

RULES = MONITORING / "prometheus" / "resilience.rules.yml"
UNIT_TESTS = MONITORING / "prometheus" / "resilience_test.yml"


def test_scrape_is_as_prometheus_wants_it() -> None:
    code, said = promtool("check", "metrics", given=exported_text())

    assert (code, said) == (0, "")


def test_rules_are_accepted() -> None:
    code, said = promtool("check", "rules", "--lint-fatal", RULES)

    assert code == 0, said


def test_rules_do_what_their_unit_tests_say() -> None:
    code, said = promtool("test", "rules", UNIT_TESTS)

    assert code == 0, said


def test_each_alert_is_seen_to_fire() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    seen = re.findall(r"alertname: (\w+)\n +exp_alerts:", UNIT_TESTS.read_text(encoding="utf-8"))

    assert alerts
    assert sorted(alerts) == sorted(set(seen))


def test_rules_ask_for_what_is_exported() -> None:
    exported = exported_labels()

    asked = selectors(RULES.read_text(encoding="utf-8").replace("uat_resilience", ""))

    assert asked
    assert [name for name, labels in asked if not labels <= exported.get(name, set())] == []
    assert {name for name, _ in asked} <= exported.keys()


def test_series_of_the_unit_tests_are_ones_that_are_exported() -> None:
    exported = exported_labels()

    series = re.findall(r"series: (uat_\w+)\{(.*)\}", UNIT_TESTS.read_text(encoding="utf-8"))

    labels = [
        (name, set(re.findall(r"(\w+)=", given)) - {"job", "instance"}) for name, given in series
    ]
    assert labels
    assert [name for name, given in labels if given != exported.get(name)] == []
