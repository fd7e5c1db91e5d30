"""What the story asks for: a service of two replicas, each of which can be told to be slow."""

import asyncio
import os
from typing import Annotated

from litestar import get, put
from litestar.params import Parameter

from uat_service.app import Service

PRICES = {"tea": 4.5, "coffee": 6.0, "bread": 3.2}
REPLICA = os.environ.get("UAT_STACK_INSTANCE", "catalog")


class Mood:
    """How long this replica takes for an answer."""

    seconds = 0.0


@get("/items/{item:str}")
async def price(item: Annotated[str, Parameter()]) -> dict[str, object]:
    """Return what something costs, and which replica says so."""
    await asyncio.sleep(Mood.seconds)
    return {"item": item, "price": PRICES.get(item), "replica": REPLICA}


@put("/mood")
async def be_slow(seconds: Annotated[float, Parameter(ge=0, le=60)]) -> dict[str, float]:
    """Take so many seconds for each answer from now on."""
    Mood.seconds = seconds
    return {"seconds": seconds}


service = Service("catalog", routes=[price, be_slow])
