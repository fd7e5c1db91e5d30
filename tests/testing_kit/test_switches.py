import pytest

from uat_resilience import CircuitBreaker, CircuitOpenError
from uat_resilience.switches import switches
from uat_resilience.testing import FakeClock, disabled, instant


def test_leaving_disabled_and_instant_restores_what_was_there_before() -> None:
    with disabled(), instant():
        with disabled(), instant():
            pass
        assert (switches.guarding, switches.pausing) == (False, False)

    assert (switches.guarding, switches.pausing) == (True, True)


def test_an_error_inside_disabled_restores_it_too() -> None:
    breaker = CircuitBreaker("db")
    breaker.force_open()

    with pytest.raises(ValueError, match="invalid"), disabled():
        breaker.call(int, "no number")

    with pytest.raises(CircuitOpenError):
        breaker.call(int)


def test_a_breaker_is_as_it_was_when_disabled_is_over() -> None:
    breaker = CircuitBreaker("db", clock=FakeClock())
    with pytest.raises(ValueError, match="invalid"):
        breaker.call(int, "no number")
    before = breaker.snapshot()

    with disabled(), pytest.raises(ValueError, match="invalid"):
        breaker.call(int, "no number")

    assert breaker.snapshot() == before
