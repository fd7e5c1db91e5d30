"""The demo runs to its summary and takes its servers with it, however it ends.

The servers inherit the standard error of the demo, so that its end is only read once they are gone:
`communicate` returning at all is the proof that no child is left.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENDS_WITHIN = 30.0

posix_only = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")


def start_demo(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (the demo is our own)
        [sys.executable, "-m", "examples.demo", "--plain", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def wait_until_both_servers_run(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout
    while "healthy" not in demo.stdout.readline():
        assert demo.poll() is None


def test_demo_ends_in_a_summary_of_both_sides() -> None:
    with start_demo("--seconds", "3", "--seed", "1") as demo:
        out, err = demo.communicate(timeout=ENDS_WITHIN)

    assert (demo.returncode, err) == (0, "")
    summary = out[out.index("Summary:") :].splitlines()
    assert summary[0].endswith("calls in 3 s, seed 1; in time is within 2.5 s")
    assert summary[1].split("  ")[-1].strip() == "pipeline"
    labels = [line[:24].strip() for line in summary[2:]]
    for label in ("answered in time", "outage", "refused at once", "upstream requests"):
        assert label in labels


@posix_only
def test_ctrl_c_shows_the_summary_so_far_and_ends_the_servers() -> None:
    with start_demo("--seconds", "60") as demo:
        wait_until_both_servers_run(demo)
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=ENDS_WITHIN)

    assert (demo.returncode, err) == (130, "")
    assert "Summary:" in out


@posix_only
def test_servers_do_not_outlive_a_demo_that_is_killed() -> None:
    with start_demo("--seconds", "60") as demo:
        wait_until_both_servers_run(demo)
        demo.kill()
        _, err = demo.communicate(timeout=ENDS_WITHIN)

    assert (demo.returncode, err) == (-signal.SIGKILL, "")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_demo_refuses_a_length_that_is_none(seconds: str) -> None:
    with start_demo(f"--seconds={seconds}") as demo:
        _, err = demo.communicate(timeout=ENDS_WITHIN)

    assert demo.returncode == 2
    assert "--seconds" in err
