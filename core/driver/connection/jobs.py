"""A connection of its own for a long job: a migration, a copy or an upload must never hold up a host's lane."""

import contextlib
from collections.abc import Iterator

from core.clock import Clock, SystemClock
from core.driver.connection.alarms import Alarms
from core.driver.connection.asking import answer_within
from core.driver.connection.connection import HostConnection, open_connection
from core.driver.connection.embedded import borrowed
from core.driver.connection.opening import Opening
from core.errors import HostRefused, HostUnreachable
from core.hosts import Host
from core.text import shell_command
from core.uris import parse_uri

OPEN_DEADLINE = 60.0
"""Seconds that opening may take by default: slow is not sick."""


@contextlib.contextmanager
def job_connection(
    host: Host, deadline: float = OPEN_DEADLINE, *, clock: Clock | None = None
) -> Iterator[HostConnection]:
    """Open a connection for the block, which belongs to the calling thread alone, and close it behind.

    Past `deadline` seconds the ssh client of this very thread is ended. Raises HostTimeout then, HostUnreachable for
    other reasons, also for a disabled host: nothing connects to it (specification, section 7). A host of the embedded
    driver is the one that its lane has open, where it has one.
    """
    if not host.state.connects:
        raise HostUnreachable(host.name, "the host is disabled", hint=shell_command("realms hosts enable", host.name))
    with borrowed(host.name, host.uri) as world:
        if world is not None:
            yield world
            return
    connection = _open(host, deadline, clock or SystemClock())
    try:
        yield connection
    finally:
        connection.close()


def _open(host: Host, deadline: float, clock: Clock) -> HostConnection:
    # The kernel lists an ssh client as the child of the thread that started it, and of another once that has ended: so
    # one that uses ssh is opened here, where it can be found. What has no client can't be freed, only left behind.
    if not _uses_ssh(host.uri):
        return answer_within(
            host.name, deadline, lambda: open_connection(host.name, host.uri),
            uri=host.uri, too_late=lambda connection: connection.close(),
        )  # fmt: skip
    alarms = Alarms(clock)
    try:
        with Opening(host.name, host.uri, deadline, alarms, lambda: None):
            return open_connection(host.name, host.uri)
    finally:
        alarms.close()


def _uses_ssh(uri: str) -> bool:
    try:
        return parse_uri(uri).uses_ssh_program
    except HostRefused:  # told in full by whoever opens it
        return False
