from difflib import unified_diff
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import uat_resilience

ADVICE = """
If that is meant: run `make api`, look at the difference of tests/api/uat_resilience.txt, and commit
it with a changelog fragment (of kind `breaking` if callers have to change)."""


def test_public_names_and_signatures_change_only_on_purpose() -> None:
    snapshot = load_script("snapshot.py")
    accepted = snapshot.SNAPSHOT.read_text(encoding="utf-8")

    present = snapshot.surface()

    lines = unified_diff(accepted.splitlines(), present.splitlines(), "accepted", "present", n=1)
    assert accepted == present, "\n".join(["The public surface changed:", *lines, ADVICE])


def test_public_names_are_listed_before_they_are_loaded() -> None:
    assert dir(uat_resilience) == sorted(uat_resilience.__all__)


def test_public_signatures_name_no_private_package() -> None:
    snapshot = load_script("snapshot.py")

    assert "_core" not in snapshot.surface()


def load_script(name: str) -> ModuleType:
    spec = spec_from_file_location("api_snapshot", Path(__file__).with_name(name))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
