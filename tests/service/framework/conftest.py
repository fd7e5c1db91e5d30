"""A service that several tests ask, and a clean set of loggers."""

import logging
from collections.abc import Generator

import pytest
import structlog
from tests.service.framework.running import Running, serving


@pytest.fixture(scope="module")
def running() -> Generator[Running]:
    """The example, in a process of its own."""
    with serving() as running:
        yield running
        running.stop()


@pytest.fixture
def anyio_backend() -> str:
    """A service runs on asyncio, and metrics are made in real threads."""
    return "asyncio"


@pytest.fixture
def _loggers() -> Generator[None]:
    """Put loggers back as they were."""
    root, server = logging.getLogger(), logging.getLogger("uvicorn.error")
    before = list(root.handlers), root.level, list(server.filters)
    yield
    root.handlers[:], server.filters[:] = before[0], before[2]
    root.setLevel(before[1])
    structlog.reset_defaults()


@pytest.fixture
def _silent() -> Generator[None]:
    """Drop what is logged in this process."""
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()


def _drop(*_: object) -> str:
    raise structlog.DropEvent
