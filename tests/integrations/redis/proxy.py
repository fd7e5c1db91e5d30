"""Connections to a server that do something to its answers."""

import socket
import threading
from contextlib import suppress


class DrippingProxy:
    """Stands before a server; each byte of an answer comes `pause` seconds after the one before it."""

    def __init__(self, port: int, *, pause: float) -> None:
        self._behind = port
        self._pause = pause
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._over.set()
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._behind))
                self._open += [near, far]
                for pump in (self._hand_on, self._drip):
                    thread = threading.Thread(target=pump, args=(near, far))
                    self._threads.append(thread)
                    thread.start()

    def _hand_on(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(4096):
                far.sendall(data)

    def _drip(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(4096):
                for byte in data:
                    if self._over.wait(self._pause):
                        return
                    near.sendall(bytes([byte]))


class LosingProxy(DrippingProxy):
    """Hands everything on; when told to, it lets a server run scripts and breaks off before the answer."""

    def __init__(self, port: int) -> None:
        self.losing = False
        self._asked: dict[socket.socket, bytes] = {}
        super().__init__(port, pause=0.0)

    def _hand_on(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(4096):
                self._asked[near] = data
                far.sendall(data)

    def _drip(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(4096):
                if self.losing and b"EVAL" in self._asked[near]:
                    near.shutdown(socket.SHUT_RDWR)
                    return
                near.sendall(data)
