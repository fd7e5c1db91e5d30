"""Stacks that really run, each in a directory of its own, ended with the test."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from tests.service.stack.running import Running

Run = Callable[..., Running]


@pytest.fixture
def run(tmp_path: Path) -> Generator[Run]:
    """Return what writes a stack.toml and runs it."""
    started: list[Running] = []

    def start(
        *tables: str, arguments: tuple[str, ...] = (), env: dict[str, str] | None = None
    ) -> Running:
        (tmp_path / "stack.toml").write_text("\n".join(tables), encoding="utf-8")
        started.append(Running(tmp_path, *arguments, env=env))
        return started[-1]

    yield start
    for each in started:
        each.close()
