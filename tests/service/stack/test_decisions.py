"""Who may start, what a saved file concerns, what lines are, and what numbers mean."""

from math import inf
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uat_service.stack.definition import Service
from uat_service.stack.gate import blocking
from uat_service.stack.lines import LONGEST, Lines, clean
from uat_service.stack.reloading import broken
from uat_service.stack.state import State, Status
from uat_service.stack.table import duration
from uat_service.stack.touching import Touching, relevant
from uat_service.stack.traffic import Sample, Traffic, between, breakers, sampled


def states(**found: State) -> dict[str, list[Status]]:
    return {name: [Status(name, name, state)] for name, state in found.items()}


@pytest.mark.parametrize("state", [each for each in State if each is not State.RUNNING])
def test_what_is_required_must_be_ready(state: State) -> None:
    service = Service(name="a", command=("x",), needs=("b",))

    told = blocking(service, states(a=State.WAITING, b=state))

    assert told == ([] if state is State.FINISHED else [f"b ({state.value})"])


@pytest.mark.parametrize("state", State)
def test_what_is_optional_is_waited_for_while_it_is_on_its_way(state: State) -> None:
    service = Service(name="a", command=("x",), optional_needs=("b",))

    told = blocking(service, states(b=state))

    assert bool(told) is (state in {State.WAITING, State.STARTING})


def test_what_is_not_part_of_the_run_is_not_waited_for() -> None:
    service = Service(name="a", command=("x",), needs=("redis",), optional_needs=("b",))

    assert blocking(service, {}) == []


def test_one_ready_replica_is_enough() -> None:
    service = Service(name="a", command=("x",), needs=("b",))
    replicas = [Status("b-1", "b", State.BACKOFF), Status("b-2", "b", State.RUNNING)]

    assert blocking(service, {"b": replicas}) == []


@pytest.fixture
def touching(tmp_path: Path) -> Touching:
    """Three services: one names what it watches, the others are found by their modules."""
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "sub").mkdir()
    services = {
        "front": Service(name="front", command=("x",), watch=("front", "settings.toml")),
        "back": Service(name="back", app="back:app", port=0),
        "deep": Service(name="deep", app="pack.sub.app:app", port=0),
        "whole": Service(name="whole", app="pack:app", port=0),
        "job": Service(name="job", command=("x",)),
    }
    return Touching(services, directory=tmp_path, shared=["lib"])


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("front/a/b.py", ["front"]),
        ("settings.toml", ["front"]),
        ("back.py", ["back"]),
        ("back.pyc", []),
        ("pack/sub/other.py", ["deep", "whole"]),
        ("pack/other.py", ["whole"]),
        ("lib/shared.py", ["front", "back", "deep", "whole", "job"]),
        ("lib/__pycache__/shared.py", []),
        ("lib/.uat/logs/back.log", []),
        ("lib/.shared.py.swp", []),
        ("elsewhere.py", []),
    ],
)
def test_a_file_concerns_those_who_watch_it(
    touching: Touching, tmp_path: Path, file: str, names: list[str]
) -> None:
    assert touching.concerned([tmp_path / file]) == names


def test_a_service_without_a_watch_is_concerned_by_its_source_wherever_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "elsewhere" / "src" / "shop" / "orders"
    package.mkdir(parents=True)
    (package / "app.py").touch()
    (tmp_path / "beside.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "elsewhere" / "src")
    services = {
        "orders": Service(name="orders", app="shop.orders.app:service", port=0),
        "beside": Service(name="beside", app="beside:service", port=0),
    }

    touching = Touching(services, directory=tmp_path)

    assert touching.concerned([package / "rows.py"]) == ["orders"]
    assert touching.concerned([package.parent / "other" / "rows.py"]) == []
    assert touching.concerned([tmp_path / "beside.py"]) == ["beside"]
    assert touching.roots == [tmp_path]


def test_directories_are_watched_once(touching: Touching, tmp_path: Path) -> None:
    assert touching.roots == [tmp_path]


def test_a_directory_inside_of_a_hidden_one_may_be_watched() -> None:
    root = PurePath("/home/me/.venv/project")

    assert relevant(root / "a.py", below=root)
    assert not relevant(root / ".venv" / "a.py", below=root)


def test_a_syntax_error_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1\ny = = 2\n", encoding="utf-8")

    assert broken(file) == "a.py:2: invalid syntax"
    assert broken(tmp_path / "gone.py") is None
    file.write_bytes(b"x = 1\0")
    assert "null bytes" in str(broken(file))


@given(st.lists(st.binary(max_size=50)))
def test_lines_are_the_same_however_they_arrive(parts: list[bytes]) -> None:
    cut, whole = Lines(), Lines()

    found = [line for part in parts for line in cut.feed(part)] + cut.end()

    assert found == whole.feed(b"".join(parts)) + whole.end()


def test_a_line_without_end_comes_out_in_pieces() -> None:
    lines = Lines()

    found = [line for _ in range(10) for line in lines.feed(b"x" * 20_000)]

    assert [len(line) for line in found] == [LONGEST] * 3
    assert len(lines.end()[0]) == 200_000 - 3 * LONGEST


@given(st.binary())
def test_a_clean_line_holds_nothing_that_a_terminal_would_obey(line: bytes) -> None:
    assert all(letter.isprintable() or letter > "\x9f" for letter in clean(line).replace("\n", ""))


def test_a_progress_bar_shows_what_it_wrote_last() -> None:
    assert clean(b"10 %\r50 %\r100 %\r") == "100 %"


METRICS = """
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_route="/a",le="0.1"} 90.0
http_server_request_duration_seconds_bucket{http_route="/a",le="0.5"} 100.0
http_server_request_duration_seconds_bucket{http_route="/a",le="+Inf"} 100.0
http_server_request_duration_seconds_bucket{http_route="/metrics",le="+Inf"} 7.0
http_server_request_duration_seconds_bucket{http_route="/b",le="0.1"} 0.0
http_server_request_duration_seconds_bucket{http_route="/b",le="0.5"} 100.0
http_server_request_duration_seconds_bucket{http_route="/b",le="+Inf"} 100.0
"""


def test_traffic_is_what_happened_between_two_samples() -> None:
    older, newer = Sample(10.0, {0.1: 10.0, 0.5: 10.0, inf: 10.0}), sampled(METRICS, at=20.0)
    assert newer is not None

    traffic = between(older, newer)

    assert traffic.rate == 19.0
    # Of 190 requests the 180.5th is in the second bucket, where there are 110.
    assert traffic.p95 == pytest.approx(0.1 + 0.4 * (180.5 - 80) / 110)


def test_requests_of_those_who_look_are_no_traffic() -> None:
    looks = [line for line in METRICS.splitlines() if "metrics" in line or "TYPE" in line]

    sample = sampled("\n".join([*looks, ""]), at=1.0)

    assert sample == Sample(1.0, {})
    assert between(Sample(0.0, {}), sample) == Traffic(0.0, None)


def test_counts_that_went_back_are_those_of_a_new_process() -> None:
    older, newer = Sample(0.0, {1.0: 500.0, inf: 500.0}), Sample(2.0, {1.0: 4.0, inf: 4.0})

    assert between(older, newer).rate == 2.0


@pytest.mark.parametrize(
    ("newer", "traffic"),
    [
        (Sample(2.0, {1.0: 0.0, inf: 0.0}), Traffic(0.0, None)),
        (Sample(0.0, {1.0: 0.0, inf: 5.0}), Traffic()),
        (Sample(2.0, {1.0: 0.0, inf: 4.0}), Traffic(2.0, 1.0)),
    ],
    ids=["silence", "no time", "all beyond the last bound"],
)
def test_traffic_at_its_edges(newer: Sample, traffic: Traffic) -> None:
    assert between(Sample(0.0, {1.0: 0.0, inf: 0.0}), newer) == traffic


@pytest.mark.parametrize("text", ["", "other 1\n", "http_server {{{", "x{le="])
def test_metrics_that_say_nothing_are_no_sample(text: str) -> None:
    assert sampled(text, at=0.0) is None


@pytest.mark.parametrize(
    ("report", "found"),
    [
        (
            {"circuit_breakers": {"db": {"state": 2}, "x": {"state": 3}}},
            {"db": "open", "x": "forced-open"},
        ),
        ({"circuit_breakers": {"db": {"state": 9}, "x": 1}}, {}),
        ({"circuit_breakers": None}, {}),
        ([], {}),
    ],
)
def test_states_of_breakers_are_read(report: object, found: dict[str, str]) -> None:
    assert breakers(report) == found


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.9, "0 s"),
        (59, "59 s"),
        (200, "3 m 20 s"),
        (7260, "2 h 1 m"),
        (187200, "2 d 4 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: object, text: str) -> None:
    assert duration(seconds) == text
