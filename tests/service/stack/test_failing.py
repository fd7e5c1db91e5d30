"""What happens when a process of the stack ends by itself."""

import os
import signal

from tests.service.stack.conftest import Run
from tests.service.stack.running import fetch, service


def test_a_service_that_is_killed_is_started_again_and_nobody_is_refused(run: Run) -> None:
    stack = run(service("back"))
    pid = stack.state("back", "running")["pid"]
    port = stack.port("back")

    os.kill(pid, signal.SIGKILL)
    stack.state("back", "backoff")
    answer = fetch(port)  # waits in the queue of the socket, until the next process takes it

    assert answer["pid"] != pid
    again = stack.state("back", "running", after=stack.told.index(stack.state("back", "backoff")))
    assert again["restarts"] == 1


def test_a_server_that_ends_well_without_being_asked_is_started_again(run: Run) -> None:
    stack = run(service("back"))
    pid = stack.state("back", "running")["pid"]

    os.kill(pid, signal.SIGTERM)

    assert "exit code 0" in stack.state("back", "backoff")["detail"]


def test_a_crash_loop_is_shown_and_leaves_the_others_alone(run: Run) -> None:
    stack = run(service("bad", env={"EXIT": "1"}), service("good"))

    looping = stack.state("bad", "crash-loop")

    rows = stack.rows()
    pauses = [it["detail"] for it in stack.told if it.get("state") == "backoff"]
    assert "exit code 1; again in" in looping["detail"]
    assert len(pauses) == 4
    assert (rows["good"]["state"], rows["good"]["restarts"]) == ("running", 0)
    assert stack.stop() == 1


def test_a_start_that_cannot_succeed_is_not_repeated_and_dependants_give_the_reason(
    run: Run,
) -> None:
    stack = run(
        service("back", env={"EXIT": "3"}),
        service("front", needs=["back"], start_within="1s"),
    )

    code = stack.code()  # nothing is left that could run

    failed = [it for it in stack.told if it.get("state") == "failed"]
    assert code == 1
    assert [(it["name"], it["detail"]) for it in failed] == [
        ("back", "exit code 3"),
        ("front", "not ready within 1 s: back (failed)"),
    ]
    assert sum(it.get("line") == "cannot go on" for it in stack.told) == 1


def test_a_program_that_is_not_there_is_said_so(run: Run) -> None:
    stack = run(service("back", command="no-such-program {fd}"))

    assert stack.code() == 1
    assert stack.state("back", "failed")["detail"] == "cannot be started: No such file or directory"


def test_a_job_that_is_done_is_finished(run: Run) -> None:
    stack = run('[services.job]\ncommand = ["{python}", "-c", "print(6 * 7)"]\n')

    assert stack.code() == 0
    assert stack.line("42")
    assert stack.state("job", "finished")


def test_a_service_that_does_not_get_ready_is_stopped_and_tried_again(run: Run) -> None:
    stack = run(service("back", env={"HELD": "1"}, start_within="300ms"))

    detail = stack.state("back", "backoff")["detail"]

    assert detail.startswith("not ready within 0.3 s; again in")
