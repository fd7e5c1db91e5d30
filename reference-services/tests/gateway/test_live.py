"""Routes are replaced once for each change, whoever sees it first."""

import asyncio
from pathlib import Path

import anyio.lowlevel
import anyio.to_thread

from uat_platform.gateway.routes.live import LiveRoutes, Version

FIRST = '[upstreams.a]\nurls = ["http://127.0.0.1:1"]\n'
SECOND = FIRST.replace(":1", ":2")


def _wait_for(text: str, path: Path) -> None:
    """Wait in the loop, which cannot go on meanwhile: what is written is not taken."""
    while path.read_text(encoding="utf-8") != text:
        pass


async def _put_while_looking(routes: LiveRoutes, path: Path) -> bool:
    """Put routes, and look at the file when it is written and they are not taken; return whether it was read."""
    put = asyncio.create_task(routes.put(SECOND, expected=None))
    threads = anyio.to_thread.current_default_thread_limiter()
    while not threads.borrowed_tokens:
        await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()  # Now the thread has its work.
    _wait_for(SECOND, path)
    read = routes.look()
    await put
    return read


async def test_what_is_put_is_taken_once_although_somebody_looks_at_the_file_meanwhile(
    tmp_path: Path,
) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(FIRST, encoding="utf-8")
    taken: list[Version] = []
    routes = LiveRoutes(path, taken.append)
    routes.load()

    assert not await _put_while_looking(routes, path)

    assert [each.number for each in taken] == [1, 2]
    assert not routes.look()


async def test_what_is_edited_right_after_a_put_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(FIRST, encoding="utf-8")
    routes = LiveRoutes(path, id)
    routes.load()
    await routes.put(SECOND, expected=None)

    path.write_text(FIRST + "\n", encoding="utf-8")

    assert routes.look()
    assert routes.now.text == FIRST + "\n"
