"""The code of a recipe, as its page prints it."""

from types import ModuleType

from tests.docs.pages import DOCS, blocks


def recipe(page: str, title: str) -> ModuleType:
    """Return the file that a page of the how-to guides shows under a title, as a module."""
    path = DOCS / "how-to" / page
    block = next(block for block in blocks(path) if block.title == title)
    module = ModuleType(title.removesuffix(".py"))
    code = compile("\n" * (block.line - 1) + block.code, str(path), "exec")
    exec(code, module.__dict__)  # noqa: S102 - it is our own page, and running it is the test
    return module
