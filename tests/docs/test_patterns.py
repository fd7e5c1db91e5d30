"""The page of the patterns names every policy there is."""

from tests.docs.pages import DOCS, blocks

import uat_resilience

PAGE = DOCS / "RESILIENCE_PATTERNS.md"
LIFECYCLE = {"HealthRegistry", "GracefulShutdown", "RetryBudget", "Keyed"}


def _policies() -> set[str]:
    """Return the public classes that run calls, but for the protocol itself."""
    named = {name: getattr(uat_resilience, name) for name in uat_resilience.__all__}
    runs = {
        name for name, each in named.items() if hasattr(each, "call") and hasattr(each, "acall")
    }
    return runs - {"Policy"}


def test_every_policy_has_its_lines_of_code() -> None:
    code = "\n".join(block.code for block in blocks(PAGE) if block.kind == "python")

    assert {name for name in _policies() | LIFECYCLE if f"{name}(" not in code} - {
        "Pipeline"
    } == set()
