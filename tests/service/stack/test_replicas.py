"""Replicas share a port, and each is asked by itself whether it is ready."""

import json
from pathlib import Path

import pytest
from tests.service.stack.conftest import Run
from tests.service.stack.running import CHILD, fetch, service

from uat_service.stack.definition import Service
from uat_service.stack.errors import StackError
from uat_service.stack.reading import read
from uat_service.stack.sockets import Sockets
from uat_service.stack.surroundings import command_line

OWN = f"{{python}} {CHILD} {{fd}} {{own_fd}}"


def test_a_replica_that_is_not_ready_is_not_covered_by_one_that_is(run: Run) -> None:
    stack = run(service("front", command=OWN, replicas=2, env={"HELD": "front-2"}))
    stack.state("front-1", "running")
    port = stack.port("front-1")

    stack.wait(lambda it: it.get("name") == "front-2" and "503" in it.get("detail", ""))
    bad = stack.ask("health", "--json")
    while fetch(port, "/ready", method="POST")["instance"] != "front-2":
        pass  # whoever is quicker takes the next connection
    stack.state("front-2", "running")
    good = stack.ask("health")

    assert bad.exit_code == 1
    assert json.loads(bad.stdout) == {"front-1": "ready", "front-2": "/ready answers 503"}
    assert (good.exit_code, good.stdout) == (0, "front-1  ready\nfront-2  ready\n")


def test_one_replica_is_restarted_by_itself(run: Run) -> None:
    stack = run(service("front", replicas=2))
    stack.state("front-1", "running")
    stack.state("front-2", "running")

    answer = stack.ask("restart", "front-2", "--json")

    assert json.loads(answer.stdout) == {"name": "front-2", "state": "running"}
    assert {name: row["restarts"] for name, row in stack.rows().items()} == {
        "front-1": 0,
        "front-2": 1,
    }


def test_a_service_of_ours_is_given_a_second_socket_where_it_has_replicas() -> None:
    one = Service(name="api", app="api:service", port=0)
    two = one.model_copy(update={"replicas": 2})

    with Sockets([one], host="127.0.0.1") as single, Sockets([two], host="127.0.0.1") as several:
        alone = single.own_fd("api"), single.door("api", "api") == single.ports["api"]
        fds = [several.own_fd(name) for name in two.instances]
        doors = {several.door("api", name) for name in two.instances}

    assert alone == (None, True)
    assert None not in fds
    assert len(doors | {several.ports["api"]}) == 3
    assert command_line(two, port=1, fd=7, own_fd=8)[-4:] == ["--fd", "7", "--own-fd", "8"]
    assert "--own-fd" not in command_line(one, port=1, fd=7, own_fd=None)


def test_a_socket_of_its_own_goes_with_the_shared_one(tmp_path: Path) -> None:
    file = tmp_path / "stack.toml"
    file.write_text('[services.a]\ncommand = "serve {own_fd} {port}"\nport = 1\n', encoding="utf-8")

    with pytest.raises(StackError, match=r"has {own_fd} in its command, so it must take {fd}"):
        read(file, variables={})
