"""The id of the request, in what is logged while it is served."""

import logging
from collections.abc import Generator

import pytest
import structlog
from structlog.testing import LogCapture

from uat_resilience.integrations.headers import Correlation, current_correlation
from uat_resilience.integrations.logging import CorrelationFilter
from uat_resilience.integrations.structlog import add_correlation


@pytest.fixture
def request_id() -> Generator[str]:
    token = current_correlation.set(Correlation("abc"))
    yield "abc"
    current_correlation.reset(token)


def record() -> logging.LogRecord:
    made = logging.LogRecord("tests", logging.INFO, "here", 1, "hello", None, None)
    assert CorrelationFilter().filter(made)
    return made


def test_record_of_a_request_has_its_id(request_id: str) -> None:
    line = logging.Formatter("%(request_id)s %(message)s").format(record())

    assert line == f"{request_id} hello"


def test_record_of_no_request_has_a_dash() -> None:
    line = logging.Formatter("%(request_id)s %(message)s").format(record())

    assert line == "- hello"


def test_entry_of_a_request_has_its_id(request_id: str) -> None:
    kept = LogCapture()
    logger = structlog.wrap_logger(None, [add_correlation, kept])

    logger.info("hello")

    assert kept.entries[0]["request_id"] == request_id


def test_entry_of_no_request_has_none() -> None:
    kept = LogCapture()
    logger = structlog.wrap_logger(None, [add_correlation, kept])

    logger.info("hello")

    assert "request_id" not in kept.entries[0]
