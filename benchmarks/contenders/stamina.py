"""stamina: retry with safe defaults, on top of tenacity."""

import stamina
from stamina.instrumentation import set_on_retry_hooks

from benchmarks.contenders.contender import Call, Contender

# By default it logs every retry, and counts it because prometheus-client is installed here: nobody else does.
set_on_retry_hooks([])


class Stamina(Contender):
    """It gives up after 45 seconds as well, by default."""

    name = "stamina"
    module = "stamina"
    distribution = "stamina"

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        if pauses:
            return stamina.retry(on=ConnectionError, attempts=3)(call)
        return stamina.retry(
            on=ConnectionError, attempts=3, wait_initial=0.0, wait_max=0.0, wait_jitter=0.0
        )(call)


CONTENDERS = [Stamina]
