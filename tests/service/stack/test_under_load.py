"""Nobody is refused while processes come and go behind a socket that stays."""

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from tests.service.stack.conftest import Run
from tests.service.stack.running import Told, fetch, service

from uat_service.stack.control import ask


@contextmanager
def load(port: int, *, clients: int) -> Generator[list[Told | OSError]]:
    """Ask again and again, each time on a new connection."""
    answers: list[Told | OSError] = []
    stop = Event()

    def client() -> None:
        while not stop.is_set():
            try:
                answers.append(fetch(port))
            except OSError as error:
                answers.append(error)

    threads = [Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_restart_under_load_refuses_nobody(run: Run) -> None:
    stack = run(service("back"))
    stack.state("back", "running")

    with load(port := stack.port("back"), clients=2) as answers:
        while not answers:  # The first process is to have answered somebody, too.
            fetch(port)
        restarts: list[str] = []
        for _ in range(2):
            restarts.append(stack.ask("restart", "back").stdout)
            row = stack.rows()["back"]
            while not any(isinstance(each, dict) and each["pid"] == row["pid"] for each in answers):
                fetch(row["port"])

    assert restarts == ["back: running\n"] * 2
    assert [each for each in answers if isinstance(each, OSError)] == []
    assert len({each["pid"] for each in answers if isinstance(each, dict)}) == 3


def test_restarts_that_are_asked_for_at_once_are_few(run: Run) -> None:
    stack = run(service("back"))
    stack.state("back", "running")
    path = Path(os.path.relpath(stack.directory / ".uat" / "control.sock"))

    async def restarted() -> object:
        replies = [reply async for reply in ask(path, {"do": "restart", "name": "back"})]
        return replies[0]["state"]

    async def together() -> list[object]:
        return await asyncio.gather(*(restarted() for _ in range(5)))

    answers = asyncio.run(together())

    assert answers == ["running"] * 5
    assert stack.rows()["back"]["restarts"] <= 2
