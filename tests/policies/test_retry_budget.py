from typing import Any

import pytest

from uat_resilience import RetryBudget


def test_a_budget_checks_its_arguments() -> None:
    clock: Any = 3
    with pytest.raises(TypeError, match="clock"):
        RetryBudget(clock=clock)
    with pytest.raises(ValueError, match="ratio"):
        RetryBudget(-0.1)
