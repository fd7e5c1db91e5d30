"""The page about errors names every type there is, and messages that are really told."""

import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from tests.docs.pages import DOCS, PAGES

from uat_resilience import Bulkhead, Constant, Hedge, Retry

PAGE = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
BULKHEAD: Any = Bulkhead(1)
RETRY: Any = Retry(on=ConnectionError, backoff=Constant(1.0))


def first_cells(title: str) -> list[str]:
    """Return what stands in the first column of the tables of a section."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def documented_types() -> Iterator[str]:
    """Return the names of errors and warnings in the modules that the reference shows."""
    for page in PAGES:
        for module in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            shown = import_module(module)
            for name in shown.__all__:
                found = getattr(shown, name)
                if inspect.isclass(found) and issubclass(found, Exception):
                    yield name


def test_every_type_has_its_cause_and_remedy() -> None:
    sections = ("From policies", "From services", "From simulations", "Warnings")

    named = [name for section in sections for name in first_cells(section)]

    assert sorted(named) == sorted(set(documented_types()))


async def fetch() -> None: ...


def fail() -> None:
    raise ConnectionError


def generate() -> Iterator[int]:
    yield 1


def retry_in_a_loop() -> None:
    async def main() -> None:
        RETRY.call(fail)

    asyncio.run(main())


def loop_without_a_block() -> None:
    for _ in RETRY:
        pass


def enter_twice() -> None:
    permit = BULKHEAD.permit()
    with permit:
        pass
    with permit:
        pass


def enter_the_policy() -> None:
    with BULKHEAD:
        pass


MISTAKES: dict[str, Callable[[], object]] = {
    "a sync call returned the coroutine": lambda: BULKHEAD.call(fetch),
    "which cannot be awaited": lambda: asyncio.run(BULKHEAD.acall(int)),
    "would block the event loop": retry_in_a_loop,
    "must be a plain function, not the coroutine function": lambda: RETRY.replace(on=fetch),
    "which cannot be called with one exception": lambda: RETRY.replace(on=fail),
    "can guard functions and callables, not": lambda: BULKHEAD.call(7),
    "put it underneath": lambda: BULKHEAD(classmethod(fail)),
    "cannot guard the generator function": lambda: Hedge(1.0)(generate),
    "cannot guard the sync function": lambda: Hedge(1.0)(fail),
    "does not support the context manager protocol": enter_the_policy,
    "an attempt guards nothing by itself": loop_without_a_block,
    "a permit guards one block": enter_twice,
}


def test_every_mistake_on_the_page_is_made_here() -> None:
    assert first_cells("Mistakes") == list(MISTAKES)


@pytest.mark.parametrize("message", MISTAKES)
def test_mistake_is_answered_with_the_message_on_the_page(message: str) -> None:
    with pytest.raises((TypeError, RuntimeError), match=re.escape(message)):
        MISTAKES[message]()
