"""Hold threads up in the middle of the library, where a scheduler would not often stop them.

A thread rarely loses its turn inside the few steps that must not be interrupted, so a test that waits for that by
luck sees little. Here each instruction of the library that a thread comes to may hold it up for a moment, in which
all the others go on. Which ones is drawn from a seed.
"""

import random  # noqa: TID251 - a seeded draw, for a test
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import uat_resilience

__all__ = ["held_up_at_random"]

LIBRARY = str(Path(uat_resilience.__file__).parent)


@contextmanager
def held_up_at_random(share: float, *, seed: int = 0) -> Generator[None]:
    """Hold up threads that are started in this block at this share of the library's instructions."""
    draws, never = random.Random(seed), threading.Event()

    def step(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "opcode" and draws.random() < share:
            never.wait(1e-5)
        return step

    def call(frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(LIBRARY):
            return None
        frame.f_trace_opcodes = True
        return step

    before = threading.gettrace()
    threading.settrace(call)
    try:
        yield
    finally:
        threading.settrace(before)
