"""Tokens are checked on asyncio, here in virtual time."""

from typing import Any

import pytest

from uat_resilience.testing import virtual_time


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": virtual_time.VirtualLoop}
