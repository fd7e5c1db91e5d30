"""The source of a service is found and read without being imported."""

from pathlib import Path

import pytest

from uat_service.serve.sources import imports, source


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A module, a package with another inside, and one that has no `__init__.py`."""
    for name in ("single.py", "pack/__init__.py", "pack/inner/__init__.py", "bare/inner/app.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("module", "place"),
    [
        ("single", "single.py"),
        ("pack", "pack"),
        ("pack.inner", "pack/inner"),
        ("bare.inner.app", "bare/inner"),
        ("bare.inner.gone", None),
        ("gone.app", None),
    ],
)
def test_a_module_is_found_with_its_neighbours(root: Path, module: str, place: str | None) -> None:
    assert source(module, [str(root)]) == (place and root / place)


def test_imports_are_those_at_the_top_level_of_all_files(root: Path) -> None:
    (root / "pack" / "inner" / "rows.py").write_bytes(
        b"# \xe9, in no encoding that is named\n"
        b"from one.two import three\n"
        b"import four.five as six\n"
        b"import one.two\n"
        b"if TYPE_CHECKING:\n"
        b"    import seven\n"
    )

    assert imports(root / "pack") == ["one.two", "four.five"]
    assert imports(root / "pack" / "inner" / "rows.py") == ["one.two", "four.five"]


def test_a_file_that_cannot_be_read_imports_nothing(root: Path) -> None:
    (root / "pack" / "directory.py").mkdir()

    assert imports(root / "pack") == []
    assert imports(root / "gone.py") == []
