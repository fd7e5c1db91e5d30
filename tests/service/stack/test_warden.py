"""What ends the children of a parent that is gone."""

import subprocess
import sys

from tests.service.stack.running import PATIENCE, ended_within

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def sleeper(
    code: str = "print('up', flush=True); import signal; signal.pause()",
) -> subprocess.Popen[str]:
    """Return a process that has started, in a session of its own."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_groups_that_are_left_are_ended_even_if_they_are_deaf() -> None:
    with sleeper() as good, sleeper(DEAF) as deaf, sleeper() as released:
        try:
            with subprocess.Popen(
                [sys.executable, "-m", "uat_service.stack.warden"], stdin=subprocess.PIPE, text=True
            ) as ours:
                assert ours.stdin is not None
                ours.stdin.write(f"+{good.pid}\n+{deaf.pid}\n+{released.pid}\n-{released.pid}\n")
                ours.stdin.close()  # as when the parent is gone

                # It takes its time to start; the deaf one has a second from when the other one was told.
                ended = [ended_within(good.pid, PATIENCE), ended_within(deaf.pid, 2.0)]

            assert ended == [True, True]
            assert released.poll() is None
        finally:
            for each in (good, deaf, released):
                each.kill()


def test_with_nobody_left_it_ends_at_once() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "uat_service.stack.warden"],
        input="+1\n-1\n",
        text=True,
        timeout=20,
        check=True,
    )

    assert ended.returncode == 0
