import runpy
import sys
from pathlib import Path

import pytest

from uat_resilience.integrations import redis as integration


def test_missing_library_is_answered_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ImportError) as told:
        runpy.run_path(str(Path(integration.__file__)))

    assert "pip install 'uat-resilience[redis]'" in str(told.value)


def test_every_name_that_is_exported_is_there() -> None:
    assert [name for name in integration.__all__ if not hasattr(integration, name)] == []
