import runpy
import sys
from pathlib import Path

import pytest

import uat_resilience
import uat_service

INTEGRATIONS = Path(uat_resilience.__file__).parent / "integrations"

MISSING = [
    ("aiohttp", "aiohttp", "uat-resilience[aiohttp]"),
    ("pool/library", "httpcore2", "uat-resilience[httpx]"),
    ("httpx", "httpx", "uat-resilience[httpx]"),
    ("httpx2", "httpx2", "uat-resilience[httpx2]"),
    ("requests", "requests", "uat-resilience[requests]"),
    ("django", "django.http", "django>=5.2"),
    ("litestar", "litestar", "uat-resilience[litestar]"),
    ("opentelemetry", "opentelemetry.metrics", "uat-resilience[opentelemetry]"),
    ("prometheus", "prometheus_client", "uat-resilience[prometheus]"),
    ("pytest", "pytest", "uat-resilience[pytest]"),
    ("structlog", "structlog", "uat-resilience[structlog]"),
]


@pytest.mark.parametrize(("module", "library", "extra"), MISSING)
def test_missing_library_is_answered_with_what_to_install(
    module: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ImportError) as told:
        runpy.run_path(str(INTEGRATIONS / f"{module}.py"))

    assert f"pip install '{extra}'" in str(told.value)


@pytest.mark.parametrize("library", ["litestar", "pydantic_settings"])
def test_services_without_their_extra_are_answered_with_what_to_install(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ImportError) as told:
        runpy.run_path(uat_service.__file__)

    assert library in str(told.value)
    assert "pip install 'uat-resilience[service]'" in str(told.value)
