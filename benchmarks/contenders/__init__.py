"""The libraries that are compared: one module each, one class each, the same few builders in all."""

import importlib

from benchmarks.contenders.contender import Call, Contender, NotOffered, World

__all__ = ["OURS", "Call", "Contender", "NotOffered", "World", "load"]

OURS = "uat_resilience"

# The order of the tables where nothing else decides it.
_MODULES = (
    "uat_resilience",
    "nopanic",
    "interlock",
    "hyx",
    "pyresilience",
    "circuitbreaker",
    "aiobreaker",
    "pybreaker",
    "purgatory",
    "tenacity",
    "stamina",
    "backoff",
    "aiolimiter",
    "limits",
    "pyrate_limiter",
    "throttled",
    "cashews",
    "hedge_python",
    "stdlib",
    "anyio",
)


def load() -> tuple[list[Contender], list[str]]:
    """Return the contenders that are installed, and the names of those that are not."""
    found: list[Contender] = []
    missing: list[str] = []
    for name in _MODULES:
        try:
            module = importlib.import_module(f"benchmarks.contenders.{name}")
        except ImportError as error:
            missing.append(f"{name} ({error})")
        else:
            found += [contender() for contender in module.CONTENDERS]
    return found, missing
