"""The stack in `examples/stack`: two services that call each other, on ports that are free."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.service.stack.running import PATIENCE, Running, fetch

ROOT = Path(__file__).parents[3]
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A copy of the example, running."""
    directory = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "examples" / "stack", directory, dirs_exist_ok=True)
    free = {"PRICES_PORT": "0", "ORDERS_PORT": "0", "REDIS_ADDR": ""}
    running = Running(directory, "--reload", env=free)
    running.state("orders", "running")
    yield running
    code = running.stop()
    running.close()
    assert code == 0


def total(stack: Running, item: str = "tea") -> object:
    """Return what three pieces cost."""
    connection = HTTPConnection("127.0.0.1", stack.port("orders"), timeout=PATIENCE)
    connection.request("GET", f"/orders/{item}?pieces=3")
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return body["total"] if answer.status == 200 else body


def test_an_order_is_priced_by_the_other_service(stack: Running) -> None:
    assert total(stack) == 13.5


@pytest.mark.parametrize("name", ["prices", "orders"])
def test_what_the_schema_says_is_true_whatever_is_sent(stack: Running, name: str) -> None:
    schema = f"http://127.0.0.1:{stack.port(name)}/schema/openapi.json"
    options = ["--checks", "all", "--max-examples", "25", "--seed", "1", "--no-color"]

    tried = subprocess.run(  # noqa: S603 - a tool of ours
        [SCHEMATHESIS, "run", schema, *options],
        cwd=stack.directory.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert re.search(r"(\d+) generated, \1 passed", tried.stdout), tried.stdout


def test_a_caller_does_not_notice_that_the_other_service_was_killed(stack: Running) -> None:
    before = stack.rows()["prices"]

    os.kill(before["pid"], signal.SIGKILL)
    answers = [total(stack) for _ in range(3)]

    assert answers == [13.5] * 3
    assert stack.rows()["prices"]["restarts"] == before["restarts"] + 1


def test_a_restart_under_load_fails_nobody(stack: Running) -> None:
    answers: list[object] = []
    stop = Event()

    def client() -> None:
        while not stop.is_set():
            answers.append(fetch(port, "/prices/tea")["status"])

    port = stack.port("prices")
    asking = [Thread(target=client) for _ in range(3)]
    for thread in asking:
        thread.start()
    told = stack.ask("restart", "prices").stdout
    stop.set()
    for thread in asking:
        thread.join()

    assert told == "prices: running\n"
    assert set(answers) == {200}


def test_an_edited_price_is_served(stack: Running) -> None:
    file, told = stack.directory / "prices.py", len(stack.told)

    file.write_text(file.read_text(encoding="utf-8").replace("6.0", "7.0"), encoding="utf-8")
    stack.note("prices: restarts (saved prices.py)", after=told)
    draining = stack.told.index(stack.state("prices", "draining", after=told))
    stack.state("prices", "running", after=draining)

    assert total(stack, "coffee") == 21.0


def test_requests_and_breakers_are_shown(stack: Running) -> None:
    while stack.rows()["orders"]["requests_per_second"] is None:
        total(stack)

    row = stack.rows()["orders"]

    assert row["p95"] is None or row["p95"] > 0
    assert list(row["breakers"].values()) == ["closed"]
