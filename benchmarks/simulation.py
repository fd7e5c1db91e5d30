"""`python -m benchmarks.simulation`: how long the simulator takes for an hour of 1 000 calls a second.

A short stretch is simulated again and again, and the quickest one counts: on a machine that does other things as
well, the others measure those. `--whole` simulates the hour itself, once for each pipeline.
"""

import sys
import time
from collections.abc import Callable, Sequence

from uat_resilience import CircuitBreaker, Pipeline, Policy, Retry, RetryBudget, Timeout
from uat_resilience.simulate import Dependency, DependencyError, Memoryless, Poisson, Workload, run

__all__ = ["main"]

RATE = 1000.0
HOUR = 3600.0
STRETCH = 10.0
TIMES = 30
# Half of what it could do, and a call of a hundred fails: what a good day looks like.
DEPENDENCY = Dependency(latency=Memoryless(0.05), servers=100, error_rate=0.01)


def _three() -> Policy:
    return Pipeline(Retry(DependencyError), CircuitBreaker("db", on=DependencyError), Timeout(1.0))


def _standard() -> Policy:
    return Pipeline.standard("db", on=DependencyError)


def _budgeted() -> Policy:
    return Pipeline.standard("db", on=DependencyError, budget=RetryBudget())


PIPELINES: dict[str, Callable[[], Policy]] = {
    "no policy": Pipeline,
    "retry, breaker, timeout": _three,
    "Pipeline.standard": _standard,
    "Pipeline.standard with a budget": _budgeted,
}


def main(arguments: Sequence[str]) -> int:
    """Print a line for each pipeline."""
    whole = "--whole" in arguments
    print("| pipeline | µs for each call | seconds for an hour of 1 000 calls a second |")
    print("|---|---|---|")
    for name, make in PIPELINES.items():
        seconds, times = (HOUR, 1) if whole else (STRETCH, TIMES)
        quickest = min(_took(make(), seconds) for _ in range(times))
        print(f"| {name} | {quickest * 1e6:.1f} | {quickest * RATE * HOUR:.0f} |")
    return 0


def _took(policy: Policy, seconds: float) -> float:
    """Return the seconds that one call of the workload takes."""
    workload = Workload(arrivals=Poisson(RATE), duration=seconds, deadline=1.0)
    began = time.perf_counter()
    result = run(workload, DEPENDENCY, policy, seed=1)
    return (time.perf_counter() - began) / result.arrivals


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
