"""The order of policies matters: a pipeline says what yours means, and warns of a doubtful one."""

import warnings

from uat_resilience import (
    Bulkhead,
    CircuitBreaker,
    Pipeline,
    PipelineWarning,
    Policy,
    Retry,
    Timeout,
)


def show(title: str, *policies: Policy) -> None:
    """Build a pipeline and print what it says about itself."""
    print(f"{title}\n{'-' * len(title)}")
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always", PipelineWarning)
        pipeline = Pipeline(*policies, name="orders")
    print(pipeline.describe())
    for doubt in doubts:
        print(f"warning: {doubt.message}")
    print()


def main() -> None:
    """Show a good order, and three doubtful ones."""
    retry = Retry(ConnectionError, attempts=3)
    show(
        "A good order, outermost first",
        Timeout(10.0, thread=False),
        retry,
        CircuitBreaker("orders-db"),
        Bulkhead(100),
        Timeout(2.0, thread=False),
    )
    show("An attempt may last longer than the whole", Timeout(5.0), retry, Timeout(5.0))
    show("The breaker sees calls, not attempts", CircuitBreaker("orders-db"), retry)
    show("The breaker never learns of a hang", Timeout(5.0), retry, CircuitBreaker("orders-db"))


if __name__ == "__main__":
    main()
