"""What is started when, and stopped when."""

import socket
from pathlib import Path

from tests.service.stack.conftest import Run
from tests.service.stack.running import fetch, service

from uat_service.stack.definition import Service
from uat_service.stack.surroundings import environment


def test_services_start_after_what_they_need_and_stop_before_it(run: Run) -> None:
    stack = run(service("front", needs=["back"]), service("back"))
    stack.state("front", "running")
    ports = {name: row["port"] for name, row in stack.rows().items()}

    code = stack.stop()

    moves = [(each["name"], each["state"]) for each in stack.told if each["event"] == "state"]
    assert code == 0
    assert moves.index(("back", "running")) < moves.index(("front", "starting"))
    assert moves.index(("front", "stopped")) < moves.index(("back", "draining"))
    for port in ports.values():
        socket.create_server(("127.0.0.1", port)).close()


def test_dependants_wait_for_a_service_that_is_slow_to_start(run: Run) -> None:
    stack = run(service("front", needs=["back"]), service("back", env={"HELD": "1"}))
    stack.wait(lambda it: it.get("detail") == "/ready answers 503")
    waiting = stack.rows()["front"]

    fetch(stack.port("back"), "/ready", method="POST")

    assert (waiting["state"], waiting["pid"]) == ("waiting", None)
    assert "back" in waiting["detail"]
    stack.state("front", "running")


def test_a_service_goes_on_without_what_it_needs_only_optionally(run: Run) -> None:
    stack = run(service("front", optional_needs=["back"]), service("back", env={"EXIT": "3"}))

    stack.state("front", "running")

    assert stack.rows()["back"]["state"] == "failed"


def test_only_what_is_named_and_what_it_needs_is_started(run: Run) -> None:
    stack = run(
        service("front", needs=["back"]),
        service("back"),
        service("other"),
        arguments=("front",),
    )

    stack.state("front", "running")

    assert set(stack.rows()) == {"front", "back"}


def test_services_are_told_where_the_others_are(tmp_path: Path) -> None:
    front = Service(name="front", command=("x",), port=0)

    env = environment(
        front,
        "front-2",
        variables={"PYTHONPATH": "/there", "LEVEL": "0"},
        shared={"LEVEL": "1"},
        addresses={"front": "h:1", "back-end": "h:2", "redis": "h:3"},
        directory=tmp_path,
        lifeline=7,
    )

    assert env["UAT_SERVICES__BACK_END__URL"] == env["services__back-end__http__0"] == "http://h:2"
    assert (env["PORT"], env["SERVICE_NAME"], env["UAT_STACK_INSTANCE"]) == (
        "1",
        "front",
        "front-2",
    )
    assert (env["REDIS_ADDR"], env["REDIS_SENTINEL"]) == ("h:3", "")
    assert (env["UAT_LIFELINE_FD"], env["LEVEL"]) == ("7", "1")
    assert env["PYTHONPATH"] == f"{tmp_path}:/there"
    assert (env["SHUTDOWN_DELAY"], env["SHUTDOWN_GRACE"]) == ("0.2s", "30s")


def test_replicas_share_a_port_and_restart_one_after_the_other(run: Run) -> None:
    stack = run(service("front"), arguments=("--replicas", "front=2"))
    stack.state("front-1", "running")
    stack.state("front-2", "running")
    port = stack.port("front-1")
    seen: set[str] = set()
    while len(seen) < 2:  # whoever is quicker takes the next connection
        seen.add(fetch(port)["instance"])

    told = len(stack.told)
    answer = stack.ask("restart", "front")
    stack.state("front-2", "running", after=told)  # The answer may be here before the news.

    moves = [it["name"] for it in stack.told[told:] if it.get("state") in {"draining", "running"}]
    assert seen == {"front-1", "front-2"}
    assert answer.stdout == "front: running\n"
    assert moves == ["front-1", "front-1", "front-2", "front-2"]
