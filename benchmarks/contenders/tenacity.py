"""tenacity: retry."""

import tenacity

from benchmarks.contenders.contender import Call, Contender

_PAUSES = tenacity.wait_random_exponential(multiplier=0.1, max=30.0)


class Tenacity(Contender):
    """By default it retries for ever, on everything, at once: what it does is all said here."""

    name = "tenacity"
    module = "tenacity"
    distribution = "tenacity"

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        return tenacity.retry(
            retry=tenacity.retry_if_exception_type(ConnectionError),
            stop=tenacity.stop_after_attempt(3),
            wait=_PAUSES if pauses else tenacity.wait_none(),
            reraise=True,
        )(call)


CONTENDERS = [Tenacity]
