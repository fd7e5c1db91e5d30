"""What the service may be told from outside; the names are those of environment variables, in small letters."""

from typing import Annotated

from pydantic import Field, field_validator

from uat_platform.metrics_aggregator.scraping.target import Target, from_address
from uat_service.duration import Duration
from uat_service.settings import OfStack, Settings
from uat_service.store import StoreUrl

__all__ = ["MetricsSettings"]

_HOUR = 3_600.0
_DAY = 86_400.0


class MetricsSettings(Settings):
    """The settings of the metrics aggregator, besides those that every service has.

    Attributes:
        database_url: Where down-samples are: `sqlite:///path` or `postgresql://...`.
        load_balancer_url: Whose `/sd/prometheus` names the targets; `none` when there is none.
        scrape_targets: Further targets: `name=host:port`, separated by commas.
        scrape_interval: Seconds from one scrape of a target to the next.
        scrape_timeout: Seconds that one may take.
        scrape_slots: Scrapes at once.
        scrape_bytes: Of one answer that are read at most.
        series_per_target: That are kept at most; further ones are dropped and counted.
        series_limit: Of all targets together.
        discovery_interval: Seconds between two looks at the load balancer.
        memory_span: Seconds for which all samples are kept.
        archive_fine_span: Seconds for which one sample in 10 s is kept.
        archive_span: Seconds for which one sample a minute is kept.
        query_timeout: Seconds that a query may take.
        query_slots: Queries at once.
        query_samples: That one query may read at most.
        lookback: Seconds for which a sample holds when no newer one comes.
        alert_rules: File of rules, in TOML; empty for the built-in ones.
        alert_webhooks: URLs that are told of alerts, separated by commas.
        alert_interval: Seconds between two evaluations of the rules.
    """

    port: Annotated[int, Field(ge=0, le=65535)] = 8013
    database_url: StoreUrl = "sqlite:///.uat/metrics.db"
    load_balancer_url: Annotated[str, OfStack("load-balancer")] = "http://127.0.0.1:8011"
    scrape_targets: str = ""
    scrape_interval: Duration = 5.0
    scrape_timeout: Duration = 4.0
    scrape_slots: Annotated[int, Field(ge=1)] = 10
    scrape_bytes: Annotated[int, Field(ge=1_000)] = 8 * 2**20
    series_per_target: Annotated[int, Field(ge=1)] = 10_000
    series_limit: Annotated[int, Field(ge=1)] = 100_000
    discovery_interval: Duration = 5.0
    memory_span: Duration = _HOUR
    archive_fine_span: Duration = 6 * _HOUR
    archive_span: Duration = 15 * _DAY
    query_timeout: Duration = 20.0
    query_slots: Annotated[int, Field(ge=1)] = 4
    query_samples: Annotated[int, Field(ge=1)] = 5_000_000
    lookback: Duration = 300.0
    alert_rules: str = ""
    alert_webhooks: str = ""
    alert_interval: Duration = 15.0

    @field_validator("scrape_targets")
    @classmethod
    def _targets(cls, value: str) -> str:
        _named(value)
        return value

    @property
    def targets(self) -> list[Target]:
        """The targets that were named."""
        return _named(self.scrape_targets)

    @property
    def webhooks(self) -> list[str]:
        """Who is told of alerts."""
        return [each.strip() for each in self.alert_webhooks.split(",") if each.strip()]

    @property
    def discovery_url(self) -> str:
        """Where the load balancer names the targets, or an empty text."""
        base = self.load_balancer_url.rstrip("/")
        return "" if base in {"", "none"} else f"{base}/sd/prometheus"


def _named(value: str) -> list[Target]:
    found: list[Target] = []
    for each in value.split(","):
        if each.strip():
            name, _, address = each.strip().rpartition("=")
            found.append(from_address(address, {"job": name} if name else {}))
    return found
