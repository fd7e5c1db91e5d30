"""Real signals in real processes: what the parent of a service sees of its end."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from types import FrameType

import pytest

from uat_resilience import GracefulShutdown
from uat_resilience.lifecycle.signals import SignalWatch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")

SERVICE = """
    import asyncio, sys
    from uat_resilience import DrainingError, GracefulShutdown

    async def main():
        shutdown = GracefulShutdown(grace=20.0)
        shutdown.install()
        shutdown.on_close(lambda: print("closed", flush=True))
        done = asyncio.Event()

        async def work():
            async with shutdown.track():
                print("working", flush=True)
                await done.wait()
                print("finished", flush=True)

        worker = asyncio.create_task(work())
        await shutdown.arequested()
        print("requested", flush=True)
        if "stubborn" not in sys.argv:
            done.set()
        try:
            with shutdown.track():
                print("accepted", flush=True)
        except DrainingError:
            print("refused", flush=True)
        truth = await shutdown.adrained()
        worker.cancel()
        return 0 if truth else 75

    sys.exit(asyncio.run(main()))
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    service = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", textwrap.dedent(SERVICE), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    wait_for(service, "working")
    return service


def wait_for(service: subprocess.Popen[str], line: str) -> None:
    assert service.stdout is not None
    assert service.stdout.readline().strip() == line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_a_service_without_losing_work(number: signal.Signals) -> None:
    with start() as service:
        service.send_signal(number)
        out, err = service.communicate(timeout=30)

    assert (service.returncode, err) == (0, "")
    assert out.split() == ["requested", "refused", "finished", "closed"]


def test_a_second_signal_forces_and_the_exit_code_is_honest() -> None:
    with start("stubborn") as service:
        service.send_signal(signal.SIGTERM)
        wait_for(service, "requested")
        service.send_signal(signal.SIGTERM)
        out, err = service.communicate(timeout=30)

    assert (service.returncode, err) == (75, "")
    assert "finished" not in out


@pytest.fixture(params=["trio", "no trio"])
def _trio(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Trio, which has the interpreter wake it up, and in a process that has not loaded it."""
    if request.param == "no trio":
        monkeypatch.delitem(sys.modules, "trio", raising=False)


@pytest.mark.usefixtures("_trio")
def test_older_handlers_are_called_too_and_come_back() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        shutdown = GracefulShutdown()
        undo = shutdown.install()
        signal.raise_signal(signal.SIGTERM)
        shutdown.requested()
        undo()
        undo()
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert heard == [signal.SIGTERM, signal.SIGTERM]
    assert not shutdown.ready


@pytest.mark.usefixtures("_trio")
def test_after_the_second_signal_the_older_handlers_are_back() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        shutdown = GracefulShutdown()
        undo = shutdown.install()
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        undo()
    finally:
        signal.signal(signal.SIGTERM, before)

    assert len(heard) == 3
    assert shutdown.drained() is False


def test_a_handler_that_somebody_put_in_since_is_left_alone() -> None:
    def newer(number: int, frame: object) -> None: ...

    before = signal.getsignal(signal.SIGTERM)
    try:
        undo = GracefulShutdown().install()
        signal.signal(signal.SIGTERM, newer)
        undo()

        assert signal.getsignal(signal.SIGTERM) is newer
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_trio")
def test_signals_that_a_newer_handler_passes_on_for_ever_do_no_harm() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        shutdown = GracefulShutdown()
        undo = shutdown.install()
        ours = signal.getsignal(signal.SIGTERM)
        assert callable(ours)

        def newer(number: int, frame: FrameType | None) -> None:
            ours(number, frame)

        signal.signal(signal.SIGTERM, newer)
        for _ in range(5):
            signal.raise_signal(signal.SIGTERM)
        undo()
    finally:
        signal.signal(signal.SIGTERM, before)

    assert shutdown.drained() is False


@pytest.mark.usefixtures("_trio")
def test_other_signals_are_none_of_ours() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        shutdown = GracefulShutdown()
        undo = shutdown.install()
        signal.raise_signal(signal.SIGUSR1)
        ready = shutdown.ready
        signal.raise_signal(signal.SIGTERM)
        shutdown.requested()
        undo()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert (heard, ready, shutdown.ready) == ([signal.SIGUSR1], True, False)


def test_whoever_is_woken_up_by_signals_already_still_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio", raising=False)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing)
    try:
        shutdown = GracefulShutdown()
        undo = shutdown.install()
        signal.raise_signal(signal.SIGTERM)
        shutdown.requested()
        undo()
        theirs = os.read(reading, 8)
    finally:
        still = signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)

    assert (still, theirs, shutdown.ready) == (writing, bytes([signal.SIGTERM]), False)


@pytest.mark.usefixtures("_trio")
def test_forked_child_leaves_the_descriptor_to_whoever_has_it_next() -> None:
    before = signal.getsignal(signal.SIGTERM)
    watch = SignalWatch(lambda: None, lambda: None)

    watch.renew()  # As it is called in the child.
    left = signal.set_wakeup_fd(-1)
    handler = signal.getsignal(signal.SIGTERM)
    watch.undo()

    assert (left, handler) == (-1, before)


def test_only_the_main_thread_may_install() -> None:
    raised: list[RuntimeError] = []

    def install() -> None:
        try:
            GracefulShutdown().install()
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=install)
    thread.start()
    thread.join()

    assert "main thread" in str(raised[0])


def test_a_signal_to_a_forked_child_is_no_signal_to_its_parent() -> None:
    shutdown = GracefulShutdown()
    undo = shutdown.install()
    reading, writing = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            os.write(writing, b"1")
            signal.pause()
            os._exit(0)
        os.read(reading, 1)
        os.kill(child, signal.SIGTERM)
        _, status = os.waitpid(child, 0)
    finally:
        undo()
        os.close(reading)
        os.close(writing)

    assert os.WTERMSIG(status) == signal.SIGTERM
    assert shutdown.ready
