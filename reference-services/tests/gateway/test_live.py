"""Routes are replaced once for each change, whoever sees it first, and what was put outlasts the process."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import anyio.lowlevel
import anyio.to_thread
import pytest

from uat_platform.gateway.routes import RoutesError
from uat_platform.gateway.routes.files import RouteFiles, digest
from uat_platform.gateway.routes.live import LiveRoutes, Version

FIRST = '[upstreams.a]\nurls = ["http://127.0.0.1:1"]\n'
SECOND = FIRST.replace(":1", ":2")


THIRD = FIRST.replace(":1", ":3")


def made(configured: Path, taken: Callable[[Version], object] = id) -> LiveRoutes:
    """Return the routes of a process that starts now."""
    routes = LiveRoutes(RouteFiles(configured, configured.parent / "state" / "put.toml"), taken)
    routes.load()
    return routes


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    file = tmp_path / "routes.toml"
    edit(file, FIRST)
    return file


def edit(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def content(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _wait_for(text: str, path: Path) -> None:
    """Wait in the loop, which cannot go on meanwhile: what is written is not taken."""
    while not path.exists() or not content(path).endswith(text):
        pass


async def _put_while_looking(routes: LiveRoutes, path: Path) -> bool:
    """Put routes, and look at the files when they are written and not taken; return whether they were read."""
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
    configured: Path,
) -> None:
    taken: list[Version] = []
    routes = made(configured, taken.append)

    assert not await _put_while_looking(routes, configured.parent / "state" / "put.toml")

    assert [each.number for each in taken] == [1, 2]
    assert not routes.look()


async def test_what_is_put_outlasts_the_process_and_leaves_the_configured_file_alone(
    configured: Path,
) -> None:
    await made(configured).put(SECOND, expected=None)

    after = made(configured).now

    assert (after.text, after.put) == (SECOND, True)
    assert content(configured) == FIRST


async def test_what_is_put_is_taken_by_processes_that_see_the_same_files(configured: Path) -> None:
    other = made(configured)

    await made(configured).put(SECOND, expected=None)

    assert other.look()
    assert other.now.text == SECOND


async def test_whoever_edits_the_configured_file_after_a_put_has_the_last_word(
    configured: Path,
) -> None:
    routes = made(configured)
    await routes.put(SECOND, expected=None)

    edit(configured, THIRD)

    assert routes.look()
    assert (routes.now.text, routes.now.put) == (THIRD, False)
    assert made(configured).now.text == THIRD


async def test_a_configured_file_that_is_only_written_anew_takes_nothing_back(
    configured: Path,
) -> None:
    routes = made(configured)
    await routes.put(SECOND, expected=None)

    edit(configured, FIRST)
    routes.look()

    assert (routes.now.number, routes.now.text) == (2, SECOND)


async def test_putting_what_is_configured_takes_back_what_was_put(configured: Path) -> None:
    routes = made(configured)
    await routes.put(SECOND, expected=None)
    await routes.put(FIRST, expected=None)

    edit(configured, FIRST)

    assert (made(configured).now.text, made(configured).now.put) == (FIRST, False)


def test_put_routes_that_are_wrong_are_told_with_their_file(configured: Path) -> None:
    put = configured.parent / "state" / "put.toml"
    put.parent.mkdir()
    put.write_text(f"# put over {digest(FIRST)}\nroutes = 3", encoding="utf-8")

    with pytest.raises(RoutesError, match=r"put\.toml: routes: "):
        made(configured)

    put.write_bytes(b"\xff")
    with pytest.raises(RoutesError, match=r"put\.toml: UnicodeDecodeError"):
        made(configured)
