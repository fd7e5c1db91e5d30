"""backoff: retry."""

import backoff

from benchmarks.contenders.contender import Call, Contender


class Backoff(Contender):
    """It logs each retry to a logger without a handler, by default."""

    name = "backoff"
    module = "backoff"
    distribution = "backoff"

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        if pauses:
            return backoff.on_exception(backoff.expo, ConnectionError, max_tries=3)(call)
        return backoff.on_exception(
            backoff.constant, ConnectionError, max_tries=3, interval=0, jitter=None
        )(call)


CONTENDERS = [Backoff]
