"""Knows what things cost."""

from typing import Annotated

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import Example
from litestar.params import Parameter

from uat_service.app import Service

PRICES = {"tea": 4.5, "coffee": 6.0, "bread": 3.2}


@get("/prices/{item:str}", raises=[NotFoundException])
async def price(
    item: Annotated[str, Parameter(examples=[Example(value="tea")])],
) -> dict[str, float]:
    """Return the price of one item."""
    if item not in PRICES:
        raise NotFoundException(f"nobody sells {item}")
    return {"price": PRICES[item]}


service = Service("prices", routes=[price])
