"""What a forked child finds: a free lock, and nobody inside who will never leave."""

from typing import Any

import pytest

from uat_resilience import (
    AIMD,
    AdaptiveLimiter,
    Bulkhead,
    CircuitBreaker,
    Coalesce,
    Hedge,
    Keyed,
    LoadShedder,
    Quantile,
    RateLimiter,
    RetryBudget,
)
from uat_resilience.policies import forking


@pytest.mark.parametrize(
    "policy",
    [
        Bulkhead(1),
        AdaptiveLimiter(AIMD(initial=1)),
        LoadShedder(1, queue=0),
        RateLimiter(1000.0),
        CircuitBreaker("db"),
    ],
    ids=lambda policy: policy.kind,
)
def test_a_policy_that_was_inside_a_call_lets_the_next_one_in(policy: Any) -> None:
    permit = policy.permit()
    permit.__enter__()

    policy.renew()

    assert policy.call(int) == 0
    permit.__exit__(None, None, None)
    assert policy.call(int) == 0


def test_what_keeps_a_lock_gets_a_new_one() -> None:
    keyed = Keyed(CircuitBreaker)
    breaker = keyed["db"]
    coalesce = Coalesce(str)
    budget = RetryBudget()
    for each in (keyed, coalesce, budget, Hedge(Quantile(0.5))):
        each.renew()

    assert keyed["db"] is breaker
    assert coalesce.call(int) == 0
    assert budget.withdraw()


def test_a_fork_renews_every_policy_that_is_alive() -> None:
    renewed: list[int] = []

    class Policy:
        def renew(self) -> None:
            renewed.append(1)

    policy = Policy()
    forking.renew_after_fork(policy)

    forking._renew_all()

    assert renewed == [1]
