"""hedge-python: hedged requests for HTTP clients."""

from functools import partial

from hedge import HedgeConfig
from hedge.transport._base import HedgeScheduler

from benchmarks.contenders.contender import Call, Contender, World


class HedgePython(Contender):
    """What its transports run each request through, without a client around it."""

    name = "hedge-python"
    module = "hedge"
    distribution = "hedge-python"
    worlds = frozenset({World.ASYNC})
    note = "it is made for HTTP clients; here it is what is inside its transports, without HTTP"

    def hedge(self, call: Call) -> Call:
        scheduler = HedgeScheduler(
            HedgeConfig(warmup_requests=0, warmup_delay=10.0, min_delay=10.0)
        )
        sketch = scheduler.sketch_for("benchmark")

        def record(_: object, elapsed: float) -> None:
            sketch.add(elapsed)

        async def guarded(order: int) -> object:
            copy = partial(call, order)
            return await scheduler.execute_with_hedge("benchmark", copy, copy, record)

        return guarded


CONTENDERS = [HedgePython]
