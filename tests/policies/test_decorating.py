from typing import Any

import pytest

from uat_resilience import (
    Bulkhead,
)
from uat_resilience.policies.policy import Wrapper


class Thing:
    def method(self) -> int:
        return 1

    @classmethod
    def of_class(cls) -> int:
        return 2


def test_what_cannot_be_guarded_says_how_it_can_be() -> None:
    policy: Any = Bulkhead(1)

    with pytest.raises(TypeError, match="put it underneath @classmethod"):
        policy(classmethod(Thing.of_class))
    with pytest.raises(TypeError, match="functions and callables"):
        policy(3)
    assert policy(Thing().method)() == 1
    assert policy(Thing)().method() == 1


def test_a_policy_without_words_of_its_own_says_its_kind() -> None:
    class Quiet(Bulkhead):
        describe = Wrapper.describe

    assert Quiet(1).describe() == "bulkhead"


async def test_acall_refuses_what_cannot_be_awaited() -> None:
    policy: Any = Bulkhead(1)

    with pytest.raises(TypeError, match="use call"):
        await policy.acall(int)
