"""What the tests of the metrics aggregator share."""

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.service.framework.running import started
from tests.service.store.conftest import server, url

__all__ = ["server", "url"]

HERE = Path(__file__).parent


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
    support = str(HERE / "metrics_support")
    with started("showing:service", PYTHONPATH=support, **told) as running:
        yield running.listening().address
        running.stop()
