"""A listener on this machine that takes connections and never answers: a hung host, as far as libvirt can tell."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class SilentHost:
    """Accepts TCP connections until it is closed; then every client is hung up on."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._clients: list[socket.socket] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._accept, name="silence", daemon=True)
        self._thread.start()

    @property
    def uri(self) -> str:
        """Where libvirt hangs."""
        return f"qemu+tcp://127.0.0.1:{self._listener.getsockname()[1]}/system"

    def wait_for_talkers(self, count: int, timeout: float) -> bool:
        """Wait until so many clients have said something, as libvirt does when it opens a connection."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._clients) >= count, timeout)

    def hang_up(self) -> None:
        """Close what clients there are; new ones are taken."""
        with self._changed:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()

    def close(self) -> None:
        """End everything."""
        # A blocked accept is not woken by closing its socket, but by shutting it down.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        self.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._keep, args=(client,), daemon=True).start()

    def _keep(self, client: socket.socket) -> None:
        # The driver looks whether anybody is there before libvirt calls: that client says nothing and leaves.
        if client.recv(1, socket.MSG_PEEK):
            with self._changed:
                self._clients.append(client)
                self._changed.notify_all()
        else:
            client.close()


@contextlib.contextmanager
def silent_host() -> Iterator[SilentHost]:
    """Return a silent host for the time of a block."""
    host = SilentHost()
    try:
        yield host
    finally:
        host.close()


def refused_port() -> int:
    """Return a port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
