"""What a test needs from Debian's packages, and this machine may not have."""

import os
from typing import NoReturn

import pytest

__all__ = ["lacking"]


def lacking(program: str, package: str) -> NoReturn:
    """Skip the test, and say in a line what to install; where `.ci/packages` should have done so, fail."""
    why = f"no {program}: apt-get install --no-install-recommends {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
