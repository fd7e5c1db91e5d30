"""What the functions of tests say, and whether that calls a route.

A function calls a route when it has the path in a string, and calls or names the method. What an f-string fills in
counts for a part of the path that is a parameter, or that is said elsewhere in that function. Where no method is
said it is GET.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["ANY", "Function", "Route", "leads_to", "said_in"]

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
ANY = "any"  # Method of what is passed on, whatever it is.
FILLED = "\0"  # Stands in a text for what an f-string fills in.

Route = tuple[str, str]
"""Method and path; parameters are `{}`, and a last part `…` is any that follow."""


@dataclass(frozen=True)
class Function:
    """What a function says: texts, each with the methods that may go with it, and all words together."""

    texts: tuple[tuple[frozenset[str], str], ...]
    words: str

    def calls(self, route: Route) -> bool:
        """Return whether it calls a route. How a WebSocket, or what is passed on, is asked for does not matter."""
        method, path = route
        return any(
            (method in methods or method in {ANY, "WS"}) and leads_to(text, path, self.words)
            for methods, text in self.texts
        )


@cache
def said_in(folder: Path) -> tuple[Function, ...]:
    """Return the functions of all tests in a folder."""
    return tuple(
        function(node)
        for file in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def function(node: ast.AST) -> Function:
    nodes = list(ast.walk(node))
    words = "\n".join(text for each in nodes if (text := text_of(each)) is not None)
    anywhere = methods_in(nodes)
    given = {
        id(argument): methods_in([call.func, *arguments(call)])
        for call in nodes
        if isinstance(call, ast.Call)
        for argument in arguments(call)
    }
    texts = (
        (given.get(id(each), anywhere), text)
        for each in nodes
        if (text := text_of(each)) is not None and "/" in text
    )
    return Function(tuple(texts), words)


def arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(each.value for each in call.keywords)]


def methods_in(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the methods that are said, or called by name."""
    names = (
        each.attr.upper() if isinstance(each, ast.Attribute) else text_of(each) for each in nodes
    )
    return METHODS.intersection(names) or frozenset({"GET"})


def text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or FILLED for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def leads_to(text: str, path: str, words: str = "") -> bool:
    """Return whether a text is an address with a path; what is filled in must be among the words."""
    address = re.fullmatch(r"(?:\w+://)?[^/]*(?P<path>/[^?\s]*)(?:\?.*)?", text)
    if address is None:
        return False
    said, asked = address["path"].split("/"), path.split("/")
    if asked[-1] == "…":
        said, asked = said[: len(asked) - 1], asked[:-1]
    return len(said) == len(asked) and all(
        one == other
        or (other == "{}" and one != "")
        or (FILLED in one and bool(re.search(rf"(?<![\w-]){re.escape(other)}(?![\w-])", words)))
        for one, other in zip(said, asked, strict=True)
    )
