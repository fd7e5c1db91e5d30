"""The plot: what happens, one step after the other, and what must be true after each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from examples.story.crowd import Crowd
from examples.story.stage import REPLICAS, ROUTES, Stage

__all__ = ["Plot", "PlotError"]

ANN = {"email": "ann@example.com", "username": "Ann", "password": "correct horse battery"}
A_WHILE, LONG = 1.0, 30.0  # Seconds.
ITEM = "/api/catalog/items/tea"
ROUTE = """
[upstreams.catalog]
attempt_timeout = "1s"
failures = 3
recovery = "2s"

[[routes]]
name = "catalog"
path = "/api/catalog"
rewrite = "/"
upstream = "catalog"
"""


class PlotError(AssertionError):
    """Something happened that is not in the story."""


class Plot:
    """Play the story on a stage, and tell each step.

    Args:
        stage: Where the platform runs.
        admin_token: Of the gateway.
        tell: Takes each line.
    """

    def __init__(self, stage: Stage, *, admin_token: str, tell: Callable[[str], None]) -> None:
        self._stage = stage
        self._tell = tell
        self._admin = {"Authorization": f"Bearer {admin_token}"}
        self._client = httpx2.AsyncClient(base_url=stage.url("api-gateway"), timeout=15.0)
        self._crowd = Crowd(self._client, ITEM)

    async def play(self) -> None:
        """Play all of it.

        Raises:
            PlotError: Something else happened.
        """
        steps = (
            self._open_a_route,
            self._let_ann_in,
            self._call_both_replicas,
            self._kill_one,
            self._slow_one_down,
            self._make_it_well_again,
            self._look_at_the_dashboard,
        )
        async with self._client:
            for number, step in enumerate(steps, start=1):
                self._tell(f"\n{number}. {step.__doc__}")
                await step()

    async def _open_a_route(self) -> None:
        """A catalog of two replicas gets a route at the gateway."""
        toml = ROUTES.read_text(encoding="utf-8") + ROUTE
        for query in ("?dry_run=true", ""):
            answer = await self._client.put(
                f"/admin/routes{query}", content=toml, headers=self._admin
            )
            body = self._expect(answer, 200).json()
            done = "applied" if body["applied"] else "tried"
            self._tell(f"   routes {done}, version {body['version']}: added {body['added']}")

    async def _let_ann_in(self) -> None:
        """Ann registers, logs in, and may ask; who is not logged in may not."""
        self._expect(await self._client.get(ITEM), 401)
        self._tell("   without a token: 401")
        self._expect(await self._client.post("/api/auth/register", json=ANN), 200)
        login = {"email": ANN["email"], "password": ANN["password"]}
        answer = self._expect(await self._client.post("/api/auth/login", json=login), 200)
        self._client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        price = self._expect(await self._client.get(ITEM), 200).json()
        self._tell(f"   with one: tea costs {price['price']}, says {price['replica']}")

    async def _call_both_replicas(self) -> None:
        """A crowd asks, and both replicas answer."""
        await self._until(self._both_are_known, "both replicas are known to the gateway")
        async with self._crowd.asking():
            await asyncio.sleep(A_WHILE)
        self._tell_of_the_crowd()

    async def _kill_one(self) -> None:
        """One replica is killed while the crowd asks: nothing fails, and it comes back."""
        async with self._crowd.asking():
            await asyncio.sleep(A_WHILE)
            dead = self._stage.kill(REPLICAS[0])
            self._tell(f"   killed {REPLICAS[0]}, process {dead}")
            alive = await self._stage.becomes(REPLICAS[0], "running", but=dead)
            self._tell(f"   {REPLICAS[0]} runs again, process {alive}")
            await self._until(self._breaker_is("closed", of=REPLICAS[0]), "it is asked again")
        self._tell_of_the_crowd()

    async def _slow_one_down(self) -> None:
        """The other gets slow: its breaker opens, and nothing fails."""
        async with self._crowd.asking():
            await self._be_slow(5.0)
            self._tell(f"   {REPLICAS[1]} takes five seconds for each answer")
            await self._until(self._breaker_is("open", of=REPLICAS[1]), "its breaker is open")
            await asyncio.sleep(A_WHILE)
        self._tell_of_the_crowd()

    async def _make_it_well_again(self) -> None:
        """It gets well: its breaker lets a probe in, and closes."""
        async with self._crowd.asking():
            await self._be_slow(0.0)
            await self._until(self._breaker_is("closed", of=REPLICAS[1]), "its breaker is closed")
            await asyncio.sleep(A_WHILE)
        self._tell_of_the_crowd()

    async def _look_at_the_dashboard(self) -> None:
        """The aggregator has seen all of it."""
        url = self._stage.url("metrics-aggregator")
        query = 'sum by (to) (uat_breaker_transitions_total{job="api-gateway",policy=~"catalog.*"})'

        async def seen() -> bool:
            return {"open", "closed"} <= set(await self._answers(url, query))

        await self._until(seen, "what the breakers did is there")
        for to, count in sorted((await self._answers(url, query)).items()):
            self._tell(f"   breakers that went {to}: {count}")
        self._tell(f"   the dashboard is {url}/")

    async def _answers(self, url: str, query: str) -> dict[str, str]:
        answer = await self._client.get(f"{url}/api/v1/query", params={"query": query})
        found: list[dict[str, Any]] = self._expect(answer, 200).json()["data"]["result"]
        return {each["metric"]["to"]: each["value"][1] for each in found}

    async def _be_slow(self, seconds: float) -> None:
        url = f"{self._stage.url(REPLICAS[1])}/mood"
        self._expect(await self._client.put(url, params={"seconds": seconds}), 200)

    async def _both_are_known(self) -> bool:
        return len(await self._instances()) == len(REPLICAS)

    def _breaker_is(self, state: str, *, of: str) -> Callable[[], Awaitable[bool]]:
        async def asked() -> bool:
            url = self._stage.url(of)
            return any(
                each["url"] == url and each["breaker"] == state for each in await self._instances()
            )

        return asked

    async def _instances(self) -> list[dict[str, Any]]:
        answer = await self._client.get("/admin/upstreams", headers=self._admin)
        upstreams: list[dict[str, Any]] = self._expect(answer, 200).json()
        catalog = next(each for each in upstreams if each["name"] == "catalog")
        return list(catalog["instances"])

    async def _until(self, true: Callable[[], Awaitable[bool]], told: str) -> None:
        try:
            async with asyncio.timeout(LONG):
                while not await true():  # noqa: ASYNC110 - other processes know
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise PlotError(f"not within {LONG:g} seconds: {told}") from None
        self._tell(f"   {told}")

    def _tell_of_the_crowd(self) -> None:
        failures = self._crowd.failures
        self._tell(f"   {self._crowd.told()}")
        if failures:
            raise PlotError(f"requests failed: {failures[:3]}")

    def _expect(self, answer: httpx2.Response, status: int) -> httpx2.Response:
        if answer.status_code != status:
            raise PlotError(
                f"{answer.request.method} {answer.request.url} answered {answer.status_code}, "
                f"not {status}: {answer.text[:200]}"
            )
        return answer
