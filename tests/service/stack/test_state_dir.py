"""A directory that cannot be written is said so, and stops nothing that runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.service.stack.conftest import Run

from uat_service.cli import main
from uat_service.stack.errors import StackError
from uat_service.stack.journal import Said
from uat_service.stack.state_dir import StateDir


def _a_file(path: Path) -> None:
    path.touch()


def _nowhere(path: Path) -> None:
    path.symlink_to("/proc/self/gone")


def _a_directory_for_a_file(path: Path) -> None:
    (path / "uat.pid").mkdir(parents=True)


def _a_directory_for_the_socket(path: Path) -> None:
    (path / "control.sock").mkdir(parents=True)


@pytest.mark.parametrize(
    "spoil", [_a_file, _nowhere, _a_directory_for_a_file, _a_directory_for_the_socket]
)
def test_a_directory_that_cannot_be_used_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stack.toml").write_text("[services.job]\ncommand = 'true'\n", encoding="utf-8")
    spoil(tmp_path / ".uat")

    told = CliRunner().invoke(main, ["up"])

    assert told.exit_code == 2
    assert told.stderr.startswith("error: .uat")
    assert told.stderr.endswith("so make room for that, or start it elsewhere\n")


def test_a_log_that_cannot_be_written_is_told_once_until_it_can_be(tmp_path: Path) -> None:
    with StateDir(tmp_path) as state:
        state.claim()
        state.log("api").symlink_to("/dev/full")
        full = [state.keep(Said("api", b"one")) for _ in range(2)]
        state.log("web").mkdir()
        other = state.keep(Said("web", b"one"))

        state.log("web").rmdir()
        mended = state.keep(Said("web", b"two"))

        assert full[0] == (
            f"{tmp_path}/logs/api.log: No space left on device: "
            "lines are not kept until it can be written"
        )
        assert full[1] is None
        assert str(other).startswith(f"{tmp_path}/logs/web.log: Is a directory")
        assert mended is None


def test_a_full_disk_stops_no_service_and_hides_no_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".uat" / "logs").mkdir(parents=True)
    (tmp_path / ".uat" / "logs" / "job.log").symlink_to("/dev/full")
    stack = run('[services.job]\ncommand = "echo written"\n')

    assert stack.line("written")
    assert stack.note("job.log: No space left on device")
    assert stack.code() == 0


def test_a_directory_is_still_claimed_once(tmp_path: Path) -> None:
    with StateDir(tmp_path) as first, StateDir(tmp_path) as second:
        first.claim()

        with pytest.raises(StackError, match="already running here, as process"):
            second.claim()
