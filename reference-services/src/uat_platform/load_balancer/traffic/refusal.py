"""What is answered when no host does: problem details, with the key `error` that the platform always had."""

import json
from dataclasses import dataclass

from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Send, encoded
from uat_resilience.integrations.serving.problem import MEDIA_TYPE
from uat_service.proxy import ProxyError

__all__ = ["UNAVAILABLE", "Refusal", "of"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer.

    Attributes:
        status: Of HTTP.
        kind: Last part of its type.
        error: What went wrong, in words; it never names a host.
        retry_after: Seconds after which another try makes sense, or None.
    """

    status: int
    kind: str
    error: str
    retry_after: int | None = None

    async def send(self, send: Send, more: RawHeaders) -> None:
        """Answer a request."""
        correlation = current_correlation.get()
        body = json.dumps(
            {
                "type": f"urn:uat-resilience:problem:{self.kind}",
                "title": self.error,
                "status": self.status,
                "error": self.error,
                "request_id": None if correlation is None else correlation.request_id,
            }
        ).encode()
        headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body)))]
        if self.retry_after is not None:
            headers.append(("Retry-After", str(self.retry_after)))
        told = [*encoded(headers), *more]
        await send({"type": "http.response.start", "status": self.status, "headers": told})
        await send({"type": "http.response.body", "body": body})


UNAVAILABLE = Refusal(503, "service-unavailable", "Service unavailable", retry_after=1)


def of(error: ProxyError) -> Refusal:
    """Return how to answer what went wrong between here and a host."""
    status = int(error.status)
    words = "Service temporarily unavailable" if status >= _OURS else error.title
    return Refusal(status, error.kind, words)


_OURS = 500
