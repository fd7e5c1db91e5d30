import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from uat_resilience import (
    BreakerState,
    BulkheadFullError,
    CallRefusedError,
    CircuitOpenError,
    DrainingError,
    OverloadedError,
    RateLimitedError,
    TimedOutError,
)


@pytest.mark.parametrize(
    "error",
    [
        CallRefusedError("p", retry_after=1.5),
        CircuitOpenError("p", state=BreakerState.FORCED_OPEN, retry_after=None),
        BulkheadFullError("p", size=3, queue=1),
        RateLimitedError("p", retry_after=0.5),
        OverloadedError("p"),
        DrainingError("p"),
        TimedOutError("p", after=2.0),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
    ],
    ids=["copy", "pickle"],
)
def test_errors_keep_their_data_when_copied(error: Any, again: Callable[[Any], Any]) -> None:
    twin = again(error)

    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert vars(twin) == vars(error)
    assert "p" in str(error)


def test_a_message_says_what_to_do_next() -> None:
    assert str(CircuitOpenError("db", retry_after=12.0)) == "db is open; next probe in 12 s"
    assert "forced open" in str(CircuitOpenError("db", state=BreakerState.FORCED_OPEN))
