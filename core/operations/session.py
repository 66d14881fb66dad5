"""What one administrator works on: a configuration, and hosts that are live or come from a saved fleet."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar

from core.clock import SystemClock
from core.config.places import find_configuration
from core.errors import ReadOnly, RealmsError, UnreadableFile
from core.fleet.file import load_file
from core.fleet.fleet import Connection, Fleet, HostSnapshot
from core.guard import guarded
from core.operations.paths import current_user, default_registry
from core.operations.tasks.task import Tasks
from core.registry.exposure import Exposure, exposures
from core.text import natural

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.clock import Clock
    from core.config.model import Configuration
    from core.driver.hosts.probe import HostReport
    from core.driver.lanes.watch import FleetWatch
    from core.hosts import Host, HostState
    from core.registry.hosts import HostRegistry, Stamp
    from core.reservations import Reservation

T = TypeVar("T")

REGISTRY_LOOK_SECONDS = 1.0
"""How often another program's changes of the registry are looked for."""


class Session:
    """Configuration and hosts, behind one face for the screens and the commands.

    With a registry the hosts are live: nothing connects before `connect()` (or the first `fleet()`). With a saved fleet
    nothing connects at all and nothing can be changed.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        configuration_path: Path | None = None,
        registry: HostRegistry | None = None,
        saved: Fleet | None = None,
        label: str = "live",
        read_only: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.configuration = configuration
        self.configuration_path = configuration_path
        self.registry = registry
        self.label = label
        self.read_only = read_only
        self.clock = clock or SystemClock()
        self._saved = saved
        self.tasks = Tasks(self.clock, user=current_user(), allow_change=self.require_writable)
        self._connecting = threading.Lock()
        self._watch: FleetWatch | None = None
        self._reservations: tuple[Reservation, ...] = ()
        self._changes = 0
        self.registry_error = ""
        """Why the registry can't be read any more; empty while it can. What was read last stays."""
        self._closing = threading.Event()
        self._look_now = threading.Event()

    # What there is -------------------------------------------------------------------------------------------------

    @property
    def is_live(self) -> bool:
        """Whether the hosts are real ones from the registry."""
        return self._saved is None

    @property
    def generation(self) -> int:
        """A number that grows whenever `fleet()` would give something new."""
        return self._changes + (self._watch.generation if self._watch is not None else 0)

    def fleet(self) -> Fleet:
        """Return the newest snapshots of all hosts, with their reservations; never waits for a host or a file."""
        if self._saved is not None:
            return self._saved
        return self._with_reservations(self.connect().snapshots())

    def registered(self) -> Fleet:
        """Return the hosts as the registry (or the saved fleet) has them, without connecting."""
        if self._saved is not None or self.registry is None:
            return self._saved or Fleet(self.clock.now())
        hosts = sorted(self.registry.hosts(), key=lambda host: natural(host.name))
        return Fleet(
            self.clock.now(),
            tuple(
                HostSnapshot(host=host, connection=Connection.UNKNOWN if host.state.connects else Connection.OFF)
                for host in hosts
            ),
        )

    def settled_fleet(
        self, timeout: float, *, addresses: bool = False, enough: Callable[[Fleet], bool] = lambda _: False
    ) -> Fleet:
        """Connect, and wait until every host has answered or failed, or `timeout` seconds have passed.

        With `addresses` also until those that answer have been asked for the addresses of their VMs. A fleet that is
        `enough` ends the wait.
        """
        if self._saved is not None:
            return self._saved
        settled = _all_asked if addresses else _all_settled
        hosts = self.connect().wait(lambda fleet: enough(fleet) or settled(fleet), timeout).hosts
        return self._with_reservations(hosts)

    def _with_reservations(self, snapshots: tuple[HostSnapshot, ...]) -> Fleet:
        now = self.clock.now()
        by_host: dict[str, list[Reservation]] = {}
        for reservation in self.registry.live(self._reservations) if self.registry is not None else ():
            by_host.setdefault(reservation.host, []).append(reservation)
        if by_host:
            snapshots = tuple(
                replace(snapshot, reservations=tuple(by_host[snapshot.name])) if snapshot.name in by_host else snapshot
                for snapshot in snapshots
            )
        return Fleet(now, snapshots)

    def exposures(self) -> tuple[Exposure, ...]:
        """Return where somebody besides its administrators could change the registry."""
        return tuple(exposures(self.registry.path)) if self.registry is not None else ()

    # Connections ---------------------------------------------------------------------------------------------------

    def connect(self) -> FleetWatch:
        """Start watching the registry and its hosts; does nothing where that has been done. Raises UnreadableFile."""
        with self._connecting:
            if self._watch is None:
                from core.driver.lanes.watch import FleetWatch

                watch = FleetWatch(self.clock)
                stamp = self.registry.stamp() if self.registry is not None else None
                self._read_registry(watch)
                self._watch = watch
                threading.Thread(target=self._follow_registry, args=(stamp,), name="registry", daemon=True).start()
            return self._watch

    def _follow_registry(self, stamp: Stamp | None) -> None:
        from core.registry.hosts import NO_FILE

        was_there = stamp != NO_FILE
        while not self._closing.is_set():
            self._look_now.wait(REGISTRY_LOOK_SECONDS)
            self._look_now.clear()
            if self.registry is None:
                continue
            with guarded("following the registry", self._unreadable):
                if (seen := self.registry.stamp()) == stamp and not self.registry_error:
                    continue
                stamp, was_there = seen, was_there or seen != NO_FILE
                try:
                    if was_there and seen == NO_FILE:
                        _raise_gone(self.registry)
                    self._read_registry()
                except RealmsError as error:  # what was read before stays, and it is tried again at the next look
                    self._unreadable(str(error))

    def _unreadable(self, why: str) -> None:
        if why != self.registry_error:
            self.registry_error = why
            self._changes += 1

    def _read_registry(self, watch: FleetWatch | None = None) -> None:
        watch = watch or self._watch
        if self.registry is None or watch is None:
            return
        hosts = sorted(self.registry.hosts(), key=lambda host: natural(host.name))
        self._reservations = self.registry.reservations()
        watch.set_hosts(hosts, self.configuration.realms)
        self.registry_error = ""
        self._changes += 1

    def close(self) -> None:
        """Let go of every host without waiting for one that hangs."""
        self._closing.set()
        self._look_now.set()
        if self._watch is not None:
            self._watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Changes -------------------------------------------------------------------------------------------------------

    @property
    def is_writable(self) -> bool:
        """Whether hosts can be added, changed and removed here."""
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why nothing can be changed; empty where it can."""
        if not self.is_live or self.registry is None:
            return "a saved fleet can't be changed"
        return "read-only mode" if self.read_only else ""

    def require_writable(self) -> HostRegistry:
        """Return the registry for a change; raises ReadOnly where nothing may be changed."""
        if self.why_not or self.registry is None:
            hint = "leave out --fleet" if not self.is_live else "leave out --read-only"
            raise ReadOnly(f"{self.why_not}: nothing was changed", hint=hint)
        return self.registry

    def add_host(self, host: Host) -> tuple[str, ...]:
        """Register a host; gives warnings. Raises HostRefused."""
        return self._change(lambda registry: registry.add(host, self.configuration))

    def change_host(self, old: Host, new: Host) -> tuple[str, ...]:
        """Put `new` in the place of `old`, as it was read; gives warnings. Raises HostRefused, HostChanged."""
        return self._change(lambda registry: registry.replace(old, new, self.configuration))

    def set_state(self, name: str, state: HostState) -> None:
        """Enable a host, set it to No Scheduling or disable it. Raises UnknownHost."""
        self._change(lambda registry: registry.set_state(name, state))

    def remove_host(self, name: str) -> None:
        """Remove a host from the registry; its VMs are not touched. Raises UnknownHost."""
        self._change(lambda registry: registry.remove(name))

    def _change(self, change: Callable[[HostRegistry], T]) -> T:
        outcome = change(self.require_writable())
        self._read_registry()
        return outcome

    def probe(self, uri: str, deadline: float = 10.0) -> HostReport:
        """Connect to a URI once and report what is there; blocks up to `deadline` seconds. Raises DriverError."""
        from core.driver.hosts.probe import probe

        return probe(uri, deadline)


def _all_settled(fleet: Fleet) -> bool:
    return all(
        snapshot.connection in (Connection.OFF, Connection.UNREACHABLE)
        or (snapshot.connection is Connection.CONNECTED and snapshot.is_known)
        for snapshot in fleet.hosts
    )


def _all_asked(fleet: Fleet) -> bool:
    connected = (snapshot for snapshot in fleet.hosts if snapshot.connection is Connection.CONNECTED)
    return _all_settled(fleet) and all(snapshot.addresses_asked for snapshot in connected)


def open_session(
    *,
    config: Path | None,
    registry: Path | None,
    fleet: Path | None,
    read_only: bool,
    clock: Clock | None = None,
    trust_locks: bool = False,
) -> Session:
    """Open the configuration with the registry, or with a saved fleet.

    Raises ConfigurationInvalid, UnreadableFile.
    """
    from core.config.reader import load

    path = find_configuration(config, os.environ)
    configuration = load(path)
    clock = clock or SystemClock()
    if fleet is not None:
        saved = load_file(fleet)
        return Session(
            configuration, configuration_path=path, saved=saved, label=f"saved fleet {fleet.name}", clock=clock
        )
    from core.registry.hosts import HostRegistry

    return Session(
        configuration,
        configuration_path=path,
        registry=HostRegistry(registry or default_registry(), clock, trust_locks=trust_locks),
        read_only=read_only,
        clock=clock,
    )


def _raise_gone(registry: HostRegistry) -> None:
    registry.hosts()  # says why, where it can't even be looked for
    hint = "mount its file system or restore the file; the hosts shown are those read last"
    raise UnreadableFile(f"{registry.path} no longer exists", hint=hint)
