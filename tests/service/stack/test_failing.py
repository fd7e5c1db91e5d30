"""What happens when a process of the stack ends by itself."""

import json
import os
import signal
from collections.abc import Generator

import pytest
from tests.service.stack.conftest import Run
from tests.service.stack.running import Running, fetch, service


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """One stack of everything that goes wrong; each test looks at a service of its own."""
    directory = tmp_path_factory.mktemp("failing")
    tables = [
        service("killed"),
        service("ended"),
        service("good"),
        service("bad", env={"EXIT": "1"}),
        service("missing", command="no-such-program {fd}"),
        service("late", env={"HELD": "1"}, start_within="300ms"),
        '[services.job]\ncommand = ["{python}", "-c", "print(6 * 7)"]\n',
    ]
    (directory / "stack.toml").write_text("\n".join(tables), encoding="utf-8")
    running = Running(directory)
    yield running
    code = running.stop()
    running.close()
    assert code == 1  # honest: some had failed


def test_a_service_that_is_killed_is_started_again_and_nobody_is_refused(stack: Running) -> None:
    pid = stack.state("killed", "running")["pid"]
    port = stack.port("killed")

    os.kill(pid, signal.SIGKILL)
    ended = stack.state("killed", "backoff")
    answer = fetch(port)  # waits in the queue of the socket, until the next process takes it

    again = stack.state("killed", "running", after=stack.told.index(ended))
    assert answer["pid"] == again["pid"] != pid
    assert again["restarts"] == 1
    assert "signal 9; again in" in ended["detail"]


def test_a_server_that_ends_well_without_being_asked_is_started_again(stack: Running) -> None:
    pid = stack.state("ended", "running")["pid"]

    os.kill(pid, signal.SIGTERM)

    assert "exit code 0" in stack.state("ended", "backoff")["detail"]


def test_a_crash_loop_is_shown_and_leaves_the_others_alone(stack: Running) -> None:
    looping = stack.state("bad", "crash-loop")

    rows = stack.rows()
    pauses = [it for it in stack.told if it.get("state") == "backoff" and it["name"] == "bad"]
    assert "exit code 1; again in" in looping["detail"]
    assert len(pauses) == 4
    assert (rows["good"]["state"], rows["good"]["restarts"]) == ("running", 0)


def test_a_program_that_is_not_there_is_said_so(stack: Running) -> None:
    detail = stack.state("missing", "failed")["detail"]

    assert detail == "no-such-program cannot be started: No such file or directory"


def test_what_does_not_run_is_not_asked_for_its_health(stack: Running) -> None:
    stack.state("missing", "failed")

    problems = json.loads(stack.ask("health", "--json").stdout)

    why = "no-such-program cannot be started: No such file or directory"
    assert problems["missing"] == f"failed ({why})"


def test_a_job_that_is_done_is_finished(stack: Running) -> None:
    assert stack.line("42")
    assert stack.state("job", "finished")


def test_a_service_that_does_not_get_ready_is_stopped_and_tried_again(stack: Running) -> None:
    detail = stack.state("late", "backoff")["detail"]

    assert detail.startswith("not ready within 0.3 s; again in")


def test_a_start_that_cannot_succeed_is_not_repeated_and_dependants_give_the_reason(
    run: Run,
) -> None:
    stack = run(
        service("back", env={"EXIT": "3"}),
        service("front", needs=["back"], start_within="2s"),
    )

    code = stack.code()  # nothing is left that could run

    failed = [it for it in stack.told if it.get("state") == "failed"]
    assert code == 1
    assert [(it["name"], it["detail"]) for it in failed] == [
        ("back", "exit code 3"),
        ("front", "not ready within 2 s: back (failed)"),
    ]
    assert sum(it.get("line") == "cannot go on" for it in stack.told) == 1


def test_jobs_that_are_all_done_end_the_stack_well(run: Run) -> None:
    stack = run('[services.job]\ncommand = "true"\n')

    assert stack.code() == 0
