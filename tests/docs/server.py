"""The service that a page starts, and `curl` for it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PATIENCE = 20.0
_PORT = "127.0.0.1:8000"


class Server:
    """A service in a directory, on a free port, which stands for port 8000 of the page.

    It is stopped as the page says, with Ctrl-C, and must end in order.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *arguments: str) -> None:
        """Serve what the command names, instead of what was served before."""
        self.stop()
        self._process = subprocess.Popen(  # noqa: S603 - the commands are our own
            [sys.executable, "-m", "uat_service.serve", *arguments, "--port", "0"],
            cwd=self._directory,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            entry = json.loads(line)
            if entry["event"] == "listening":
                self._address = entry["address"]
                return
        raise AssertionError(f"{arguments} did not start")

    def ask(self, *arguments: str) -> str:
        """Do what `curl` does with a URL, `-H` and `-d`; return the body."""
        headers, data, url = {}, None, ""
        words = iter(arguments)
        for word in words:
            if word == "-H":
                name, _, value = next(words).partition(":")
                headers[name] = value.strip()
            elif word == "-d":
                data = next(words).encode()
            else:
                url = word.replace(_PORT, self._address)
        asked = Request(url, data=data, headers=headers)  # noqa: S310 - of a page of ours
        try:
            with urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310 - the same
                return str(answer.read().decode())
        except HTTPError as error:
            with error:
                return error.read().decode()

    def stop(self) -> None:
        """Press Ctrl-C."""
        if self._process is None:
            return
        with self._process as process:
            process.send_signal(signal.SIGINT)
            try:
                assert process.stdout is not None
                process.stdout.read()
                assert process.wait(PATIENCE) == 0
            finally:
                process.kill()
        self._process = None
