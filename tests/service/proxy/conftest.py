"""A proxy between two sockets."""

from collections.abc import Generator

import pytest
from tests.service.proxy.wire import Stage


@pytest.fixture
def stage() -> Generator[Stage]:
    """A proxy that adds nothing."""
    with Stage(announce=False) as stage:
        yield stage
