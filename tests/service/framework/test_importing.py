"""A service is served without what it has no use for, and no garbage is looked for among what is imported."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from uat_service.serve.importing import unseen

PATIENCE = 60.0


def test_library_is_not_there_inside_the_block_and_is_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"shy_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("there = True\n", encoding="utf-8")

    with unseen(name), pytest.raises(ModuleNotFoundError):
        import_module(name)

    assert import_module(name).there


def test_library_that_is_imported_already_stays() -> None:
    with unseen("subprocess"):
        found = import_module("subprocess")

    assert found is subprocess is sys.modules["subprocess"]


def test_module_of_a_service_is_imported_while_rich_is_not_loaded_and_no_garbage_is_looked_for(
    tmp_path: Path,
) -> None:
    code = (
        "import gc, sys; print(gc.isenabled(), 'rich' in sys.modules); import rich.console; 1 / 0"
    )
    (tmp_path / "orders.py").write_text(code, encoding="utf-8")

    run = subprocess.run(
        [sys.executable, "-m", "uat_service.serve", "orders:service"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert run.stdout == "False False\n"
    assert "ZeroDivisionError" in run.stderr
    assert run.returncode == 3


def test_service_is_made_without_a_client_and_without_a_proxy() -> None:
    code = """if True:
    import sys, uat_service.app, uat_service.server
    assert {"httpx2", "uat_service.proxy"}.isdisjoint(sys.modules)
    """

    subprocess.run([sys.executable, "-c", code], timeout=PATIENCE, check=True)  # noqa: S603 - ours
