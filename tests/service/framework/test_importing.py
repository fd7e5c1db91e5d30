"""A service is served without what it has no use for, and no garbage is looked for among what is imported."""

import inspect
import subprocess
import sys
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from uat_service.serve.importing import LATER, WITHOUT, Thrift, unseen

PATIENCE = 60.0


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A library that uses another one where that is installed, which it is."""
    name = f"spendthrift_{tmp_path.name}"
    (tmp_path / f"{name}_spare.py").write_text("there = True\n", encoding="utf-8")
    (tmp_path / f"{name}.py").write_text(
        f"try:\n    import {name}_spare as spare\nexcept ImportError:\n    spare = None\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    invalidate_caches()
    return name


def test_library_is_imported_without_what_it_can_do_without(library: str) -> None:
    spare = f"{library}_spare"
    sys.meta_path.insert(0, Thrift({library: spare}))

    found = import_module(library)

    assert found.spare is None
    assert spare not in sys.modules
    assert import_module(spare).there
    assert "except ImportError" in inspect.getsource(found)


def test_library_is_imported_with_what_somebody_else_has_imported(library: str) -> None:
    spare = import_module(f"{library}_spare")
    sys.meta_path.insert(0, Thrift({library: spare.__name__}))

    assert import_module(library).spare is spare


def test_library_is_run_when_something_of_it_is_used(
    library: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spare = f"{library}_spare"
    (tmp_path / f"{spare}.py").write_text("print('run')\nthere = True\n", encoding="utf-8")
    sys.meta_path.insert(0, Thrift(later=frozenset({spare})))

    found = import_module(library)

    assert capsys.readouterr().out == ""
    assert found.spare.there
    assert capsys.readouterr().out == "run\n"


def test_library_that_is_not_installed_is_not_found(library: str) -> None:
    absent = f"{library}_absent"
    sys.meta_path.insert(0, Thrift({absent: "trio"}, frozenset({absent})))

    with pytest.raises(ModuleNotFoundError):
        import_module(absent)


@pytest.mark.parametrize("name", sorted(WITHOUT.keys() | LATER))
def test_module_that_is_imported_in_another_way_is_there(name: str) -> None:
    assert Thrift().find_spec(name, getattr(_parent(name), "__path__", None)) is not None


def _parent(name: str) -> object:
    parent = name.rpartition(".")[0]
    return import_module(parent) if parent else None


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


def test_service_is_loaded_without_what_none_uses_and_no_garbage_is_looked_for(
    tmp_path: Path,
) -> None:
    code = """if True:
    import gc, sys, httpx2
    from uat_service.app import Service

    service = Service("orders")
    spared = {"attr", "redis", "rich", "trio", "watchfiles", "yaml.dumper"}
    print(gc.isenabled(), spared & sys.modules.keys())
    import attr, rich.console, trio, watchfiles, yaml
    print(yaml.dump(["tea"]))
    1 / 0
    """
    (tmp_path / "orders.py").write_text(code, encoding="utf-8")

    run = subprocess.run(
        [sys.executable, "-m", "uat_service.serve", "orders:service"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert run.stdout == "False set()\n- tea\n\n"
    assert "ZeroDivisionError" in run.stderr
    assert run.returncode == 3


def test_service_is_made_without_a_client_a_proxy_and_a_database() -> None:
    code = """if True:
    import sys, uat_service.app, uat_service.redis_client, uat_service.server
    assert {"httpx2", "sqlalchemy", "uat_service.proxy"}.isdisjoint(sys.modules)
    """

    subprocess.run([sys.executable, "-c", code], timeout=PATIENCE, check=True)  # noqa: S603 - ours
