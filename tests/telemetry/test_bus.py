from typing import Any

import anyio
import pytest

from uat_resilience.telemetry import EventBus


@pytest.mark.parametrize("listener", [3, anyio.sleep_forever], ids=["number", "coroutine function"])
def test_a_listener_is_a_plain_function(listener: Any) -> None:
    with pytest.raises(TypeError, match="listener"):
        EventBus().subscribe(listener)


def test_only_events_can_be_subscribed_to() -> None:
    kind: Any = int
    with pytest.raises(TypeError, match="types"):
        EventBus().subscribe(print, kind)
