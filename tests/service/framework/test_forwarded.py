"""Who asks, and by which scheme, is what a trusted proxy says, and otherwise what the connection shows."""

import httpx
import pytest

from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send
from uat_service.forwarded import Forwarded

PROXY, STRANGER, CUSTOMER = "10.0.0.1", "10.0.0.2", "192.0.2.7"


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what is known of the client."""
    del receive
    known = f"{scope['scheme']} {scope['client'][0]}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": known})


async def ask(sender: str, **headers: str) -> str:
    transport = httpx.ASGITransport(Forwarded(told, PROXY), client=(sender, 1))
    named = {f"x-forwarded-{name}": value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return (await client.get("/", headers=named)).text


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({}, f"http {PROXY}"),
        ({"for": CUSTOMER}, f"http {CUSTOMER}"),
        ({"proto": "https"}, f"https {PROXY}"),
        ({"for": CUSTOMER, "proto": "https"}, f"https {CUSTOMER}"),
    ],
)
async def test_word_of_a_trusted_proxy_counts(headers: dict[str, str], known: str) -> None:
    assert await ask(PROXY, **headers) == known


async def test_word_of_a_stranger_does_not_count() -> None:
    assert await ask(STRANGER, **{"for": CUSTOMER, "proto": "https"}) == f"http {STRANGER}"
