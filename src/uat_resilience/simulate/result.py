"""What a simulation found, and how to look at it."""

from dataclasses import dataclass
from pathlib import Path

from uat_resilience.simulate.figures import Figures
from uat_resilience.simulate.table import summary

__all__ = ["Result"]


@dataclass(frozen=True, slots=True)
class Result(Figures):
    """What a simulation found: figures, as text and as a picture."""

    def summary(self) -> str:
        """Return a few lines of text for people."""
        return summary(self)

    def plot(self, path: str | Path) -> None:
        """Draw the goodput, the calls, the latency and the breakers over time; the suffix says as what.

        Raises:
            ImportError: matplotlib is missing; the message says what to install.
        """
        from uat_resilience.simulate.plot import draw  # noqa: PLC0415 - needs an optional library

        draw([self], path)
