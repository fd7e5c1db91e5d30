"""How a stack ends, asked or not."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from tests.service.stack.conftest import Run
from tests.service.stack.running import PATIENCE, ended_within, fetch, service

DEAF = {"DEAF": "1"}


def test_a_second_interrupt_kills(run: Run) -> None:
    stack = run(service("back", env=DEAF, grace="30s"))
    pid = stack.state("back", "running")["pid"]
    stack.process.send_signal(signal.SIGINT)
    stack.line("told 1")

    code = stack.stop()

    assert code == 130
    assert ended_within(pid, 0)


def test_a_third_signal_changes_nothing(run: Run) -> None:
    stack = run(service("back", env=DEAF, grace="30s"))
    pid = stack.state("back", "running")["pid"]

    # Of different kinds: two of one kind that come together are one.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        stack.process.send_signal(number)

    assert stack.code() == 130
    assert ended_within(pid, 0)


def test_what_does_not_stop_within_its_grace_is_killed_and_the_exit_code_says_so(run: Run) -> None:
    stack = run(service("back", env=DEAF, grace="200ms"))
    stack.state("back", "running")

    code = stack.stop(signal.SIGTERM)

    assert code == 1
    assert stack.state("back", "stopped")["detail"] == "killed, it did not stop within 0.2 s"


def test_a_parent_that_is_killed_leaves_nobody_behind(run: Run) -> None:
    stack = run(service("back", env={**DEAF, "FAMILY": "1"}), service("other"))
    pids = [stack.state(name, "running")["pid"] for name in ("back", "other")]
    pids.append(int(stack.line("family").split()[1]))

    stack.process.kill()

    assert [ended_within(pid, 2.0) for pid in pids] == [True, True, True]


def test_what_a_child_has_started_ends_with_it(run: Run) -> None:
    stack = run(service("back", env={"FAMILY": "1"}))
    stack.state("back", "running")
    family = int(stack.line("family").split()[1])

    assert stack.stop() == 0

    assert ended_within(family, 2.0)


def test_each_child_leads_a_session_of_its_own(run: Run) -> None:
    stack = run(service("back"))

    pid = stack.state("back", "running")["pid"]

    assert os.getsid(pid) == os.getpgid(pid) == pid


def test_what_was_begun_is_finished_before_the_end(run: Run) -> None:
    stack = run(service("back"))
    stack.state("back", "running")
    answers: list[int] = []
    port = stack.port("back")
    asking = Thread(target=lambda: answers.append(fetch(port, "/slow")["status"]))
    asking.start()
    stack.line("begun")

    code = stack.stop()

    asking.join()
    assert (code, answers) == (0, [200])


def test_a_stack_that_runs_already_is_not_started_again(run: Run) -> None:
    stack = run(service("back"))
    stack.state("back", "running")

    again = stack.ask("up")

    assert again.exit_code == 2
    assert again.stderr == (
        f"error: a stack is already running here, as process {stack.process.pid}: `uat status`, `uat down`\n"
    )


def test_after_a_crash_of_the_parent_it_starts_again(run: Run) -> None:
    crashed = run(service("back"))
    crashed.state("back", "running")
    crashed.process.kill()

    stack = run(service("back"))

    stack.state("back", "running")
    assert stack.stop() == 0


@pytest.mark.parametrize("arguments", [["--json"], []])
def test_a_stack_whose_lines_nobody_reads_any_more_stops_in_order(
    arguments: list[str], tmp_path: Path
) -> None:
    tables = service("back") + service("other", needs=["back"])
    (tmp_path / "stack.toml").write_text(tables, encoding="utf-8")
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "uat_service", "up", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as stack:
        assert stack.stdout is not None
        assert stack.stderr is not None
        stack.stdout.readline()
        stack.stdout.close()
        try:
            code = stack.wait(PATIENCE)
        finally:
            stack.kill()

        assert (code, stack.stderr.read()) == (0, b"")
