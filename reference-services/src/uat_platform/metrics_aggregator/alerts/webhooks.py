"""Telling others of alerts, in the words of Alertmanager's webhooks (version 4)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

import httpx2
import structlog

from uat_platform.metrics_aggregator.alerts.board import Alert
from uat_platform.metrics_aggregator.series.labels import Labels
from uat_resilience import CallRefusedError, Exponential, Retry, TimedOutError
from uat_resilience.integrations.cookies import no_cookies

__all__ = ["Webhooks", "message"]

_ZERO = "0001-01-01T00:00:00Z"
_SECONDS = 5.0
_SERVER_ERRORS = 500


class Webhooks:
    """Post alerts to some URLs. Belongs to one event loop.

    Each gets three attempts; what cannot be delivered is logged and forgotten, and the next change tells anew.

    Args:
        urls: Who is told.
        sender: What goes out as `User-Agent` and `externalURL`.
    """

    def __init__(self, urls: Sequence[str], *, sender: str) -> None:
        self._urls = [*urls]
        self._sender = sender
        self._client = httpx2.AsyncClient(
            timeout=_SECONDS,
            trust_env=False,
            headers={"User-Agent": sender},
            cookies=no_cookies(),
        )
        retry = Retry(
            on=(httpx2.HTTPError, TimedOutError), attempts=3, backoff=Exponential(0.2, maximum=2.0)
        )
        self._post = retry(self._posting)

    async def tell(self, alerts: Sequence[Alert]) -> None:
        """Tell everybody of alerts that have changed."""
        if not alerts:
            return
        body = message(alerts, sender=self._sender)
        for url in self._urls:
            try:
                await self._post(url, body)
            except (httpx2.HTTPError, CallRefusedError, TimedOutError) as error:
                _logger.warning("a webhook was not told", error=type(error).__name__)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _posting(self, url: str, body: dict[str, object]) -> None:
        answer = await self._client.post(url, json=body)
        if answer.status_code >= _SERVER_ERRORS:
            answer.raise_for_status()


def message(alerts: Sequence[Alert], *, sender: str) -> dict[str, object]:
    """Return what is posted."""
    firing = any(each.state == "firing" for each in alerts)
    return {
        "version": "4",
        "groupKey": "{}",
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "webhook",
        "groupLabels": {},
        "commonLabels": _common(alerts),
        "commonAnnotations": {},
        "externalURL": f"http://{sender}",
        "alerts": [
            {
                "status": each.state,
                "labels": dict(each.labels),
                "annotations": each.annotations,
                "startsAt": _written(each.since),
                "endsAt": _ZERO if each.ended is None else _written(each.ended),
                "generatorURL": "",
                "fingerprint": _fingerprint(each.labels),
            }
            for each in alerts
        ],
    }


def _written(seconds: float) -> str:
    date = datetime.fromtimestamp(seconds, UTC)
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _common(alerts: Sequence[Alert]) -> dict[str, str]:
    first, *others = (set(each.labels) for each in alerts)
    return dict(first.intersection(*others))


def _fingerprint(labels: Labels) -> str:
    return sha256(repr(labels).encode()).hexdigest()[:16]


_logger = structlog.get_logger("uat_platform.metrics_aggregator")
