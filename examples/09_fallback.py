"""A fallback answers in place of a call that could not be made, or failed in a way you name."""

from uat_resilience import CallRefusedError, CircuitBreaker, Fallback, FallbackUsed, Pipeline
from uat_resilience.testing import captured

DOWN = (ConnectionError, CallRefusedError)
cache = {"soap": 3}


def last_known(error: BaseException) -> dict[str, int]:
    """Answer from the cache, and say why."""
    print(f"  answered from the cache, because of {type(error).__name__}")
    return cache


breaker = CircuitBreaker("stock")
stock = Pipeline(Fallback(on=DOWN, call=last_known), breaker, name="stock")


@Fallback(on=DOWN, value=None, name="advert")
def advert(customer: str) -> str:
    """Fail, unless nobody is asked about."""
    if not customer:
        raise ValueError("whose advert?")
    raise ConnectionError("the advert service is down")


@stock
def fetch_stock() -> dict[str, int]:
    """Fail, always."""
    raise ConnectionError("no route to host")


def main() -> None:
    """Use a value, then a function; then an error that was not named."""
    with captured() as events:
        print("a page without its advert:", advert("ada"))
    print("  it is told:", [event.policy for event in events if isinstance(event, FallbackUsed)])

    for call in range(1, 7):
        print(f"call {call}: {fetch_stock()}")
    print(f"the breaker is {breaker.state.name} behind the fallback")

    try:
        advert("")
    except ValueError as error:
        print(f"a bug is not hidden: {error!r}")


if __name__ == "__main__":
    main()
