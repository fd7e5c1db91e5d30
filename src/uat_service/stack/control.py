"""Let other terminals ask and steer a running stack: one line of JSON there, lines of JSON back."""

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

from uat_service.spelling import choice
from uat_service.stack.errors import StackError
from uat_service.stack.journal import Event, Journal, Said
from uat_service.stack.lines import clean
from uat_service.stack.orchestrator import Orchestrator
from uat_service.stack.waits import first

__all__ = ["ask", "serving"]

Reply = dict[str, object]
_BEHIND = 10_000
_FAREWELL = 1.0


@asynccontextmanager
async def serving(path: Path, orchestrator: Orchestrator, journal: Journal) -> AsyncGenerator[None]:
    """Answer on a socket while the block lasts. Only the user who owns it may connect."""
    answers: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            answers.add(task)
            task.add_done_callback(answers.discard)
        with suppress(ConnectionError, ValueError):
            async for reply in _replies(reader, orchestrator, journal):
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(connected, path)
    os.chmod(path, 0o600)  # noqa: PTH101 - takes no longer than a look
    try:
        yield
    finally:
        server.close()
        if answers:  # Who asked for the end hears of it.
            await asyncio.wait(answers, timeout=_FAREWELL)
        for task in list(answers):
            task.cancel()


async def ask(path: Path, request: Mapping[str, object]) -> AsyncGenerator[Reply]:
    """Ask a running stack, and return its replies as they come.

    Raises:
        StackError: None runs here.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
    except OSError:
        raise StackError("no stack is running here: start one with `uat up`") from None
    try:
        writer.write(json.dumps(dict(request)).encode() + b"\n")
        await writer.drain()
        while line := await reader.readline():
            yield cast("Reply", json.loads(line))
    finally:
        writer.close()


async def _replies(
    reader: asyncio.StreamReader, orchestrator: Orchestrator, journal: Journal
) -> AsyncGenerator[Reply]:
    request = cast("Reply", json.loads(await reader.readline()))
    name = request.get("name")
    known = [*orchestrator.names, *(status.instance for status in orchestrator.board.statuses)]
    if name is not None and name not in known:
        told = choice(str(name), dict.fromkeys(known))
        yield {"error": f"there is no service `{name}` in the running stack{told}"}
        return
    match request.get("do"):
        case "status":
            yield {"rows": [row.as_dict() for row in orchestrator.rows()]}
        case "health":
            yield {"health": await orchestrator.health()}
        case "restart" if name is not None:
            yield {"state": (await orchestrator.restart(str(name))).value}
        case "logs":
            wanted = None if name is None else orchestrator.instances(str(name))
            async for line in _followed(journal, wanted, orchestrator):
                yield line
        case "down":
            orchestrator.stop()
            yield {"stopping": True}
            yield {"exit": await orchestrator.ended()}
        case _:
            yield {"error": "not understood"}


async def _followed(
    journal: Journal, wanted: list[str] | None, orchestrator: Orchestrator
) -> AsyncGenerator[Reply]:
    """Return lines as they are written. Who reads too slowly misses some, and holds nobody up."""
    lines: deque[Said] = deque(maxlen=_BEHIND)
    written = asyncio.Event()

    def listen(event: Event) -> None:
        if isinstance(event, Said) and (wanted is None or event.instance in wanted):
            lines.append(event)
            written.set()

    unsubscribe = journal.subscribe(listen)
    try:
        yield {"following": True}
        while not orchestrator.over or lines:
            await first(written.wait(), orchestrator.ended())
            written.clear()
            while lines:
                said = lines.popleft()
                yield {"name": said.instance, "line": clean(said.line)}
    finally:
        unsubscribe()
