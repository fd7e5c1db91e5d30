"""What would hang or kill a test if it went wrong, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("policy", ["bulkhead", "adaptive limiter", "load shedder"])
def test_a_slot_given_back_by_the_garbage_collector_under_the_lock_moves_on(policy: str) -> None:
    assert output_of(policy) == ["served", "free"]


def test_a_probe_given_back_by_the_garbage_collector_under_the_lock_is_free_again() -> None:
    assert output_of("probe finalised") == ["1", "0"]


def test_a_failure_in_a_signal_handler_under_the_lock_is_counted_too() -> None:
    assert output_of("failure signalled") == ["2"]


def test_a_signal_handler_under_the_lock_takes_a_slot_and_gives_it_back() -> None:
    assert output_of("slot signalled") == ["called", "0", "0"]


@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")
def test_a_child_forked_while_a_thread_holds_the_locks_starts_with_free_ones_and_nobody_inside() -> (
    None
):
    assert output_of("forked") == ["child 0 0 7", "parent 0 0"]


@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")
def test_a_child_forked_during_a_probe_may_probe_itself() -> None:
    assert output_of("probe forked") == ["child 0 7", "parent 1 0"]


def test_a_worker_that_never_ends_does_not_keep_the_interpreter_alive() -> None:
    assert output_of("left behind") == ["left 1"]


def test_what_was_built_at_import_guards_one_event_loop_after_another() -> None:
    assert output_of("two loops") == ["4 0", "8 0", "12 0"]


def output_of(program: str) -> list[str]:
    """Run a program to its end, and return the lines that it printed."""
    ended = subprocess.run(  # noqa: S603 - the program is our own
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            "-m",
            "tests.concurrency.programs",
            program,
        ],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()
