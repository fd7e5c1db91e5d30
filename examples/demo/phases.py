"""The story of the outage: which share of requests meets which fate, and when."""

import random
from dataclasses import dataclass
from enum import Enum, auto

STUMBLES_EVERY = 2.0


class Fate(Enum):
    """What happens to one request."""

    ANSWER = auto()
    UNAVAILABLE = auto()
    RESET = auto()
    HANG = auto()


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the run: `until` is a share of the whole, the fates are probabilities.

    A server that stumbles answers nothing but 503 for that many seconds of every two.
    """

    name: str
    until: float
    slowness: float = 1.0
    stumble: float = 0.0
    unavailable: float = 0.0
    reset: float = 0.0
    hang: float = 0.0
    hang_seconds: float = 2.0

    def describe(self) -> str:
        """Say in a few words how the server behaves."""
        troubles = (
            (self.hang, f"hang for {self.hang_seconds:g} s"),
            (self.reset, "are reset"),
            (self.unavailable, "get a 503"),
        )
        parts = [f"{100 * share:.0f} % {what}" for share, what in troubles if share]
        if self.slowness > 1.0:
            parts.append(f"answers take {self.slowness:g} times as long")
        if self.stumble:
            parts.append(f"{self.stumble:g} s of every {STUMBLES_EVERY:g} s all get a 503")
        return ", ".join(parts) if parts else "every request is answered"

    def draw(self, rng: random.Random, *, into: float) -> Fate:
        """Draw the fate of one request that is served so many seconds into the phase."""
        if into % STUMBLES_EVERY < self.stumble:
            return Fate.UNAVAILABLE
        drawn = rng.random()
        for fate, share in (
            (Fate.HANG, self.hang),
            (Fate.RESET, self.reset),
            (Fate.UNAVAILABLE, self.unavailable),
        ):
            if drawn < share:
                return fate
            drawn -= share
        return Fate.ANSWER

    def work(self, fate: Fate, service_time: float, rng: random.Random) -> float:
        """Return how long a worker is busy with a request, in seconds: errors come quickly."""
        if fate is Fate.HANG:
            return self.hang_seconds
        if fate is not Fate.ANSWER:
            return service_time * 0.2
        return service_time * self.slowness * rng.uniform(0.5, 1.5)


PHASES = (
    Phase("healthy", until=0.18),
    Phase("slow", until=0.34, slowness=1.7),
    Phase("failing", until=0.50, stumble=0.6, reset=0.15),
    Phase("outage", until=0.68, unavailable=0.10, reset=0.20, hang=0.70),
    Phase("recovery", until=1.0),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A phase with its place in a run, in seconds from the start."""

    phase: Phase
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Story:
    """The phases laid out over a run of so many seconds."""

    seconds: float

    def spans(self) -> list[Span]:
        """Return all phases in order."""
        starts = [0.0, *(phase.until for phase in PHASES)]
        return [
            Span(phase, start * self.seconds, phase.until * self.seconds)
            for phase, start in zip(PHASES, starts, strict=False)
        ]

    def at(self, now: float) -> Span:
        """Return the phase in force; the last one has no end."""
        spans = self.spans()
        return next((span for span in spans if now < span.until), spans[-1])

    def outage_end(self) -> float:
        """Return when the cause of the outage has gone."""
        return next(span.until for span in self.spans() if span.phase.name == "outage")
