"""Which VMs of a realm have which disks: asked of every host, because any of them might (specification, section 9)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from core.operations.hosts.access import HostAccess
from core.operations.hosts.fanout import map_hosts
from core.operations.storage.other_realms import NOWHERE, Elsewhere, Wanted, ask_elsewhere, export_of
from core.operations.tasks.step_kinds import StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.driver.connection.connection import HostConnection
    from core.driver.storage.volumes import Volume
    from core.driver.vms.disks import DomainDisks
    from core.hosts import Host
    from core.operations.session import Workplace
    from core.operations.tasks.task import Control


@dataclass(frozen=True, slots=True)
class DiskUser:
    """A VM that has a disk."""

    host: str
    name: str
    uuid: str
    active: bool

    def __str__(self) -> str:
        return f"{self.host}/{self.name} ({'running' if self.active else 'off'})"


class Reach(Enum):
    """How far a question who has a disk goes."""

    REALM = auto()
    """To the hosts that are named, which are those of one realm."""
    DISKS = auto()
    """To those of other realms too, for the disks of their VMs."""
    VOLUMES = auto()
    """And for what lies in their pools: overlays, and whether that is the same storage. It takes longer."""


@dataclass(frozen=True, slots=True)
class HostDisks:
    """What a host told: its domains, and by pool its folder, and what it is mounted from as HOST:/export."""

    domains: tuple[DomainDisks, ...]
    folders: Mapping[str, str]
    exports: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DiskUsers:
    """What the hosts said. `unasked` are those that could not be asked, disabled ones too, and why."""

    told: Mapping[str, HostDisks] = field(default_factory=dict)
    unasked: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Elsewhere = NOWHERE
    """What the hosts of other realms said."""

    def of(self, pool: str, volume: str, path: str = "") -> Iterator[DiskUser]:
        """Give the VMs that have a volume: hosts may see the same pool at different paths."""
        for host, disks in self.told.items():
            paths = self._paths(disks, pool, volume, path)
            for each in disks.domains:
                if (pool, volume) in each.volumes or any(_plain(file) in paths for file in each.files):
                    yield DiskUser(host, each.name, each.uuid, each.active)

    def perhaps_of(self, pool: str, volume: str, path: str = "") -> Iterator[tuple[DiskUser, str]]:
        """Give VMs that have a file of a volume's name in no pool that is known, and its path.

        A symbolic link may lead from there to the volume: libvirt compares paths, and so can't tell.
        """
        for host, disks in self.told.items():
            paths = self._paths(disks, pool, volume, path)
            known = {posixpath.dirname(each) for each in paths} | {_plain(each) for each in disks.folders.values()}
            for each in disks.domains:
                for file in sorted(each.files):
                    if posixpath.basename(file) == volume and posixpath.dirname(_plain(file)) not in known:
                        yield DiskUser(host, each.name, each.uuid, each.active), file

    def wanted(self, volume: Volume) -> Wanted:
        """Describe a volume, as these hosts see it, to be looked for elsewhere."""
        paths: set[str] = set().union(
            *(self._paths(disks, volume.pool, volume.name, volume.path) for disks in self.told.values())
        )
        exports = {export for disks in self.told.values() if (export := disks.exports.get(volume.pool))}
        return Wanted(
            volume.name, frozenset(paths or {volume.path}), frozenset(exports), volume.capacity, volume.changed_at
        )

    def running(self, uuid: str) -> tuple[str, ...]:
        """Name the hosts that run a domain now."""
        return tuple(
            host for host, disks in self.told.items() if any(d.uuid == uuid and d.active for d in disks.domains)
        )

    @property
    def why_unasked(self) -> str:
        """Say which hosts could not be asked; empty where all were."""
        return say_unasked(self.unasked)

    def _paths(self, disks: HostDisks, pool: str, volume: str, path: str) -> set[str]:
        paths = {_plain(path)} if path else set()
        if pool in disks.folders:
            paths.add(_plain(posixpath.join(disks.folders[pool], volume)))
        return paths


def say_unasked(unasked: Mapping[str, str]) -> str:
    """Say which hosts could not be asked, and why; empty where all were."""
    return "; ".join(f"{host}: {reason}" for host, reason in unasked.items())


def ask_for_disks(
    workplace: Workplace,
    control: Control,
    hosts: Sequence[Host],
    pools: Sequence[str],
    deadline: float,
    *,
    reach: Reach = Reach.REALM,
) -> DiskUsers:
    """Ask all hosts of a realm, all at once, which disks their VMs have, running or off; others as `reach` says."""

    def look(host: Host) -> HostDisks:
        with HostAccess(workplace, host, deadline) as access:
            return access.slow(ask)

    def ask(connection: HostConnection) -> HostDisks:
        from core.driver.storage.pool_setup import look_up_pool
        from core.driver.vms.disks import read_disks

        facts = {pool: look_up_pool(connection, pool) for pool in pools}
        return HostDisks(
            read_disks(connection),
            {pool: each.path for pool, each in facts.items() if each.path},
            {pool: export_of(each) for pool, each in facts.items()},
        )

    with control.step(StepKind.LOOK, "ask all hosts who has it") as step:
        others = None
        if reach is not Reach.REALM and hosts:
            volumes = reach is Reach.VOLUMES
            others = ask_elsewhere(workplace, hosts[0].realm, deadline, volumes=volumes, in_lanes=True)
        answers = map_hosts(hosts, look)
        elsewhere = others() if others is not None else NOWHERE
        users = DiskUsers(
            {answer.host.name: answer.value for answer in answers if answer.value is not None},
            {answer.host.name: answer.error.bare for answer in answers if answer.error is not None},
            elsewhere,
        )
        asked = len(hosts) + len(elsewhere.told) + len(elsewhere.silent)
        step.detail(f"{len(users.told) + len(elsewhere.told)} of {asked} answered")
    return users


def _plain(path: str) -> str:
    return posixpath.normpath(path)
