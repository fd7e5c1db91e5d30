"""A small service on an inherited socket, which misbehaves as its environment says.

EXIT=3          ends at once, with that exit code
HELD=1          is not ready until somebody posts to /ready
HELD=front-2    the same of one replica
DEAF=1          does not stop when it is told to
FAMILY=1        starts a process of its own, and says its number
NOISE=1         writes what no terminal should be shown
"""

import json
import os
import signal
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Thread

VERSION = "1"
# Deaf, so that only what reaches the whole family ends it.
FAMILY = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"

STOPPING = {signal.SIGTERM, signal.SIGINT}

ready = Event()
gone = Event()


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a program


class Handler(BaseHTTPRequestHandler):
    """Answers."""

    def do_GET(self) -> None:
        if self.path == "/ready":
            self.answer(200 if ready.is_set() else 503)
        elif self.path == "/crash":
            os._exit(1)
        elif self.path == "/slow":
            say("begun")
            gone.wait(20)
            self.answer(200)
        else:
            self.answer(200)

    def do_POST(self) -> None:
        (ready.set if self.path == "/ready" else ready.clear)()
        self.answer(200)

    def answer(self, status: int) -> None:
        seen = {
            "pid": os.getpid(),
            "name": os.environ["SERVICE_NAME"],
            "instance": os.environ["UAT_STACK_INSTANCE"],
            "version": VERSION,
            "env": {
                name: value for name, value in os.environ.items() if "SERVICES" in name.upper()
            },
        }
        body = json.dumps(seen).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves an inherited socket; waits for what it has begun."""

    daemon_threads = False

    def __init__(self, fd: int) -> None:
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=fd)
        # Replicas look at the same socket: another one may have taken what we were woken for.
        self.socket.settimeout(0)


def stops(server: Server) -> None:
    """Wait for signals, in a thread that does nothing else.

    A handler that starts a thread can interrupt the main thread where it holds what the new thread needs.
    """
    for told in count(1):
        signal.sigwait(STOPPING)
        say(f"told {told}")
        if "DEAF" not in os.environ:
            gone.set()
            server.shutdown()


def main(fd: int, own_fd: int | None = None) -> None:
    server = Server(fd)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    Thread(target=stops, args=(server,), daemon=True).start()
    if "FAMILY" in os.environ:
        child = subprocess.Popen([sys.executable, "-c", FAMILY])  # noqa: S603 - our own program
        say(f"family {child.pid}")
    if "NOISE" in os.environ:
        noise = b"\xff\xfe broken \x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07\n" + b"x" * 100_000
        sys.stdout.buffer.write(noise + b"\n" + b"line\n" * 10_000 + b"no end")
        sys.stdout.buffer.flush()
    if os.environ.get("HELD") not in {"1", os.environ["UAT_STACK_INSTANCE"]}:
        ready.set()
    if own_fd is not None:
        Thread(target=Server(own_fd).serve_forever, daemon=True).start()
    server.serve_forever(poll_interval=0.02)
    server.server_close()


if __name__ == "__main__":
    if "EXIT" in os.environ:
        say("cannot go on")
        sys.exit(int(os.environ["EXIT"]))
    main(*map(int, sys.argv[1:]))
