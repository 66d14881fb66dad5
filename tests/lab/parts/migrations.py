"""VMs moved between the lab's hosts, and what a test sees of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.errors import RealmsError
from core.fleet.fleet import Connection
from core.operations.migration.migrate import migrate
from core.operations.migration.options import MigrationOptions
from core.operations.migration.plan import MigrationPlan, MigrationSource, plan_migration
from core.operations.selection import find_vm
from core.operations.session import Session
from core.operations.tasks.journal import Journal
from core.registry.hosts import HostRegistry

from .guests import Boot
from .realm import hosts_of, write_configuration
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.operations.migration.outcome import Migrated
    from core.operations.tasks.task import Control, Task

    from .host import LabHost
    from .lab import Lab

PATIENCE = 60.0
SLOWLY = 2
"""MiB/s: a guest that has written 60 MiB is half a minute on its way."""


@dataclass(frozen=True, slots=True)
class Place3:
    """A session over the lab, and what a test does with it."""

    session: Session

    def plan(self, wanted: str, **wish: object) -> MigrationPlan:
        """Check a migration, as a task does."""
        wished = MigrationOptions(**{"foreign": True, **wish})  # type: ignore[arg-type]

        def check(control: Control) -> MigrationPlan:
            return plan_migration(control, self.session, self.departure(wanted), wished)

        return self.session.tasks.run("check", wanted, check).outcome.result(PATIENCE)

    def departure(self, wanted: str) -> MigrationSource:
        """Find a VM as soon as the watch shows it on one host alone."""

        def found() -> MigrationSource | None:
            fleet = self.session.fleet()
            try:
                snapshot, vm = find_vm(fleet, wanted)
            except RealmsError:
                return None
            return MigrationSource(fleet, snapshot, vm) if snapshot.connection is Connection.CONNECTED else None

        return eventually(found, f"{wanted} on one host")

    def start(self, wanted: str, **wish: object) -> Task[Migrated]:
        """Check, and begin to move."""
        plan = self.plan(wanted, **wish)
        return self.session.tasks.run("migrate", wanted, lambda control: migrate(control, self.session, plan))

    def move(self, wanted: str, **wish: object) -> Migrated:
        """Check and move."""
        return self.start(wanted, **wish).outcome.result(PATIENCE)

    def reservations(self) -> list[tuple[str, str]]:
        """Return host and VM of what someone holds room for."""
        registry = self.session.require_writable()
        return [(each.host, each.vm) for each in registry.reservations() if each.owner]

    def journal(self) -> list[str]:
        """Name the operations that are under way or left behind."""
        registry = self.session.require_writable()
        return [record.operation for record in Journal(registry.path, self.session.clock).records()]


@pytest.fixture
def place(lab: Lab, tmp_path: Path) -> Iterator[Place3]:
    """Return a session over the three hosts, polled twice a second."""
    configuration = load(write_configuration(tmp_path))
    realm = replace(configuration.realms["lab"], poll_frequency=0.5)
    configuration = replace(configuration, realms={"lab": realm})
    registry = HostRegistry(tmp_path / "registry.json")
    for host in hosts_of(lab):
        registry.add(host, configuration)
    session = Session(configuration, registry=registry)
    session.settled_fleet(PATIENCE)
    yield Place3(session)
    session.close()


def guest(host: LabHost, name: str = "mover", *, network: str | None = "lab", boot: Boot = Boot.KERNEL) -> str:
    """Start a guest that has booted, and give its UUID."""
    uuid = host.define_guest(name, network=network, boot=boot)
    host.start_guest(name)
    if boot is Boot.KERNEL and network is not None:
        host.guest_address(name)
    return uuid


def copies(lab: Lab, uuid: str) -> dict[str, str]:
    """Return the state of a domain on every host that knows it, except those that can't be asked."""
    found = {}
    for host in lab.hosts:
        if host.is_on:
            state = host.virsh("domstate", uuid, check=False).strip()
            if state:
                found[host.name] = state
    return found


def under_way(task: Task[Migrated]) -> None:
    """Wait until bytes of the guest have been sent."""
    eventually(lambda: any(step.total and step.done > 1_000_000 for step in task.view.steps), "bytes on their way")


def qemu_of(host: LabHost, name: str) -> None:
    """Kill a guest's QEMU on a host, as the machine's out-of-memory killer does."""
    host.run("sh", "-c", f"kill -KILL $(cat /run/libvirt/qemu/{name}.pid)")
