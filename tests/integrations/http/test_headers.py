import pytest

from uat_resilience.integrations.headers import (
    Correlation,
    read_attempt,
    read_correlation,
    read_deadline,
    valid_request_id,
    valid_trace_parent,
    written_deadline,
    written_grpc_deadline,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"X-Request-Timeout-Ms": "1500"}, 1.5),
        ({"X-Request-Timeout-Ms": "0"}, 0.0),
        ({"X-Request-Timeout-Ms": "-20"}, -0.02),
        ({"X-Request-Timeout-Ms": "1.5"}, None),
        ({"X-Request-Timeout-Ms": "1e3"}, None),
        ({"X-Request-Timeout-Ms": "٣"}, None),
        ({"X-Request-Timeout-Ms": "9" * 13}, None),
        ({"grpc-timeout": "250m"}, 0.25),
        ({"grpc-timeout": "2H"}, 7200.0),
        ({"grpc-timeout": "123456789S"}, None),
        ({"grpc-timeout": "5"}, None),
        ({"grpc-timeout": "2S", "X-Request-Timeout-Ms": "1500"}, 1.5),
        ({"grpc-timeout": "1S", "X-Request-Timeout-Ms": "nonsense"}, 1.0),
    ],
)
def test_time_left_is_read_and_nonsense_is_as_if_not_there(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert read_deadline(headers.get) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("remaining", "milliseconds", "grpc"),
    [
        (1.5, "1500", "1500000u"),
        (0.0009, "0", "900000n"),
        (-3.0, "0", "0n"),
        (100_000.0, "100000000", "100000S"),
        (1e15, "1000000000000000000", "99999999H"),
    ],
)
def test_time_left_is_written_rounded_down(remaining: float, milliseconds: str, grpc: str) -> None:
    assert (written_deadline(remaining), written_grpc_deadline(remaining)) == (milliseconds, grpc)


@pytest.mark.parametrize("value", [None, "", "a b", "a\nb", "x" * 129, "é"])
def test_id_that_could_forge_a_log_line_is_none(value: str | None) -> None:
    assert valid_request_id(value) is None


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (PARENT, True),
        (f"01-{PARENT[3:]}-later", True),
        (f"{PARENT}-more", False),
        (f"ff-{PARENT[3:]}", False),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (PARENT.upper(), False),
        (None, False),
    ],
)
def test_trace_parent_is_valid_by_its_version(value: str | None, *, valid: bool) -> None:
    assert valid_trace_parent(value) == (value if valid else None)


@pytest.mark.parametrize(
    ("headers", "correlation"),
    [
        (
            {"traceparent": PARENT, "tracestate": "a=1", "X-Request-ID": "r1"},
            Correlation("r1", PARENT, "a=1"),
        ),
        ({"traceparent": PARENT, "X-Request-ID": "b a d"}, Correlation(TRACE, PARENT)),
        ({"traceparent": PARENT, "tracestate": "a=1\r\nx: y"}, Correlation(TRACE, PARENT)),
        ({"traceparent": "bad", "tracestate": "a=1", "X-Request-ID": "r1"}, Correlation("r1")),
        ({}, Correlation("made")),
    ],
)
def test_request_is_known_by_its_trace_else_its_id_else_a_new_one(
    headers: dict[str, str], correlation: Correlation
) -> None:
    assert read_correlation(headers.get, lambda: "made") == correlation


def test_correlation_tells_the_next_service_what_it_knows() -> None:
    correlation = Correlation("r1", PARENT, "a=1")

    assert read_correlation(correlation.headers().get) == correlation


def test_two_requests_without_an_id_get_two() -> None:
    first, second = read_correlation({}.get), read_correlation({}.get)

    assert valid_request_id(first.request_id) is not None
    assert first.request_id != second.request_id


@pytest.mark.parametrize(("value", "attempt"), [("2", 2), ("0", 0), ("-1", None), ("two", None)])
def test_attempt_is_read_and_nonsense_is_as_if_not_there(value: str, attempt: int | None) -> None:
    assert read_attempt({"X-Retry-Attempt": value}.get) == attempt
    assert read_attempt({}.get) is None
