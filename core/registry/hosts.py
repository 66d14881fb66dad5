"""The registry of hosts that several programs share (specification, section 7)."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from core.clock import Clock, SystemClock
from core.config.model import Configuration
from core.errors import ReadOnly, RegistryReplaced, UnwritableFile
from core.hosts import Host, HostState
from core.locks import LOCK_DEADLINE, exclusive
from core.registry import rules
from core.registry.records import Contents
from core.registry.reservations import ReservationReader
from core.registry.storage import RegistryStorage, check_locks, open_database
from core.registry.transactions import Transaction
from core.reservations import Reservation

T = TypeVar("T")

ATTEMPTS = 5
"""How often a change is tried whose file is replaced under its hands."""

Stamp = tuple[int, int, int]
"""What differs after every change of a file or of its permissions: time of change in nanoseconds, size, inode."""

NO_FILE: Stamp = (0, 0, 0)


class HostRegistry:
    """Hosts and reservations in one file. It keeps nothing in memory: every call reads what is there now.

    Readers take no lock and never see half a file. A registry that doesn't exist holds nothing, and is made, with its
    folder, by the first change. All methods raise UnreadableFile for a file that can't be read; those that change
    something also RegistryBusy, UnwritableFile, and ReadOnly where the registry was opened `read_only`.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock | None = None,
        *,
        read_only: bool = False,
        lock_deadline: float = LOCK_DEADLINE,
        boot: str = "",
        trust_locks: bool = False,
    ) -> None:
        """Open the registry at `path`; `boot` is that of the machine whose monotonic clock is `clock`, else this.

        `trust_locks` has the first change record that only one machine uses it, where machines don't share its locks.
        """
        self.path = path
        self.read_only = read_only
        self._clock = clock or SystemClock()
        self._lock_deadline = lock_deadline
        self._reader = ReservationReader(self._clock, boot)
        self._trust_locks = trust_locks
        self._locks_are_good = False

    # What there is -------------------------------------------------------------------------------------------------

    def hosts(self) -> tuple[Host, ...]:
        """All hosts, in the order in which they were added."""
        return tuple(self._contents().hosts.values())

    def host(self, name: str) -> Host:
        """Find a host by its name; raises UnknownHost, which suggests another."""
        return rules.find(name, self.hosts())

    def reservations(self) -> tuple[Reservation, ...]:
        """Reservations that have not expired."""
        return self.live(self._contents().reservations.values())

    def live(self, reservations: Iterable[Reservation]) -> tuple[Reservation, ...]:
        """Those of reservations read earlier that have not expired since."""
        return self._reader.live(reservations)

    def abandoned(self) -> tuple[Reservation, ...]:
        """Reservations that expired unreleased: marks of processes that were killed at their work."""
        return self._reader.abandoned(self._contents().reservations.values())

    def stamp(self) -> Stamp:
        """Return a value that differs after every change; costs one system call, and never raises.

        Take it before reading, so that a change between the two is seen the next time.
        """
        try:
            status = self.path.stat()
        except OSError:
            return NO_FILE
        return (status.st_ctime_ns, status.st_size, status.st_ino)

    def _contents(self) -> Contents:
        return open_database(self._target())[1]

    def _target(self) -> Path:
        """Follow symbolic links: they are written through, and their target's lock is everyone's."""
        return Path(os.path.realpath(self.path))

    # Changes -------------------------------------------------------------------------------------------------------

    def change(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in a transaction and give its answer; an exception undoes all of it.

        Where the file or its lock was replaced meanwhile, as by a restore from a backup, it is done again on what is
        there now, up to ATTEMPTS times: `work` changes nothing but the transaction. Raises RegistryReplaced then.
        """
        for _ in range(ATTEMPTS - 1):
            with suppress(RegistryReplaced), self.transaction() as changes:
                return work(changes)
        with self.transaction() as changes:
            return work(changes)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Hold the lock for the body, and write its changes at once when it ends; an exception undoes them all.

        Raises RegistryReplaced where the file or its lock was replaced meanwhile; `change` then does it again.
        """
        if self.read_only:
            raise ReadOnly("read-only mode: the registry was not changed", hint="leave out --read-only")
        path = self._target()
        with exclusive(path, self._lock_deadline) as lock:
            _check_writable(path)
            database, contents = open_database(path)
            if not self._locks_are_good:
                check_locks(lock, database, trust=self._trust_locks)
            changes = Transaction(database, contents, self._clock.now(), self._reader)
            yield changes
            changes.drop_forgotten()
            storage = database.storage
            assert isinstance(storage, RegistryStorage)  # noqa: S101 - open_database uses no other
            storage.commit(lock)
            self._locks_are_good = True

    def add(self, host: Host, configuration: Configuration) -> tuple[str, ...]:
        """Register a host; gives warnings. Raises HostRefused."""
        return self.change(lambda changes: changes.add(host, configuration))

    def replace(self, old: Host, new: Host, configuration: Configuration) -> tuple[str, ...]:
        """Change a host from `old`, as it was read, to `new`; gives warnings. Raises HostRefused, HostChanged."""
        return self.change(lambda changes: changes.replace(old, new, configuration))

    def set_state(self, name: str, state: HostState) -> Host:
        """Enable a host, set it to No Scheduling or disable it; raises UnknownHost."""
        return self.change(lambda changes: changes.set_state(name, state))

    def remove(self, name: str) -> Host:
        """Forget a host; its VMs are not touched. Raises UnknownHost."""
        return self.change(lambda changes: changes.remove(name))

    def renew(self, uuid: str, owner: str, until: float) -> Reservation:
        """Push forward the time at which a reservation expires; raises ReservationRefused where it is lost."""
        return self.change(lambda changes: changes.renew(uuid, owner, until))

    def release(self, uuid: str, owner: str = "") -> bool:
        """Return up a VM's reservation, only if it is `owner`'s where one is named; tells whether there was one."""
        return self.change(lambda changes: changes.release(uuid, owner))

    def release_later(self, uuid: str, owner: str, until: float) -> bool:
        """Let a reservation whose VM is seen running stand without an owner until a moment; tells whether it was."""
        return self.change(lambda changes: changes.release_later(uuid, owner, until))


def _check_writable(path: Path) -> None:
    """Respect a file that was made read-only: replacing it asks only the folder."""
    if os.path.exists(path) and not os.access(path, os.W_OK):
        message = f"{path} can't be written: permission denied"
        raise UnwritableFile(message, hint="it is read-only or belongs to other administrators")
