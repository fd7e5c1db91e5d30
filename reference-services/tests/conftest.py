"""What the tests of all reference services share."""

from tests.conftest import _bus_as_it_was, _bus_as_it_was_before, _unmeasured

__all__ = ["_bus_as_it_was", "_bus_as_it_was_before", "_unmeasured"]
