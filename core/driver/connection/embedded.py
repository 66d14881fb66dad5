"""Hosts of libvirt's embedded driver: each connection is a world of its own, so jobs share the one of the host's lane.

On other drivers two threads must never use one connection (CVE-2024-4418 strikes when its keepalive expires); the
embedded one has no keepalive, and its calls never leave the process.
"""

import contextlib
import threading
from collections.abc import Iterator

from core.driver.connection.connection import HostConnection


class _World:
    """A lane's connection, and how many jobs work on it at the moment."""

    def __init__(self, connection: HostConnection) -> None:
        self.connection = connection
        self.jobs = 0
        self.left = False
        """Whether its lane has released it: the last job closes it."""


_lock = threading.Lock()
_worlds: dict[str, _World] = {}


def lend(connection: HostConnection) -> None:
    """Let jobs work on a lane's connection, where that is to the embedded driver."""
    if connection.is_embedded:
        with _lock:
            _worlds[connection.uri.text] = _World(connection)


def let_go(connection: HostConnection) -> None:
    """Close a lane's connection, once the last job on it has ended."""
    with _lock:
        world = _worlds.get(connection.uri.text)
        if world is not None and world.connection is connection:
            del _worlds[connection.uri.text]
            world.left = True
            if world.jobs:
                return
    connection.close()


@contextlib.contextmanager
def borrowed(host: str, uri: str) -> Iterator[HostConnection | None]:
    """Return a job the world that its host's lane has open, by a connection object of its own; None where none is."""
    with _lock:
        world = _worlds.get(uri)
        if world is not None:
            world.jobs += 1
    if world is None:
        yield None
        return
    connection = HostConnection(host, world.connection.uri, world.connection.handle)
    try:
        yield connection
    finally:
        connection.handle = None
        with _lock:
            world.jobs -= 1
            last = world.left and not world.jobs
        if last:
            world.connection.close()
