import tomllib
from pathlib import Path
from typing import Any

import pytest

from uat_resilience import Pipeline
from uat_resilience.simulate import Result, ScenarioError, load, shipped
from uat_resilience.simulate.kinds import POLICIES
from uat_resilience.simulate.scenario import parse
from uat_resilience.simulate.settings import Table

SMALL = """
title = "Small"
seed = 3

[workload]
arrivals = { kind = "poisson", rate = 20.0 }
duration = 5.0
deadline = 1.0

[dependency]
latency = { kind = "memoryless", mean = 0.05 }
servers = 2
troubles = [{ kind = "outage", at = 1.0, lasts = 1.0 }]

[[run]]
name = "bare"

[[run]]
name = "standard"
clients = 2
policies = [{ kind = "standard", each = 1.0, total = 3.0, budget = { ratio = 0.2 } }]
"""


def small() -> dict[str, Any]:
    return tomllib.loads(SMALL)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small scenario with one value changed, or taken out when it is `...`."""
    values: Any = small()
    *way, last = (int(key) if key.isdigit() else key for key in path.split("/"))
    table = values
    for key in way:
        table = table[key]
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return dict(values)


def test_scenario_is_read_and_run_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")

    scenario = load(tmp_path / "small.toml")
    results = scenario.run()

    assert scenario.title == scenario.about == "Small"
    assert scenario.troubled == [(1.0, 2.0)]
    assert [result.title for result in results] == ["bare", "standard"]
    assert results[0].arrivals == results[1].arrivals > 50
    assert results == scenario.run()
    assert results != scenario.run(seed=4)


def test_scenario_is_drawn_with_its_trouble_shaded(tmp_path: Path) -> None:
    scenario = parse(small())

    scenario.plot(scenario.run(), tmp_path / "small.svg")

    assert "Small" in (tmp_path / "small.svg").read_text(encoding="utf-8")


def test_every_client_has_policies_of_its_own() -> None:
    _, standard = parse(small()).variants

    first, second = standard.policies()

    assert first is not second
    assert isinstance(first, Pipeline)
    assert len(first.flattened()) == 4


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_scenario_can_be_loaded_by_its_name(name: str) -> None:
    scenario = load(name)

    assert scenario.title != "scenario"
    assert scenario.about != scenario.title
    assert len(scenario.variants) > 3


def test_shipped_scenarios_are_those_of_the_documentation() -> None:
    assert list(shipped()) == ["brown-out", "retry-storm", "slow-dependency", "thundering-herd"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("colour", "red", "colour must be one of the keys about, bucket, dependency, run, seed, "),
        ("title", 5, "title must be a string, not 5"),
        ("about", 5, "about must be a string, not 5"),
        ("seed", -1, "seed must be a whole number of at least 0, not -1"),
        ("bucket", 0, "bucket must be a finite number of seconds above 0, not 0"),
        ("workload", ..., "workload must be a table, not None"),
        ("workload", 5, "workload must be a table, not 5"),
        ("workload/duration", ..., "workload.duration must be given"),
        (
            "workload/duration",
            "1",
            "workload.duration must be a finite number of seconds above 0, not '1'",
        ),
        (
            "workload/rate",
            5,
            "workload.rate must be one of the keys arrivals, deadline, duration, not 'rate'",
        ),
        ("workload/arrivals", ..., "workload.arrivals must be a table, not None"),
        (
            "workload/arrivals/kind",
            "x",
            "workload.arrivals.kind must be one of bursts, poisson, ramp, steady, not 'x'",
        ),
        ("workload/arrivals/kind", 5, "workload.arrivals.kind must be one of bursts, "),
        ("workload/arrivals/kind", ..., "workload.arrivals.kind must be one of bursts, "),
        (
            "workload/arrivals/rate",
            -1,
            "workload.arrivals.rate must be a finite number above 0, not -1",
        ),
        ("workload/arrivals/rate", ..., "workload.arrivals.rate must be given"),
        ("dependency/latency/mean", 0, "dependency.latency.mean must be a finite number of "),
        ("dependency/servers", 0, "dependency.servers must be a whole number of at least 1, not 0"),
        ("dependency/troubles", 5, "dependency.troubles must be a list of tables, not 5"),
        ("dependency/troubles/0", 5, "dependency.troubles[0] must be a table, not 5"),
        (
            "dependency/troubles/0/lasts",
            0,
            "dependency.troubles[0].lasts must be a finite number of seconds above 0, not 0",
        ),
        ("run", ..., "run must be a list of at least one table, not []"),
        ("run", 5, "run must be a list of tables, not 5"),
        ("run/0/name", ..., "run[0].name must be given"),
        ("run/0/name", "", "run[0].name must not be empty"),
        ("run/0/clients", 0, "run[0].clients must be a whole number of at least 1, not 0"),
        (
            "run/1/policies/0/kind",
            "retries",
            "run[1].policies[0].kind must be one of adaptive_limiter, ",
        ),
        ("run/1/policies/0/each", 0, "run[1].policies[0].seconds must be a finite number of "),
        (
            "run/1/policies/0/tries",
            3,
            "run[1].policies[0].tries must be one of the keys attempts, ",
        ),
        (
            "run/1/policies/0/budget",
            {"ratio": -1},
            "run[1].policies[0].budget.ratio must be a finite number, 0 or more, not -1",
        ),
        ("run/1/policies/0/budget", True, "run[1].policies[0].budget must be a table, not True"),
    ],
)
def test_mistake_is_told_with_its_key_its_rule_and_its_value(
    path: str, value: Any, message: str
) -> None:
    with pytest.raises(ScenarioError) as told:
        parse(changed(path, value))

    assert str(told.value).startswith(message)


def test_what_is_no_file_is_told_with_what_there_is() -> None:
    with pytest.raises(ScenarioError, match=r"scenario must be a file or one of brown-out, .*'x'"):
        load("x")


@pytest.mark.parametrize("content", [b"title = ", b"\xff\xfe"], ids=["syntax", "encoding"])
def test_what_is_no_toml_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.toml").write_bytes(content)

    with pytest.raises(ScenarioError, match=r"bad\.toml must be a TOML file: "):
        load(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "adaptive_limiter"},
        {"kind": "adaptive_limiter", "algorithm": {"kind": "vegas", "initial": 5}, "queue": 5},
        {"kind": "bulkhead", "size": 5},
        {"kind": "circuit_breaker"},
        {"kind": "circuit_breaker", "trip": {"kind": "consecutive_failures", "failures": 3}},
        {"kind": "circuit_breaker", "trip": {"kind": "failure_rate"}, "ramp": 5.0},
        {"kind": "circuit_breaker", "trip": {"kind": "failure_rate", "calls": 50}},
        {"kind": "hedge", "after": 0.1, "budget": {}},
        {"kind": "rate_limiter", "rate": 5},
        {"kind": "retry"},
        {"kind": "retry", "backoff": {"kind": "linear", "initial": 1.0}, "jitter": "equal"},
        {"kind": "standard"},
        {"kind": "timeout", "seconds": 1},
    ],
    ids=repr,
)
def test_policy_can_be_described_in_a_file(settings: dict[str, Any]) -> None:
    values = changed("run/1/policies", [settings])

    results = parse(values).run()

    assert [type(result) for result in results] == [Result, Result]
    assert results[1].endings.good > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"kind": "retry", "jitter": "some"},
            "policies[0].jitter must be one of equal, full, none, not 'some'",
        ),
        (
            {"kind": "retry", "backoff": {"kind": "linear", "initial": -1}},
            "policies[0].backoff.initial must be a finite number of seconds, 0 or more, not -1",
        ),
        (
            {"kind": "circuit_breaker", "trip": {"kind": "x"}},
            "policies[0].trip.kind must be one of consecutive_failures, failure_rate, not 'x'",
        ),
    ],
)
def test_mistake_inside_a_policy_is_told_with_its_key(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScenarioError) as told:
        Table(settings, "policies[0]").made(POLICIES)

    assert str(told.value) == message


def test_doubtful_order_is_run_without_a_warning() -> None:
    settings = [{"kind": "circuit_breaker"}, {"kind": "retry"}, {"kind": "timeout", "seconds": 1}]

    results = parse(changed("run/1/policies", settings)).run()

    assert results[1].arrivals > 0
