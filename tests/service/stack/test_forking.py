"""Services are forked by a nursery, and are given what they would be given otherwise."""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
from http.client import HTTPException
from pathlib import Path

import pytest
import typing_extensions
from tests.service.stack.conftest import Run
from tests.service.stack.running import Running, Told, ended_within, fetch, service

from uat_service.stack.launch import Launch
from uat_service.stack.nursery import Nursery
from uat_service.stack.process import Process
from uat_service.stack.surroundings import beginning

FORKED: dict[str, str] = {}
STARTED = {"MALLOC_ARENA_MAX": "8"}  # Read when an interpreter starts, so it has to be started.
BOTH = pytest.mark.parametrize("env", [FORKED, STARTED], ids=["forked", "started"])


@pytest.fixture(autouse=True)
def _service(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent / "seen.py", tmp_path)


def table(*, env: dict[str, str] | None = None, more: str = "") -> str:
    given = ", ".join(f'{name} = "{value}"' for name, value in (env or {}).items())
    return f'[services.seen]\napp = "seen:service"\nport = 0\nenv = {{ {given} }}\n{more}\n'


def nursery_of(stack: Running, name: str = "seen") -> int | None:
    """Return the process that has forked one; None when `uat` has started it."""
    pid = (
        stack.state(name, "running")["pid"]
        if name not in stack.rows()
        else stack.rows()[name]["pid"]
    )
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    parent = int(status.partition("PPid:")[2].split()[0])
    return None if parent == stack.process.pid else parent


def shadow(directory: Path, code: str) -> Path:
    """Put a library of the framework beside the service, where it is found first, with more in it."""
    copy = directory / "typing_extensions.py"
    text = Path(str(typing_extensions.__file__)).read_text(encoding="utf-8")
    copy.write_text(f"{text}\n{code}\n", encoding="utf-8")
    return copy


IN_NURSERY = "import os, signal, sys\nif 'uat_service.serve.nursery' in sys.orig_argv:\n    "


def seen(stack: Running, instance: str) -> Told:
    """Ask a replica what it was given. What differs from run to run is left out."""
    while True:  # They share a port, and either may answer.
        told = fetch(stack.port(instance), "/seen")
        env = told["environment"]
        if env["UAT_STACK_INSTANCE"] == instance:
            ours = {"PORT", "UAT_SERVICES__SEEN__URL", "services__seen__http__0", *STARTED}
            return {**told, "environment": {key: env[key] for key in env.keys() - ours}}


def test_a_forked_process_is_given_what_a_started_one_is(run: Run) -> None:
    answers: list[Told] = []
    parents: list[int | None] = []
    for env in (FORKED, STARTED):
        stack = run(table(env=env, more="replicas = 2"))
        for name in ("seen-1", "seen-2"):
            stack.state(name, "running")
        answers.append(seen(stack, "seen-2"))
        parents.append(nursery_of(stack, "seen-2"))
        assert stack.stop() == 0

    assert answers[0] == answers[1]
    assert [parent is None for parent in parents] == [False, True]


def test_what_is_of_one_process_is_of_no_other(run: Run) -> None:
    stack = run(table(more="replicas = 2"))
    found: dict[int, Told] = {}
    for name in ("seen-1", "seen-2"):
        stack.state(name, "running")
    while len(found) < 2:
        told = fetch(stack.port("seen-1"), "/own")
        found[told["pid"]] = told

    one, other = found.values()
    assert {one["name"], other["name"]} == {"seen-1", "seen-2"}
    assert one["chance"] != other["chance"]
    assert one["key"] != other["key"]


@BOTH
def test_a_service_that_cannot_start_says_why_and_is_left_alone(
    run: Run, env: dict[str, str]
) -> None:
    stack = run(table(env={**env, "BROKEN": "1"}))

    assert stack.state("seen", "failed")["detail"] == "exit code 3"
    assert "RuntimeError: broken" in stack.line("cannot be loaded")
    assert stack.stop() == 1


@BOTH
def test_an_end_is_told_with_its_code_and_followed_by_another_start(
    run: Run, env: dict[str, str]
) -> None:
    stack = run(table(env=env))
    first = stack.state("seen", "running")["pid"]
    with pytest.raises((HTTPException, OSError)):
        fetch(stack.port("seen"), "/exit/7")
    ended = stack.state("seen", "backoff")
    again = stack.state("seen", "running", after=stack.told.index(ended))
    told = len(stack.told)
    os.kill(again["pid"], signal.SIGKILL)

    assert ended["detail"].startswith("exit code 7; again in")
    assert stack.state("seen", "backoff", after=told)["detail"].startswith("signal 9; again in")
    assert again["pid"] != first
    assert stack.state("seen", "running", after=told)["restarts"] == 2
    assert stack.stop() == 0


def test_a_variable_that_an_interpreter_reads_at_its_start_lets_one_be_started(run: Run) -> None:
    stack = run(table(env={"PYTHONHASHSEED": "7"}))

    assert stack.note("not forked") == "seen: not forked, PYTHONHASHSEED was read before"
    stack.state("seen", "running")
    assert nursery_of(stack) is None


def test_a_variable_that_was_read_by_an_import_lets_an_interpreter_be_started(run: Run) -> None:
    stack = run(table(env={"PROMETHEUS_DISABLE_CREATED_SERIES": "1"}))

    assert "PROMETHEUS_DISABLE_CREATED_SERIES was read before" in stack.note("not forked")


def test_variables_that_every_service_has_of_its_own_may_be_set_outside(run: Run) -> None:
    stack = run(table(), env={"PORT": "1", "SERVICE_NAME": "other", "REDIS_ADDR": "nowhere:1"})
    stack.state("seen", "running")

    assert nursery_of(stack) is not None


def test_a_stack_without_services_of_ours_has_no_nursery(run: Run) -> None:
    siblings = "sh -c 'cat /proc/$PPID/task/$PPID/children'"
    stack = run(f'[services.job]\ncommand = "{siblings}"\n')

    warden_and_itself = stack.wait(lambda it: "line" in it)["line"].split()

    assert len(warden_and_itself) == 2
    assert stack.code() == 0


def test_what_one_child_imports_of_the_framework_later_ones_have_from_the_start_and_in_the_next_run(
    run: Run,
) -> None:
    stack = run(table(env={"STORE": "1"}))
    stack.state("seen", "running")
    before = fetch(stack.port("seen"), "/own")["store"]

    after = False
    while not after:
        stack.ask("restart", "seen")
        after = fetch(stack.port("seen"), "/own")["store"]

    stack.stop()
    again = run(table(env={"STORE": "1"}))
    again.state("seen", "running")
    assert (before, after) == (False, True)
    assert fetch(again.port("seen"), "/own")["store"]


def test_what_the_source_of_a_service_imports_of_the_framework_the_first_start_has_already(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "shop" / "rows").mkdir(parents=True)
    (tmp_path / "seen.py").rename(tmp_path / "shop" / "app.py")
    imported = "from uat_service.store import Store\n"
    (tmp_path / "shop" / "rows" / "row.py").write_text(imported, encoding="utf-8")

    stack = run('[services.seen]\napp = "shop.app:service"\nport = 0\n')
    stack.state("seen", "running")

    assert nursery_of(stack) is not None
    assert fetch(stack.port("seen"), "/own")["store"]


def test_a_changed_library_is_imported_anew(run: Run, tmp_path: Path) -> None:
    library = shadow(tmp_path, "VERSION = 1")
    stack = run(table())
    stack.state("seen", "running")
    nurseries = [nursery_of(stack)]
    versions = [fetch(stack.port("seen"), "/own")["version"]]

    library.write_text(library.read_text(encoding="utf-8").replace("VERSION = 1", "VERSION = 2"))
    assert stack.ask("restart", "seen").stdout == "seen: running\n"
    versions.append(fetch(stack.port("seen"), "/own")["version"])
    nurseries.append(nursery_of(stack))

    assert versions == [1, 2]
    assert nurseries[0] is not None
    assert nurseries[1] is not None
    # The first one has no children any more.
    assert ended_within(nurseries[0], 20)
    assert stack.stop() == 0


def test_a_nursery_that_is_killed_takes_nobody_with_it_and_is_followed_by_another(run: Run) -> None:
    stack = run(table())
    pid = stack.state("seen", "running")["pid"]
    nursery = nursery_of(stack)
    assert nursery is not None

    os.kill(nursery, signal.SIGKILL)
    note = stack.note("nursery: ended")
    orphan = fetch(stack.port("seen"), "/own")["pid"]
    told = len(stack.told)
    os.kill(pid, signal.SIGKILL)
    stack.state("seen", "backoff", after=told)
    again = stack.state("seen", "running", after=told)["pid"]

    assert note == "nursery: ended (signal 9); the next start begins another"
    assert orphan == pid != again
    assert nursery_of(stack) not in {None, nursery}
    assert stack.stop() == 0


def test_an_orphan_of_a_nursery_is_stopped_in_order(run: Run) -> None:
    stack = run(table())
    stack.state("seen", "running")
    nursery = nursery_of(stack)
    assert nursery is not None
    os.kill(nursery, signal.SIGKILL)
    stack.note("nursery: ended")

    assert stack.stop() == 0
    assert stack.line("listening no more")


def test_a_parent_that_is_killed_leaves_no_nursery_behind_even_if_it_hangs(run: Run) -> None:
    stack = run(table())
    pid = stack.state("seen", "running")["pid"]
    nursery = nursery_of(stack)
    assert nursery is not None
    os.kill(nursery, signal.SIGSTOP)

    stack.process.kill()

    assert [ended_within(each, 2.0) for each in (pid, nursery)] == [True, True]


def test_a_nursery_that_cannot_import_the_framework_is_done_without(
    run: Run, tmp_path: Path
) -> None:
    shadow(tmp_path, IN_NURSERY + "sys.exit('out of order')")
    stack = run(table())

    stack.state("seen", "running")

    assert stack.note("out of order") == "nursery: out of order"
    assert nursery_of(stack) is None
    assert stack.stop() == 0


def test_the_end_waits_for_no_import(run: Run, tmp_path: Path) -> None:
    shadow(tmp_path, IN_NURSERY + "print('importing', flush=True); signal.pause()")
    stack = run(table())
    stack.note("nursery: importing")

    assert stack.stop() == 0
    assert not [each for each in stack.told if each.get("pid")]


def test_a_service_that_is_not_forked_yet_is_shown_as_starting_and_not_as_waiting_for_others(
    run: Run, tmp_path: Path
) -> None:
    shadow(tmp_path, IN_NURSERY + "print('importing', flush=True); signal.pause()")
    needed = service("needed")
    stack = run(needed, table(more='needs = ["needed"]'))
    stack.state("seen", "waiting")
    stack.note("nursery: importing")

    shown = stack.state("seen", "starting")

    assert (shown["detail"], shown["pid"]) == ("no process yet", None)
    assert stack.rows()["seen"]["state"] == "starting"
    assert stack.stop() == 0


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a directory; processes have ours."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def anyio_backend() -> str:
    """`uat` runs on asyncio."""
    return "asyncio"


async def test_a_nursery_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    env = beginning(os.environ, shared={}, directory=tmp_path)
    nursery = await Nursery.start(env, lambda _: None, learned=tmp_path / "imports", patience=0.05)
    os.kill(nursery.pid, signal.SIGSTOP)
    command = ["python", "-m", "uat_service.serve", "seen:service"]
    launch = Launch(command, {**env, "UAT_STACK_INSTANCE": "seen"}, Path.cwd(), (), door=None)

    answers = [await nursery.born(launch, lambda _: None) for _ in range(2)]

    assert answers == [None, None]
    assert await nursery.over() == -signal.SIGKILL
    await nursery.close()


async def test_a_forked_process_has_each_descriptor_that_it_inherits_whatever_its_number(
    inside: Path,
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    # The nursery has numbers like these for what it hears of its child.
    numbers = [fcntl.fcntl(listener, fcntl.F_DUPFD_CLOEXEC, 16) for _ in range(14)]
    env = beginning(os.environ, shared={}, directory=inside) | {"UAT_STACK_INSTANCE": "seen"}
    command = ["python", "-m", "uat_service.serve", "seen:service", "--fd", str(numbers[0])]
    launch = Launch(command, env, inside, tuple(numbers), door=None)
    nursery = await Nursery.start(env, lambda _: None, learned=inside / "imports")

    process = await nursery.born(launch, lambda _: None)

    assert isinstance(process, Process)
    port = listener.getsockname()[1]
    told = await asyncio.to_thread(fetch, port, "/seen")
    assert {number: told["descriptors"].get(str(number)) for number in numbers} == {
        number: ["socket", True] for number in numbers
    }
    process.kill()
    await process.wait()
    await nursery.close()
    for number in numbers:
        os.close(number)
    listener.close()


async def test_a_process_that_nobody_wants_any_more_ends_before_it_has_begun(
    inside: Path,
) -> None:
    (inside / "trace.py").write_text("open('begun', 'w').close()\n", encoding="utf-8")
    env = beginning(os.environ, shared={}, directory=inside)
    env |= {"UAT_STACK_INSTANCE": "trace"}
    command = ["python", "-m", "uat_service.serve", "trace:service"]
    launch = Launch(command, env, inside, (), door=None)
    said: list[bytes] = []
    nursery = await Nursery.start(env, said.extend, learned=inside / "imports")
    asking = asyncio.create_task(nursery.born(launch, said.extend))
    await asyncio.wait({asking}, timeout=0)

    asking.cancel()
    nursery.retire()

    # It ends after its last child.
    assert await nursery.over() == 0
    await nursery.close()
    assert not (inside / "begun").exists()
    assert said == []
