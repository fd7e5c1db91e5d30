"""Takes orders, and asks the prices what they cost: through a pipeline, because another process may be away."""

import os
from typing import Annotated

import httpx2
from litestar import get
from litestar.params import Parameter

from uat_resilience import CircuitBreaker, Pipeline, Retry, TimedOutError, Timeout
from uat_service.app import Service

PRICES = os.environ.get("UAT_SERVICES__PRICES__URL", "http://127.0.0.1:8401")

breaker = CircuitBreaker("prices", recovery_time=2.0)
# While the prices restart, a request waits in the queue of their socket: for a second or two, so 5 is patient enough.
prices = Pipeline(
    Timeout(15.0),
    Retry(on=(httpx2.TransportError, TimedOutError), attempts=5),
    breaker,
    Timeout(5.0),
    name="prices-client",
)
client = httpx2.AsyncClient(base_url=PRICES, trust_env=False)


@prices
async def cost(item: str) -> float:
    """Return what one piece costs."""
    answer = await client.get(f"/prices/{item}")
    answer.raise_for_status()
    return float(answer.json()["price"])


@get("/orders/{item:str}")
async def order(
    item: Annotated[str, Parameter()], pieces: Annotated[int, Parameter()] = 1
) -> dict[str, object]:
    """Return what an order comes to."""
    return {"item": item, "pieces": pieces, "total": round(pieces * await cost(item), 2)}


service = Service("orders", routes=[order]).watch(prices)
