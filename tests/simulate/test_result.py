import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from uat_resilience import CircuitBreaker, Timeout
from uat_resilience.simulate import (
    Dependency,
    DependencyError,
    Fixed,
    Latencies,
    Outage,
    Poisson,
    Result,
    Steady,
    Workload,
    run,
)
from uat_resilience.simulate.plot import draw
from uat_resilience.simulate.table import comparison


def outage(*, recovery_time: float = 1.0, lasts: float = 2.0, title: str = "outage") -> Result:
    workload = Workload(arrivals=Steady(10.0), duration=10.0, deadline=0.5)
    dependency = Dependency(latency=Fixed(0.1), troubles=(Outage(at=3.0, lasts=lasts),))
    breaker = CircuitBreaker("db", on=DependencyError, recovery_time=recovery_time)
    return run(workload, dependency, breaker, title=title)


def nothing() -> Result:
    never = Workload(arrivals=Poisson(0.001), duration=1.0)
    return run(never, Dependency(latency=Fixed(0.1)), title="nothing")


@pytest.mark.parametrize(
    ("ordered", "p50", "p99", "p999"),
    [
        ([5.0], 5.0, 5.0, 5.0),
        ([1.0, 2.0], 1.0, 2.0, 2.0),
        ([float(n) for n in range(1, 101)], 50.0, 99.0, 100.0),
        ([float(n) for n in range(1, 1001)], 500.0, 990.0, 999.0),
    ],
    ids=["one", "two", "hundred", "thousand"],
)
def test_quantiles_are_values_that_occurred(
    ordered: list[float], p50: float, p99: float, p999: float
) -> None:
    found = Latencies.of(ordered)

    assert (found.p50, found.p99, found.p999) == (p50, p99, p999)
    assert found.mean == sum(ordered) / len(ordered)


def test_no_answers_have_no_latencies() -> None:
    assert Latencies.of([]) == Latencies(None, None, None, None)


def test_success_is_the_share_that_ended_well_in_a_stretch_of_time() -> None:
    result = outage(recovery_time=100.0)

    assert result.success(0.0, 3.0) == 1.0
    assert result.success(4.0, 10.0) == 0.0
    assert result.success(100.0, 200.0) == 0.0
    assert [bucket.at for bucket in result.between(2.0, 5.0)] == [2.0, 3.0, 4.0]


def test_summary_tells_what_a_person_asks_for() -> None:
    assert (
        outage().summary()
        == """\
outage
  arrived     100 calls in 10 s
  in time     74 (74.0%), 7.4 a second
  otherwise   0 late, 6 failed, 20 refused
  errors      CircuitOpenError 20, DependencyError 6
  calls made  80, 0.80 for each, 0 for nobody
  queue       at most 0
  latency     mean 100 ms, p50 100 ms, p99 100 ms, p99.9 100 ms
  breakers    db open at 3.3 s, db half_open at 4.4 s, db open at 4.4 s, db half_open at 5.5 s, \
db closed at 5.6 s"""
    )


def test_summary_of_nothing_has_dashes() -> None:
    lines = nothing().summary().splitlines()

    assert lines[2] == "  in time     0 (-), 0.0 a second"
    assert lines[4] == "  errors      none"
    assert lines[7] == "  latency     mean -, p50 -, p99 -, p99.9 -"
    assert lines[8] == "  breakers    no change"
    assert nothing().amplification == 0.0


def test_summary_of_many_changes_stops_listing_them() -> None:
    last = outage(recovery_time=0.1).summary().splitlines()[-1]

    assert last.count(" at ") == 6
    assert last.endswith("more changes")


def test_comparison_is_a_table_with_a_line_for_each() -> None:
    slow = run(
        Workload(arrivals=Steady(10.0), duration=10.0),
        Dependency(latency=Fixed(2.5)),
        title="slow",
    )

    lines = comparison([outage(), slow]).splitlines()

    assert len({len(line) for line in lines}) == 1
    assert " ".join(lines[0].split()) == (
        "in time per s late failed refused calls per call for nobody queue p50 p99 p99.9"
    )
    assert lines[1].split()[:3] == ["outage", "74.0%", "7.4"]
    assert lines[2].split()[-6:] == ["2.50", "s"] * 3


def test_plot_is_an_svg_and_the_same_one_for_the_same_result(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        outage().plot(tmp_path / name)

    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two
    assert b"answered in time" in one


def test_plot_may_be_a_png(tmp_path: Path) -> None:
    draw([outage()], tmp_path / "one.png")

    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_plot_without_matplotlib_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, real = outage(), builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "uat_resilience.simulate.plot", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)

    with pytest.raises(ImportError, match=r"pip install 'uat-resilience\[simulate\]'"):
        result.plot(tmp_path / "one.svg")


def test_simulating_needs_no_matplotlib_and_no_event_loop() -> None:
    code = (
        "import sys, uat_resilience.simulate; "
        "print(sorted({'asyncio', 'trio', 'matplotlib'} & sys.modules.keys()))"
    )

    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert ended.stdout.strip() == "[]"


def test_timed_out_calls_are_failures_by_their_name() -> None:
    workload = Workload(arrivals=Steady(1.0), duration=3.0)

    result = run(workload, Dependency(latency=Fixed(5.0)), Timeout(1.0))

    assert result.kinds == (("TimedOutError", 3),)
