"""When alerts fire, when they are over, and who is told."""

import json
import math
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from metrics_aggregator.metrics_support.served import client, parts, target

from uat_platform.metrics_aggregator.alerts.board import Board
from uat_platform.metrics_aggregator.alerts.rule import Rule, read
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.scraping.target import from_address
from uat_platform.metrics_aggregator.settings import MetricsSettings
from uat_service.settings import ConfigurationError

RULE = Rule(
    "Down",
    "up == 0",
    hold=10.0,
    labels={"severity": "critical"},
    annotations={
        "summary": "{{ $labels.job }} is {{ $value }}, or {{ $value | humanizePercentage }}"
    },
)
SHOP = ((("__name__", "up"), ("job", "shop")), 0.25)


def test_alert_waits_fires_once_and_is_told_of_once_more_when_it_is_over() -> None:
    board = Board()

    told = [board.judge(RULE, [SHOP], at) for at in (0.0, 9.0, 10.0, 11.0)]
    over = board.judge(RULE, [], 12.0)

    assert [[each.state for each in some] for some in told] == [[], [], ["firing"], []]
    assert [(each.state, each.since, each.ended) for each in over] == [("resolved", 0.0, 12.0)]
    assert board.alerts == []
    assert dict(told[2][0].labels) == {"alertname": "Down", "job": "shop", "severity": "critical"}
    assert told[2][0].annotations == {"summary": "shop is 0.25, or 25%"}


def test_alert_that_goes_before_it_fires_is_told_to_nobody() -> None:
    board = Board()

    told = [
        board.judge(RULE, vector, at) for at, vector in ((0.0, [SHOP]), (5.0, []), (10.0, [SHOP]))
    ]

    assert told == [[], [], []]
    assert [each.since for each in board.alerts] == [10.0]


def test_rules_are_read_from_toml() -> None:
    (rule,) = read(
        '[[rule]]\nname = "A"\nquery = "up == 0"\nfor = "1m"\nlabels = {severity = "low"}'
    )

    assert (rule.name, rule.hold, rule.labels) == ("A", 60.0, {"severity": "low"})


@pytest.mark.parametrize(
    "text",
    [
        '[[rule]]\nquery = "up"',
        '[[rule]]\nname = "A"\nquery = "up ="',
        '[[rule]]\nname = "A"\nquery = "up"\nso = 1',
    ],
)
def test_rules_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rule"):
        read(text)


def test_service_does_not_start_with_a_file_of_rules_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ALERT_RULES"):
        Parts(MetricsSettings(alert_rules=str(tmp_path / "none.toml")))


async def test_webhook_is_told_that_a_service_is_down_and_that_it_is_back(tmp_path: Path) -> None:
    told: SimpleQueue[Any] = SimpleQueue()
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "Down"\nquery = "up == 0"')
    failures = [500]

    def hook(handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        status = failures.pop() if failures else 200
        if status == 200:
            told.put(json.loads(body))
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    pages: dict[str, Any] = {"/hook": hook}
    with target(pages) as address:
        made = parts(
            tmp_path,
            alert_rules=str(rules),
            alert_webhooks=f"http://{address}/hook",
            alert_interval=3_600.0,
        )
        async with client(made) as asking:
            scrape = made.roster.made(from_address(address, {"job": "shop"}))
            await scrape.once()
            await made.watch.once()
            shown = (await asking.get("/api/v1/alerts")).json()["data"]["alerts"]
            rule = (await asking.get("/api/v1/rules")).json()["data"]["groups"][0]["rules"][0]

            pages["/metrics"] = "busy 1\n"
            await scrape.once()
            await made.watch.once()

    down, back = told.get_nowait(), told.get_nowait()
    assert [(each["state"], each["labels"]["job"]) for each in shown] == [("firing", "shop")]
    assert (rule["state"], rule["health"]) == ("firing", "ok")
    assert (down["version"], down["status"], back["status"]) == ("4", "firing", "resolved")
    assert down["alerts"][0]["labels"]["alertname"] == "Down"
    assert down["alerts"][0]["fingerprint"] == back["alerts"][0]["fingerprint"]
    assert not math.isnan(float(shown[0]["value"]))
