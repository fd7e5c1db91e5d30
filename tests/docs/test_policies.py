"""A policy's page says what a reader looks for: every argument, every field of the snapshot, every section."""

import inspect
import re
from dataclasses import fields

import pytest
from tests.docs.pages import DOCS, headings

from uat_resilience import (
    AdaptiveLimiter,
    AdaptiveLimiterSnapshot,
    BreakerSnapshot,
    Bulkhead,
    BulkheadSnapshot,
    CircuitBreaker,
    Coalesce,
    CoalesceSnapshot,
    Fallback,
    FallbackSnapshot,
    GracefulShutdown,
    HealthRegistry,
    Hedge,
    HedgeSnapshot,
    Keyed,
    LoadShedder,
    LoadShedderSnapshot,
    RateLimiter,
    RateLimiterSnapshot,
    Retry,
    RetrySnapshot,
    ShutdownSnapshot,
    Timeout,
    TimeoutSnapshot,
)

POLICIES: dict[str, type] = {
    "adaptive-limiter": AdaptiveLimiter,
    "bulkhead": Bulkhead,
    "circuit-breaker": CircuitBreaker,
    "coalesce": Coalesce,
    "fallback": Fallback,
    "health": HealthRegistry,
    "hedge": Hedge,
    "keyed": Keyed,
    "load-shedder": LoadShedder,
    "rate-limiter": RateLimiter,
    "retry": Retry,
    "shutdown": GracefulShutdown,
    "timeout": Timeout,
}
SNAPSHOTS = {
    "adaptive-limiter": AdaptiveLimiterSnapshot,
    "bulkhead": BulkheadSnapshot,
    "circuit-breaker": BreakerSnapshot,
    "coalesce": CoalesceSnapshot,
    "fallback": FallbackSnapshot,
    "hedge": HedgeSnapshot,
    "load-shedder": LoadShedderSnapshot,
    "rate-limiter": RateLimiterSnapshot,
    "retry": RetrySnapshot,
    "shutdown": ShutdownSnapshot,
    "timeout": TimeoutSnapshot,
}
EVERYWHERE = {"self", "name", "clock", "bus"}
PAGES = sorted(page.stem for page in (DOCS / "policies").glob("*.md") if page.stem != "index")
SECTIONS = [
    *("About", "Usage", "How it decides", "Defaults", "With other policies", "Telemetry"),
    *("Sync, asyncio, trio", "Cancellation", "Anti-patterns", "Errors"),
]


CHANGED = "Change it while it runs"
CHANGEABLE = [page for page, policy in POLICIES.items() if hasattr(policy, "update")]


@pytest.mark.parametrize("page", PAGES)
def test_page_has_every_section_in_the_usual_order(page: str) -> None:
    found = headings(DOCS / "policies" / f"{page}.md", 2)

    assert [section for section in found if section != CHANGED] == SECTIONS


@pytest.mark.parametrize("page", [*CHANGEABLE, "retry"])
def test_page_says_after_the_defaults_how_they_are_changed(page: str) -> None:
    found = headings(DOCS / "policies" / f"{page}.md", 2)

    assert found[found.index("Defaults") + 1] == CHANGED


@pytest.mark.parametrize("page", CHANGEABLE)
def test_the_guide_names_every_setting_that_can_be_changed(page: str) -> None:
    policy = POLICIES[page]
    settings = list(inspect.signature(policy.update).parameters)[1:]

    guide = (DOCS / "how-to" / "change-settings-live.md").read_text()

    told = ", ".join(f"`{setting}`" for setting in settings)
    assert f"| `{policy.__name__}` | {told} |" in guide


@pytest.mark.parametrize("page", POLICIES)
def test_page_gives_the_default_of_every_argument(page: str) -> None:
    arguments = set(inspect.signature(POLICIES[page].__init__).parameters) - EVERYWHERE

    told = _named_in(page, "Defaults")

    assert arguments - told == set()


@pytest.mark.parametrize("page", SNAPSHOTS)
def test_page_names_every_field_of_the_snapshot(page: str) -> None:
    told = _named_in(page, "Telemetry")

    shown = {field.name for field in fields(SNAPSHOTS[page])}

    assert shown - told == set()


def test_index_leads_to_every_page() -> None:
    text = (DOCS / "policies" / "index.md").read_text(encoding="utf-8")

    linked = set(re.findall(r"\]\(([a-z-]+)\.md", text))

    assert linked == set(PAGES)


def _named_in(page: str, section: str) -> set[str]:
    text = (DOCS / "policies" / f"{page}.md").read_text(encoding="utf-8")
    part = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`([a-z_]+)", part))
