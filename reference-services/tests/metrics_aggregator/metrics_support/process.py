"""A service in a process of its own, whose log nobody reads but for where it listens."""

import json
import subprocess
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 20.0


@contextmanager
def listening(command: list[str], *, cwd: Path, env: Mapping[str, str]) -> Generator[str]:
    """Start a service, wait until it listens, and yield its address."""
    with subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        drains = [
            threading.Thread(target=stream.read) for stream in (process.stdout, process.stderr)
        ]
        try:
            address = ""
            for line in process.stdout:
                entry = json.loads(line)
                if entry["event"] == "listening":
                    address = entry["address"]
                    break
            assert address, process.stderr.read()
            for drain in drains:
                drain.start()
            yield address
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            for drain in drains:
                if drain.ident is not None:
                    drain.join(PATIENCE)
