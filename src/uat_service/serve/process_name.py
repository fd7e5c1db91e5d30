"""The name of this process, as `ps -o comm` and `top` show it."""

from pathlib import Path

__all__ = ["name_process"]


def name_process(name: str) -> None:
    """Call this process so. The system keeps the first 15 bytes."""
    Path("/proc/self/comm").write_text(name, encoding="utf-8")
