"""pytest without the plugins that have nothing to do with ours, and take seconds to load."""

__all__ = ["ALONE"]

_OTHERS = (
    "cacheprovider",
    "faker",
    "hypothesispytest",
    "randomly",
    "schemathesis",
    "valkey",
    "xdist",
)

ALONE = [f"-pno:{plugin}" for plugin in _OTHERS]
"""Arguments."""
