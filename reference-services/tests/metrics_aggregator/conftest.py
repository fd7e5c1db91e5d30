"""What the tests of the metrics aggregator share."""

import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.service.framework.running import command, surroundings

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))  # There is no package here: for `metrics_support`.

from metrics_support.process import listening  # noqa: E402 - see above


@pytest.fixture
def anyio_backend() -> str:
    """A service runs on asyncio, and its arithmetic in real threads."""
    return "asyncio"


@pytest.fixture(scope="session")
def showing(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The aggregator in a process of its own, with a fleet that has a past; yields its address."""
    told = {
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('showing') / 'metrics.db'}",
        "SCRAPE_INTERVAL": "2s",
        "ALERT_INTERVAL": "1s",
    }
    with listening(
        command("showing:service", "--port", "0"),
        cwd=HERE / "metrics_support",
        env=surroundings(told),
    ) as address:
        yield address
