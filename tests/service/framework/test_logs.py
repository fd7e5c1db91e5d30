"""Every line is JSON, whatever is logged, whoever logs it, and whether or not somebody reads it."""

import json
import logging
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.service.framework.running import HERE, PATIENCE, command, surroundings

from uat_resilience.integrations.headers import Correlation, current_correlation
from uat_service.logs import Lines, configure, tell_request
from uat_service.plain import as_json

pytestmark = pytest.mark.usefixtures("_loggers")

CYCLE: dict[str, Any] = {}
CYCLE["again"] = [CYCLE]


class Rude:
    def __repr__(self) -> str:
        raise KeyError("hunter2")


class RudeError(Exception):
    def __str__(self) -> str:
        raise KeyError("hunter2")


class RudeMapping(dict[str, object]):
    def __len__(self) -> int:
        raise KeyError("hunter2")


STRANGE = [
    CYCLE,
    b"\xff\x00",
    bytearray(b"x"),
    "\x00\x1b[31m\r\n\u2028\ud800",
    "x" * 1_000_000,
    ["y" * 5_000] * 500,
    {str(number): number for number in range(1_000)},
    float("nan"),
    float("-inf"),
    10**400,
    2**70,
    {(1, 2): {3, 4}, None: object()},
    Rude(),
    RudeMapping(a=Rude()),
    RudeError(),
    {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {b"i": 1}}}}}}}}},
    [[[[[[[[Rude()]]]]]]]],
    True,
    None,
]


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was written, each line of it as JSON."""
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_anything_is_one_line_of_json(value: object) -> None:
    line = as_json({"event": "x", "value": value})

    assert json.loads(line)["event"] == "x" or b"unloggable" in line
    assert b"\n" not in line
    assert len(line) <= 65_536


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text() | st.integers() | st.binary(), inner)
            | st.frozensets(st.integers())
        ),
    )
)
def test_any_value_is_one_line_of_json(value: object) -> None:
    line = as_json({"event": "x", "value": value})

    assert json.loads(line)["event"] == "x"
    assert b"\n" not in line


def test_entry_says_who_when_and_for_which_request(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1.2.3")
    trace = "0af7651916cd43dd8448eb211c80319c"
    token = current_correlation.set(Correlation("abc", f"00-{trace}-b7ad6b7169203331-01"))

    structlog.get_logger().warning("sold out", item=7)
    current_correlation.reset(token)
    structlog.get_logger().info("restocked")

    first, second = lines(capfd)
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "sold out",
        "item": 7,
        "level": "warning",
        "service": "orders",
        "version": "1.2.3",
        "request_id": "abc",
        "trace_id": trace,
        "parent_span_id": "b7ad6b7169203331",
    }
    assert "request_id" not in second


@pytest.mark.parametrize("bound", [{}, {"user": "ada", "status": 1}], ids=["nothing", "user"])
@pytest.mark.parametrize("level", ["info", "warning"])
def test_line_of_a_request_is_the_one_that_structlog_writes(
    level: str, bound: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    configure(service="orders", version="1.2.3")

    with structlog.contextvars.bound_contextvars(**bound):
        tell_request(level, {"path": "/\ud800", "status": 200})
        getattr(structlog.get_logger(), level)("request", path="/\ud800", status=200)

    first, second = lines(capfd)
    # Well within a second of each other, in the same form.
    times = [datetime.fromisoformat(each.pop("timestamp")) for each in (first, second)]
    assert timedelta(0) <= times[1] - times[0] < timedelta(seconds=1)
    assert first == second
    assert first.get("user") == bound.get("user")


def test_line_of_a_request_tells_of_the_request_that_is_around_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure(service="orders", version="1.2.3")
    token = current_correlation.set(Correlation("abc", f"00-{'a' * 32}-{'b' * 16}-01"))

    tell_request("info", {"status": 200})

    current_correlation.reset(token)
    assert {"request_id": "abc", "trace_id": "a" * 32}.items() <= lines(capfd)[0].items()


def test_line_of_a_request_is_captured_like_any_other(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1")

    with structlog.testing.capture_logs() as kept:
        tell_request("info", {"status": 200})

    assert kept == [{"event": "request", "log_level": "info", "status": 200}]
    assert lines(capfd) == []


def test_line_of_a_request_keeps_to_the_level(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1", level="warning")

    tell_request("info", {"status": 200})
    tell_request("warning", {"status": 500})

    assert [each["status"] for each in lines(capfd)] == [500]


def test_level_is_that_of_the_settings(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1", level="warning")

    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert [each["event"] for each in lines(capfd)] == ["loud"]


def test_exception_is_shown_without_local_variables(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1")
    password = "hunter2"  # noqa: S105 - what must not be seen

    try:
        int(password[:0])
    except ValueError:
        structlog.get_logger().exception("failed")
    structlog.get_logger().error("failed", exc_info=RudeError())

    first, second = lines(capfd)
    assert "ValueError" in first["exception"]
    assert "hunter2" not in first["exception"]
    assert "exception" in second


def test_other_libraries_log_in_the_same_form(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1")
    configure(service="orders", version="2")  # again, which must not make two lines of one
    other = logging.Logger("other")  # noqa: LOG001 - not below the root, where pytest listens, and raises
    other.addHandler(logging.getLogger().handlers[-1])

    other.warning("%s is odd", "this")
    other.warning("%d fits not", "this")
    other.error("%s", Rude())
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n")

    assert logging.getLogger().level == logging.WARNING
    told = lines(capfd)
    assert [each["event"] for each in told] == ["this is odd", "%d fits not", "%s"]
    assert {(each["logger"], each["service"], each["version"]) for each in told} == {
        ("other", "orders", "2")
    }


def test_lines_of_many_threads_stay_whole(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1")
    logger = structlog.get_logger()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: logger.info("x", n=number, long="y" * 8_000), range(200)))

    assert sorted(each["n"] for each in lines(capfd)) == list(range(200))


def test_nobody_reads_any_more_and_nothing_is_raised() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    Lines(writing).msg(b"{}")

    os.close(writing)


def test_process_without_a_standard_output_logs_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)

    Lines().msg(b"{}")


def test_service_lives_on_when_its_standard_output_is_closed() -> None:
    told = command("example:service", "--port", "0")
    process = subprocess.Popen(told, cwd=HERE, env=surroundings({}), stdout=subprocess.PIPE)  # noqa: S603 - our own
    with process:
        assert process.stdout is not None
        heard = next(entry for entry in map(json.loads, process.stdout) if "address" in entry)
        process.stdout.close()

        with httpx.Client(base_url=f"http://{heard['address']}", timeout=PATIENCE) as client:
            statuses = [client.get("/orders/7").status_code for _ in range(3)]
        process.send_signal(signal.SIGTERM)

        assert statuses == [200, 200, 200]
        assert process.wait(PATIENCE) == 0


def test_time_is_written_alike_in_lines_that_are_cut(capfd: pytest.CaptureFixture[str]) -> None:
    configure(service="orders", version="1")

    tell_request("info", {"path": "/\ud800", "status": 200})
    tell_request("info", {"path": "/", "status": 200})

    cut, whole = lines(capfd)
    assert cut["timestamp"][-1] == whole["timestamp"][-1] == "Z"
    assert len(cut["timestamp"]) == len(whole["timestamp"])
