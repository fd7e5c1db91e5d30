"""How a service ends: with every kind of client, in order, with an honest exit code."""

import os
import signal
import socket
from pathlib import Path
from threading import Thread

import httpx
import pytest
from tests.service.framework.running import PATIENCE, Running, serving, started
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


def asking(running: Running, path: str, answers: list[httpx.Response]) -> Thread:
    """Ask in a thread, for something that takes a while."""

    def ask() -> None:
        with running.client() as client:
            answers.append(client.get(path))

    thread = Thread(target=ask, daemon=True)
    thread.start()
    return thread


def order(running: Running, *events: str) -> list[int]:
    """Return where in the log these entries are."""
    names = [f"{each['event']}/{each.get('new', '')}" for each in running.entries]
    return [names.index(event) for event in events]


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A named pipe, which work waits at."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def test_sigterm_ends_all_kinds_of_work_in_order(gate: Path) -> None:
    answers: list[httpx.Response] = []
    with (
        serving(GATE=str(gate), SHUTDOWN_DELAY="2s", SHUTDOWN_GRACE="15s") as running,
        running.client() as idle,
        running.client() as streaming,
        connect(f"ws://{running.address}/ws") as talking,
        streaming.stream("GET", "/events") as watching,
    ):
        events = watching.iter_text()
        first = next(events)
        before = idle.get("/health/ready").status_code
        begun = idle.get("/job").text
        slow = asking(running, "/slow", answers)
        running.entry("slow begins")

        running.signal()
        running.entry("shutdown phase changed", new="announced")
        announced = [idle.get(path).status_code for path in ("/readyz", "/health", "/livez")]
        served = idle.get("/orders/7").status_code
        running.entry("listening no more")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE)
        with pytest.raises(ConnectionClosed) as closed:
            talking.recv(PATIENCE)
        last = "".join(events)
        gate.open("wb").close()  # for the job and the slow request
        slow.join(PATIENCE)
        code = running.end()

        assert first == "id: 1\ndata: one\n\n"
        assert (before, begun) == (200, "begun")
        assert (announced, served) == ([503, 503, 200], 200)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert last.startswith("event: shutdown\n")
        assert [each.text for each in answers] == ["finished"]
        assert code == 0
    places = order(
        running,
        "shutdown phase changed/announced",
        "shutdown phase changed/draining",
        "listening no more/",
        "job done/",
        "shutdown phase changed/closing",
        "closer ran/",
        "stopped/",
        "database closed/",
    )
    assert places == sorted(places)


def test_work_that_takes_too_long_is_cut_off_and_closers_still_run(gate: Path) -> None:
    answers: list[httpx.Response] = []
    with serving(GATE=str(gate), SHUTDOWN_GRACE="2s") as running:
        slow = asking(running, "/slow", answers)
        running.entry("slow begins")

        running.signal()
        code = running.end()
        slow.join(PATIENCE)

        assert code == 0
        assert [each.status_code for each in answers] == [500]
        assert len(running.events("closer ran")) == len(running.events("database closed")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_kills(number: signal.Signals) -> None:
    with serving(SHUTDOWN_DELAY="20s") as running:
        running.signal(number)
        running.entry("shutdown phase changed", new="announced")

        running.signal(number)

        assert running.end() == 128 + number
        assert running.events("closer ran") == []


def test_service_ends_when_its_lifeline_breaks() -> None:
    reading, writing = os.pipe()
    with started(
        "example:service",
        "--port",
        "0",
        descriptors=(reading,),
        UAT_LIFELINE_FD=str(reading),
        SHUTDOWN_DELAY="20s",
    ) as running:
        os.close(reading)
        running.listening()

        os.close(writing)

        assert running.end() == 1
        assert running.events("cut off", reason="whoever started us is gone")
        assert running.events("shutdown phase changed", new="announced")


def test_orphan_without_a_delay_ends_in_order() -> None:
    reading, writing = os.pipe()
    with started(descriptors=(reading,), UAT_LIFELINE_FD=str(reading)) as running:
        os.close(reading)
        running.listening()

        os.close(writing)

        assert running.end() == 0
        assert running.events("closer ran")
