"""Write the public surface of uat_resilience, names and signatures, to uat_resilience.txt.

griffe reads the source and runs nothing, so the result is the same whichever optional libraries
are installed. `make api` runs this file; test_public_api.py compares.
"""

from collections.abc import Iterator
from pathlib import Path

import griffe

HERE = Path(__file__).parent
SNAPSHOT = HERE / "uat_resilience.txt"
SOURCE = HERE.parents[1] / "src"
# The modules whose names callers may rely on, besides what the package itself lists.
SUBMODULES = ("clock", "errors", "simulate", "telemetry", "testing")
# The special methods that callers reach by syntax.
SYNTAX = {
    *("__call__", "__contains__", "__getitem__", "__len__", "__or__", "__ror__"),
    *("__enter__", "__exit__", "__aenter__", "__aexit__"),
    *("__iter__", "__next__", "__aiter__", "__anext__"),
}


def surface() -> str:
    """Return the public surface as text: one name a line, sorted, module by module."""
    package = griffe.load("uat_resilience", search_paths=[SOURCE], resolve_aliases=True)
    modules = [package, *(package[name] for name in SUBMODULES)]
    return "\n".join("\n".join(_module(module)) + "\n" for module in modules)


def _module(module: griffe.Module) -> Iterator[str]:
    yield f"# {module.path}"
    for name in sorted(str(export) for export in module.exports or ()):
        if name in module.members:
            yield from _member(name, module.members[name])
        else:
            yield name  # made when asked for, like `__version__`: the source shows no more


def _member(name: str, member: griffe.Object | griffe.Alias) -> Iterator[str]:
    target = member.final_target if isinstance(member, griffe.Alias) else member
    if isinstance(target, griffe.Class):
        yield _header(name, target)
        yield from (f"    {line}" for line in _body(target))
    elif isinstance(target, griffe.Function):
        yield _labels(target) + target.signature(name=name, return_type=True)
    else:
        yield _attribute(name, target)


def _header(name: str, cls: griffe.Class) -> str:
    decorators = "".join(f"@{decorator.value} " for decorator in cls.decorators)
    return f"{decorators}class {name}({', '.join(str(base) for base in cls.bases)})"


def _body(cls: griffe.Class) -> Iterator[str]:
    for name, member in sorted(cls.all_members.items()):
        public = not name.startswith("_") or name == "__init__" or name in SYNTAX
        if public and member.canonical_path.startswith("uat_resilience."):
            yield from _member(name, member)


def _labels(function: griffe.Function) -> str:
    words = [f"@{word}" for word in ("classmethod", "staticmethod") if word in function.labels]
    return " ".join([*words, "async def " if "async" in function.labels else "def "])


def _attribute(name: str, attribute: griffe.Object) -> str:
    if not isinstance(attribute, griffe.Attribute):
        return name
    annotation = "" if attribute.annotation is None else f": {attribute.annotation}"
    settled = attribute.value is not None and attribute.labels & {
        "class-attribute",
        "module-attribute",
    }
    return f"{name}{annotation}" + (f" = {attribute.value}" if settled else "")


if __name__ == "__main__":
    SNAPSHOT.write_text(surface(), encoding="utf-8")
    print(f"wrote {SNAPSHOT.name}")
