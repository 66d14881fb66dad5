"""Which VMs of a realm have which disks: asked of every host, because any of them might (specification, section 9)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.operations.host_access import HostAccess
from core.operations.on_hosts import on_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.driver.connection import HostConnection
    from core.driver.disks import DomainDisks
    from core.hosts import Host
    from core.operations.tasks import Control
    from core.operations.workplace import Workplace


@dataclass(frozen=True, slots=True)
class DiskUser:
    """A VM that has a disk."""

    host: str
    name: str
    uuid: str
    active: bool

    def __str__(self) -> str:
        return f"{self.host}/{self.name} ({'running' if self.active else 'off'})"


@dataclass(frozen=True, slots=True)
class DiskUsers:
    """What the hosts said. `unasked` are those that could not be asked, disabled ones too, and why."""

    told: Mapping[str, tuple[tuple[DomainDisks, ...], Mapping[str, str]]] = field(default_factory=dict)
    """By host: its domains, and the folders of its pools."""
    unasked: Mapping[str, str] = field(default_factory=dict)

    def of(self, pool: str, volume: str, path: str = "") -> Iterator[DiskUser]:
        """Give the VMs that have a volume: hosts may see the same pool at different paths."""
        for host, (domains, folders) in self.told.items():
            paths = {_plain(path)} if path else set()
            if pool in folders:
                paths.add(_plain(posixpath.join(folders[pool], volume)))
            for each in domains:
                if (pool, volume) in each.volumes or any(_plain(file) in paths for file in each.files):
                    yield DiskUser(host, each.name, each.uuid, each.active)

    def running(self, uuid: str) -> tuple[str, ...]:
        """Name the hosts that run a domain now."""
        return tuple(
            host for host, (domains, _) in self.told.items() if any(d.uuid == uuid and d.active for d in domains)
        )

    @property
    def why_unasked(self) -> str:
        """Say which hosts could not be asked; empty where all were."""
        return "; ".join(
            reason if reason.startswith(f"{host}: ") else f"{host}: {reason}" for host, reason in self.unasked.items()
        )


def ask_for_disks(
    workplace: Workplace, control: Control, hosts: Sequence[Host], pools: Sequence[str], deadline: float
) -> DiskUsers:
    """Ask all hosts, all at once, which disks their VMs have, running or off."""

    def look(host: Host) -> tuple[tuple[DomainDisks, ...], Mapping[str, str]]:
        with HostAccess(workplace, host, deadline) as access:
            return access.slow(ask)

    def ask(connection: HostConnection) -> tuple[tuple[DomainDisks, ...], Mapping[str, str]]:
        from core.driver.disks import read_disks
        from core.driver.pool_setup import look_up_pool

        folders = {pool: look_up_pool(connection, pool).path for pool in pools}
        return read_disks(connection), {pool: path for pool, path in folders.items() if path}

    with control.step("ask all hosts who has it") as step:
        answers = on_each(hosts, look)
        users = DiskUsers(
            {answer.host.name: answer.value for answer in answers if answer.value is not None},
            {answer.host.name: str(answer.error) for answer in answers if answer.error is not None},
        )
        step.detail(f"{len(users.told)} of {len(hosts)} answered")
    return users


def _plain(path: str) -> str:
    return posixpath.normpath(path)
