"""Takes orders, and asks the prices what they cost: through a guarded client, because they may be away."""

import os
from typing import Annotated
from urllib.parse import quote

import httpx2
from litestar import get
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import Example
from litestar.params import Parameter

from uat_resilience.integrations.httpx2 import AsyncResilientTransport, per_host
from uat_service.app import Service

PRICES = os.environ.get("UAT_SERVICES__PRICES__URL", "http://127.0.0.1:8401")

# While the prices restart, a request waits in the queue of their socket: for a second or two.
policies = per_host(total=20.0, each=8.0)
client = httpx2.AsyncClient(base_url=PRICES, transport=AsyncResilientTransport(policies))


@get("/orders/{item:str}", raises=[NotFoundException])
async def order(
    item: Annotated[str, Parameter(examples=[Example(value="tea")])],
    pieces: Annotated[int, Parameter(ge=1, le=1000)] = 1,
) -> dict[str, object]:
    """Return what an order comes to."""
    answer = await client.get(f"/prices/{quote(item, safe='')}")
    if answer.status_code == httpx2.codes.NOT_FOUND:
        raise NotFoundException(f"nobody sells {item}")
    answer.raise_for_status()
    return {"item": item, "pieces": pieces, "total": round(pieces * answer.json()["price"], 2)}


service = Service("orders", routes=[order])
service.watch(policies(httpx2.Request("GET", PRICES)))
