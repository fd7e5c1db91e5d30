"""Three services in a row, started by the test: `front` asks `middle`, which asks `last`, and that misbehaves.

What `last` does with a call is drawn from its number: it answers, is slow, hangs, fails or asks for a pause. Each
of them remembers the calls for which it worked on when their time was over.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from random import Random  # noqa: TID251 - drawn from the number of a call

import anyio
import httpx2
from litestar import Response, get
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from uat_resilience import (
    Bulkhead,
    CircuitBreaker,
    Constant,
    Pipeline,
    Retry,
    RetryBudget,
    Timeout,
)
from uat_service.app import Service
from uat_service.client.services import Services
from uat_service.resolver.static import StaticResolver

__all__ = ["front", "last", "middle"]

BEHAVIOURS = {"answers": 10, "slow": 5, "hangs": 3, "fails": 1, "asks for a pause": 1}
running: list[int] = []
refused: list[int] = []
overtime: dict[int, float] = {}


@contextmanager
def accounted(number: int, until: float) -> Generator[None]:
    """Take note of work, and of how long it went on after its caller's deadline, on the clock of the machine."""
    running.append(number)
    try:
        yield
    finally:
        running.remove(number)
        late = anyio.current_time() - until
        if late > 0:
            overtime[number] = max(late, overtime.get(number, 0.0))


def guarded(name: str) -> Pipeline:
    """Return all that a call passes; the breaker is soon closed again, because the calls are what is tested."""
    return Pipeline(
        Timeout(10.0, thread=False),
        Retry(
            httpx2.TransportError,
            on_result=lambda answer: answer.status_code == 503,
            budget=RetryBudget(),
        ),
        CircuitBreaker(
            name,
            on=httpx2.TransportError,
            on_result=lambda answer: answer.status_code >= 500,
            recovery_time=0.05,
        ),
        Bulkhead(100),
        Timeout(3.0, thread=False),
    )


def persistent(_: str) -> Pipeline:
    """Return retries that no breaker stops, within the budget that all of them have."""
    return Pipeline(
        Retry(
            httpx2.TransportError,
            backoff=Constant(0.001),
            on_result=lambda answer: answer.status_code == 503,
            budget=RetryBudget(minimum_per_second=0.1),
        )
    )


def passing(name: str) -> list[HTTPRouteHandler]:
    """Return routes that pass calls on."""
    resolver = StaticResolver.from_environment(os.environ)
    services = Services(resolver, policy=guarded)
    storming = Services(resolver, policy=persistent)

    @get("/calls/{number:int}/{until:float}")
    async def call(number: FromPath[int], until: FromPath[float]) -> Response[bytes]:
        with accounted(number, until):
            answer = await services[name].get(f"/calls/{number}/{until}")
        return Response(answer.content, status_code=answer.status_code)

    @get("/broken")
    async def pass_on() -> Response[bytes]:
        answer = await storming[name].get("/broken")
        return Response(answer.content, status_code=answer.status_code)

    return [call, pass_on]


@get("/calls/{number:int}/{until:float}")
async def work(number: FromPath[int], until: FromPath[float]) -> str:
    """Do something, or not."""
    draw = Random(number)
    behaviour = draw.choices(list(BEHAVIOURS), weights=list(BEHAVIOURS.values()))[0]
    with accounted(number, until):
        if behaviour == "slow":
            await anyio.sleep(draw.uniform(0.0, 0.4))  # noqa: TID251 - services are slow in real time
        elif behaviour == "hangs":
            await anyio.sleep_forever()
        elif behaviour == "fails":
            raise RuntimeError("it happens")
        elif behaviour == "asks for a pause":
            raise HTTPException(status_code=503, headers={"Retry-After": "1"})
    return "done"


@get("/broken")
async def broken() -> None:
    """Fail in a way that is worth another attempt, and count it."""
    refused.append(1)
    raise HTTPException(status_code=503)


@get("/refused")
async def count() -> dict[str, int]:
    """Tell how often that was."""
    return {"count": len(refused)}


@get("/account")
async def account() -> dict[str, object]:
    """Tell what runs; and once nothing does, the overtime since it was last asked."""
    if running:
        return {"running": running}
    told = dict(overtime)
    overtime.clear()
    return {"running": running, "overtime": told}


front = Service("front", routes=[*passing("middle"), account])
middle = Service("middle", routes=[*passing("last"), account])
last = Service("last", routes=[work, broken, count, account])
