"""One server for each framework, and a client for it."""

from collections.abc import Generator

import httpx
import pytest
from tests.integrations.server.apps import FRAMEWORKS, Make
from tests.integrations.server.serving import PATIENCE, Served, serving
from tests.integrations.server.stage import Stage


@pytest.fixture(scope="module", params=FRAMEWORKS)
def make(request: pytest.FixtureRequest) -> Make:
    """What makes the service, once with each framework."""
    return FRAMEWORKS[request.param]


@pytest.fixture(scope="module")
def stage(make: Make) -> Stage:
    """What the services do."""
    return Stage()


@pytest.fixture(scope="module")
def served(make: Make, stage: Stage) -> Generator[Served]:
    """The service, served by uvicorn as it comes."""
    with serving(make(stage)) as served:
        yield served


@pytest.fixture(scope="module")
def client(served: Served) -> Generator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=served.url, timeout=PATIENCE) as client:
        yield client
