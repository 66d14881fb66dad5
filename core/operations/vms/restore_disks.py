"""Disks that a restore exchanges: as its journal tells of them, and how a drive gets its name back (section 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from core.driver.connection.connection import HostConnection
from core.driver.storage.volume_bytes import delete_known
from core.driver.storage.volumes import NewVolume, NoSuchVolume, Volume, create_volume, find_volume, volume_names
from core.driver.vms.disk_devices import switch_disks
from core.hosts import Host
from core.operations.scheduling.reserve import HeldReservation
from core.operations.session import Session
from core.operations.storage.usage import INCOMPLETE
from core.operations.storage.volume_copy import copy_watched
from core.operations.tasks.journal import JournalEntry
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.reservations import Reservation
from core.workers import this_worker

STOP, COPY, SWITCH, NAME_BACK = "stop", "copy", "switch", "name-back"
"""Steps of a restore, in the journal: the power cut, a disk copied, all exchanged, a drive about to get its name."""


Place = tuple[str, str]
"""A pool and the name of a volume in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredDisk:
    """A disk that is put onto a copy. `former` and `copy` are volumes in the same pool."""

    target: str
    pool: str
    former: str
    """What the disk was on before; the name that a drive gets back."""
    copy: str
    """What it is put onto."""
    format: str
    is_drive: bool

    @property
    def marker(self) -> str:
        """The volume that stands beside a drive that is being given its name: what has that name is not complete."""
        return self.former + INCOMPLETE

    def as_fact(self) -> Mapping[str, Any]:
        """Return it as the journal keeps it."""
        return asdict(self)

    @classmethod
    def from_fact(cls, fact: object) -> RestoredDisk | None:
        """Read it from the journal; None for what makes no sense."""
        if not isinstance(fact, dict) or set(fact) != {field.name for field in fields(cls)}:
            return None
        words = {key: str(value) for key, value in fact.items() if key != "is_drive"}
        return cls(**words, is_drive=bool(fact["is_drive"]))


@dataclass(frozen=True, slots=True)
class NameRestore:
    """How drives of a VM that is off get their names back, on a host, as a part of an operation."""

    control: Control
    entry: JournalEntry
    connection: HostConnection
    host: Host
    uuid: str
    deadline: float
    """Seconds that connecting to the host may take."""

    def give_back(self, disk: RestoredDisk, source: Volume, needed: int) -> Place:
        """Copy a drive to its own name, put the VM onto that, and delete the volume that it had meanwhile.

        Until all is done the marker says that nobody may use what has the name. Gives pool and name. Raises Cancelled,
        DriverError: the VM has the volume that it had then, and what is left is for `realms vms recover`.
        """
        connection, pool, name = self.connection, disk.pool, disk.former
        if find_volume(connection, pool, disk.marker) is None:
            create_volume(connection, pool, NewVolume(name=disk.marker, capacity=512, format="raw"))
        self.entry.step(NAME_BACK, host=self.host.name, pool=pool, volume=name)
        with self.control.step(StepKind.DELETE, f"delete {name} as it was before", self.host.name, always=True):
            delete_known(connection, pool, name)
        second = copy_watched(
            self.control,
            connection,
            self.host,
            source,
            pool=pool,
            name=name,
            form=disk.format,
            needed=needed,
            what=f"rename {name} back",
            deadline=self.deadline,
        )
        with self.control.step(StepKind.EXCHANGE, f"replace {disk.target}", self.host.name, always=True):
            if name not in volume_names(connection, pool, or_stale=True):
                raise NoSuchVolume(self.host.name, f"{name} was deleted during the copy: the VM keeps {disk.copy}")
            switch_disks(connection, self.uuid, {disk.target: (second.path, disk.format)})
            delete_known(connection, pool, disk.marker)
            delete_known(connection, pool, disk.copy)
        return pool, name


def reserve_alone(session: Session, vm: str, uuid: str, host: str, owner: str) -> HeldReservation:
    """Keep a VM for one operation: a reservation without size, which all other operations respect.

    Raises UnknownHost, ReservationRefused, RegistryBusy, ReadOnly.
    """
    registry = session.require_writable()
    wanted = Reservation(uuid=uuid, vm=vm, host=host, vcpus=0, memory_bytes=0, owner=owner, worker=this_worker())
    return HeldReservation(registry, registry.change(lambda changes: changes.reserve(wanted)), session.clock)
