"""Other commands, at another terminal."""

import json
import subprocess
import sys
from collections.abc import Generator

import pytest
from tests.service.stack.conftest import Run
from tests.service.stack.running import Running, fetch, service


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A stack of one service that several tests look at."""
    directory = tmp_path_factory.mktemp("stack")
    (directory / "stack.toml").write_text(service("back"), encoding="utf-8")
    running = Running(directory)
    running.state("back", "running")
    yield running
    running.close()


def test_status_shows_what_each_process_is_doing(stack: Running) -> None:
    row = stack.rows()["back"]
    table = stack.ask("status").stdout

    assert row["state"] == "running"
    assert row["pid"] == fetch(row["port"])["pid"]
    assert row["uptime"] > 0
    assert [line.split()[:2] for line in table.splitlines()] == [
        ["service", "state"],
        ["back", "running"],
    ]


def test_health_asks_each_service_now(stack: Running) -> None:
    good = stack.ask("health")

    fetch(stack.port("back"), "/unready", method="POST")
    bad = stack.ask("health")
    as_json = stack.ask("health", "--json")
    fetch(stack.port("back"), "/ready", method="POST")

    assert (good.exit_code, good.stdout) == (0, "back  ready\n")
    assert (bad.exit_code, bad.stdout) == (1, "back  /ready answers 503\n")
    assert json.loads(as_json.stdout) == {"back": "/ready answers 503"}


def test_logs_are_kept_and_followed(stack: Running) -> None:
    stack.ask("restart", "back")
    kept = stack.ask("logs", "back")
    with subprocess.Popen(
        [sys.executable, "-m", "uat_service", "logs", "-f", "--json", "-n", "1"],
        cwd=stack.directory,
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        before = json.loads(following.stdout.readline())
        stack.ask("restart", "back")
        after = json.loads(following.stdout.readline())
        following.terminate()

    assert kept.stdout == "back | told 1\n"
    assert before == after == {"name": "back", "line": "told 1"}


def test_nothing_is_asked_of_a_service_that_is_not_there(stack: Running) -> None:
    told = [
        stack.ask("restart", "front"),
        stack.ask("logs", "front"),
        stack.ask("logs", "-f", "front"),
    ]

    assert [each.exit_code for each in told] == [2, 2, 2]
    unknown = "error: there is no service `front` in the running stack (there is back)\n"
    assert [told[0].stderr, told[2].stderr] == [unknown, unknown]
    assert told[1].stderr.startswith("error: there are no logs of `front`")


def test_a_service_that_is_not_ready_any_more_is_shown_and_comes_back(run: Run) -> None:
    stack = run('[stack]\nhealth_interval = "100ms"\n', service("back"))
    stack.state("back", "running")
    port = stack.port("back")

    fetch(port, "/unready", method="POST")
    detail = stack.state("back", "unhealthy")["detail"]
    told = len(stack.told)
    fetch(port, "/ready", method="POST")

    assert detail == "/ready answers 503"
    stack.state("back", "running", after=told)


def test_down_ends_it_and_tells_its_exit_code(run: Run) -> None:
    stack = run(service("back"))
    stack.state("back", "running")

    told = stack.ask("down")

    assert (told.exit_code, stack.code()) == (0, 0)


def test_without_a_stack_there_is_nobody_to_ask(run: Run) -> None:
    stack: Running = run(service("back", env={"EXIT": "3"}))
    stack.code()

    told = stack.ask("status")

    assert told.exit_code == 2
    assert told.stderr == "error: no stack is running here: start one with `uat up`\n"
