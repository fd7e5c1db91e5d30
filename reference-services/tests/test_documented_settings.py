"""Each setting of a service is on its page, and those that say where others are follow a stack that is moved."""

import re
from pathlib import Path

import pytest

from uat_platform.auth.settings import AuthSettings
from uat_platform.gateway.settings import GatewaySettings
from uat_platform.load_balancer.settings import BalancerSettings
from uat_platform.metrics_aggregator.settings import MetricsSettings
from uat_service.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    "reference/service.md": Settings,
    "services/auth.md": AuthSettings,
    "services/gateway.md": GatewaySettings,
    "services/load-balancer.md": BalancerSettings,
    "services/metrics-aggregator.md": MetricsSettings,
}


@pytest.mark.parametrize("page", PAGES)
def test_the_page_of_a_service_has_its_settings_and_no_others(page: str) -> None:
    settings = PAGES[page]

    said = set(named_on(page))

    assert said >= own(settings)
    assert said <= {name.upper() for name in settings.model_fields}


def own(settings: type[Settings]) -> set[str]:
    """Return the settings that a service has alone, and those of which it has another default."""
    common = {} if settings is Settings else Settings.model_fields
    return {
        name.upper()
        for name, field in settings.model_fields.items()
        # The port stands in the first lines of a page.
        if name not in common or (name != "port" and field.default != common[name].default)
    }


def named_on(page: str) -> list[str]:
    """Return what the first column of the table of settings names."""
    section = (DOCS / page).read_text(encoding="utf-8").partition("\n## Settings\n")[2]
    table = section.partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def test_services_of_a_stack_on_other_ports_ask_each_other_and_nobody_else() -> None:
    moved = {
        "UAT_SERVICES__LOAD_BALANCER__URL": "http://127.0.0.1:9011",
        "UAT_SERVICES__AUTH__URL": "http://127.0.0.1:9015",
    }
    gateway = GatewaySettings.read("api-gateway", moved)
    aggregator = MetricsSettings.read("metrics-aggregator", moved)
    auth = AuthSettings.read("auth", {**moved, "PORT": "9015"})

    assert gateway.load_balancer_url == "http://127.0.0.1:9011"
    assert gateway.auth_url == "http://127.0.0.1:9015"
    assert gateway.token_issuer == auth.issuer_url
    assert aggregator.discovery_url == "http://127.0.0.1:9011/sd/prometheus"
