"""What a reader may count on in every module."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("src", "reference-services/src")
CEILING = 250


def test_no_module_is_longer_than_one_subject_needs() -> None:
    modules = [path for source in SOURCES for path in (ROOT / source).rglob("*.py")]

    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules
    }

    assert len(lengths) > 100
    assert {name: lines for name, lines in lengths.items() if lines > CEILING} == {}
