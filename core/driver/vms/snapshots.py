"""Snapshots as they lie in the snapshots pool: a copy of each disk, and a record that makes them one (section 9).

All names begin with the VM's UUID, so that any program on any host finds what belongs to a VM, wherever that is now and
even when it is gone:

    UUID.NAME.vda.qcow2     the copy of a disk: whole, an overlay of nothing
    UUID.NAME.snapshot      the record, JSON, written last

Without its record a snapshot is incomplete: it is being made, or the program that made it was ended.
"""

import json
import math
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.storage.content import Content
from core.driver.storage.volume_bytes import delete_known, read_bytes
from core.driver.storage.volumes import connection_errors, refreshed, upload_volume
from core.errors import DriverError

FORMAT = "libvirt-realms-snapshot/1"
_LARGEST_RECORD = 1 << 20

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
NAME_RULE = re.compile(_NAME)
"""What a snapshot may be called: it becomes a part of file names."""

_COPY = re.compile(rf"(?P<uuid>{_UUID})\.(?P<name>{_NAME})\.(?P<target>[A-Za-z0-9_-]{{1,32}})\.qcow2")
_RECORD = re.compile(rf"(?P<uuid>{_UUID})\.(?P<name>{_NAME})\.snapshot")


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedDisk:
    """One disk in a snapshot. `pool`, `volume` and `format` are those of the disk that was copied; sizes are bytes."""

    target: str
    copy: str
    """Name of the copy in the snapshots pool."""
    pool: str
    volume: str
    format: str
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A VM's disks at one moment. Sizes are bytes, times seconds since the epoch."""

    name: str
    uuid: str
    vm: str = ""
    """The VM's name when it was taken."""
    realm: str = ""
    host: str = ""
    taken_at: float | None = None
    state: str = ""
    """The VM's state when it was taken: off, running, paused."""
    consistency: str = ""
    """off: the VM did not run; filesystem: its file systems stood still; crash: as after a power cut."""
    user: str = ""
    disks: tuple[CopiedDisk, ...] = ()
    complete: bool = True
    """False while it is being made, or where that was never finished, or where a copy is gone: it can be deleted."""
    problem: str = ""
    """Why it isn't complete."""
    allocation: int = 0
    """Space that all its copies take."""
    volumes: tuple[str, ...] = field(default=(), compare=False)
    """All volumes in the snapshots pool that belong to it."""


def copy_name(uuid: str, name: str, target: str) -> str:
    """Return the name of the copy of a disk."""
    return f"{uuid}.{name}.{target}.qcow2"


def record_name(uuid: str, name: str) -> str:
    """Return the name of a snapshot's record."""
    return f"{uuid}.{name}.snapshot"


def list_snapshots(connection: HostConnection, pool: str, uuid: str | None = None) -> tuple[Snapshot, ...]:
    """Return the snapshots of one VM, or of all, the oldest first, as they lie in the pool now. Raises DriverError."""
    handle = refreshed(connection, pool, or_stale=True)
    with connection_errors(connection, f"list the volumes of pool {pool}"):
        names = sorted(map(str, handle.listVolumes()))
    found: dict[tuple[str, str], list[str]] = {}
    for volume in names:
        match = _COPY.fullmatch(volume) or _RECORD.fullmatch(volume)
        if match is not None and uuid in (None, match["uuid"]):
            found.setdefault((match["uuid"], match["name"]), []).append(volume)
    snapshots = (_read(connection, handle, key, tuple(volumes)) for key, volumes in found.items())
    return tuple(sorted(snapshots, key=lambda snapshot: (snapshot.uuid, snapshot.taken_at or math.inf, snapshot.name)))


def _read(connection: HostConnection, handle: Any, key: tuple[str, str], volumes: tuple[str, ...]) -> Snapshot:
    uuid, name = key
    record = record_name(uuid, name)
    bare = Snapshot(name=name, uuid=uuid, complete=False, volumes=volumes)
    sizes = {volume: _allocation(connection, handle, volume) for volume in volumes}
    bare = replace(bare, allocation=sum(size or 0 for size in sizes.values()))
    if record not in volumes:
        return replace(bare, problem="it is in progress or was never finished")
    try:
        snapshot = read_record(_download(connection, handle, record), uuid, name)
    except ValueError as error:
        return replace(bare, problem=f"its record can't be read: {error}")
    missing = [disk.target for disk in snapshot.disks if sizes.get(disk.copy) is None]
    problem = f"the copy of {', '.join(missing)} is gone" if missing else ""
    return replace(snapshot, allocation=bare.allocation, volumes=volumes, complete=not missing, problem=problem)


def _allocation(connection: HostConnection, handle: Any, volume: str) -> int | None:
    try:
        return int(handle.storageVolLookupByName(volume).info()[2])
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
            return None
        raise connection.failed(error, f"look at {volume}") from error


def _download(connection: HostConnection, handle: Any, volume: str) -> bytes:
    with connection_errors(connection, f"read {volume}"):
        return read_bytes(connection, handle.storageVolLookupByName(volume), _LARGEST_RECORD)


def read_record(content: bytes, uuid: str, name: str) -> Snapshot:
    """Read a snapshot's record; raises ValueError for one that makes no sense, or speaks of another snapshot.

    Whoever can write to the pool can write a record: what it says of disks must fit the names of this snapshot.
    """
    try:
        found = json.loads(content.rstrip(b"\0"))
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"it is not {FORMAT}")
    if (found.get("uuid"), found.get("name")) != (uuid, name):
        raise ValueError("it is the record of another snapshot")
    taken = found.get("taken")
    if not isinstance(taken, int | float) or isinstance(taken, bool) or not math.isfinite(taken):
        raise ValueError("it has no time")
    disks = found.get("disks")
    if not isinstance(disks, list) or not disks:
        raise ValueError("it names no disk")
    return Snapshot(
        name=name,
        uuid=uuid,
        vm=_text(found, "vm"),
        realm=_text(found, "realm"),
        host=_text(found, "host"),
        taken_at=float(taken),
        state=_text(found, "state"),
        consistency=_text(found, "consistency"),
        user=_text(found, "user"),
        disks=tuple(_read_disk(disk, uuid, name) for disk in disks),
    )


def _read_disk(found: Any, uuid: str, name: str) -> CopiedDisk:
    if not isinstance(found, dict):
        raise ValueError("a disk is not an object")  # noqa: TRY004 - what is wrong is the record, not a type here
    target, form, capacity = _text(found, "target"), _text(found, "format"), found.get("capacity")
    if form not in ("raw", "qcow2") or not isinstance(capacity, int) or capacity <= 0:
        raise ValueError(f"what it says of disk {target!r} is invalid")
    copy = copy_name(uuid, name, target)
    if not _COPY.fullmatch(copy):
        raise ValueError(f"{target!r} is not a disk")
    return CopiedDisk(
        target=target,
        copy=copy,
        pool=_text(found, "pool"),
        volume=_text(found, "volume"),
        format=form,
        capacity=capacity,
    )


def _text(found: dict[str, Any], key: str) -> str:
    text = found.get(key, "")
    return text if isinstance(text, str) else ""


def record_content(snapshot: Snapshot) -> bytes:
    """Write a snapshot's record."""
    record = {
        "format": FORMAT,
        "name": snapshot.name,
        "uuid": snapshot.uuid,
        "vm": snapshot.vm,
        "realm": snapshot.realm,
        "host": snapshot.host,
        "taken": snapshot.taken_at,
        "state": snapshot.state,
        "consistency": snapshot.consistency,
        "user": snapshot.user,
        "disks": [
            {
                "target": disk.target,
                "pool": disk.pool,
                "volume": disk.volume,
                "format": disk.format,
                "capacity": disk.capacity,
            }
            for disk in snapshot.disks
        ],
    }
    return json.dumps(record, indent=1, allow_nan=False).encode() + b"\n"


def write_record(connection: HostConnection, pool: str, snapshot: Snapshot) -> None:
    """Write a snapshot's record: from now on it is complete. Raises VolumeExists, DriverError."""
    content = record_content(snapshot)
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        name = record_name(snapshot.uuid, snapshot.name)
        upload_volume(connection, pool, name, Content(file, len(content)), lambda _: None)


def discard_volumes(connection: HostConnection, pool: str, volumes: Iterable[str]) -> None:
    """Delete volumes of a snapshot, its record first: what is left after a failure is then known to be incomplete.

    Raises DriverError for those that could not be deleted, after all were tried.
    """
    failures: list[DriverError] = []
    for volume in sorted(volumes, key=lambda volume: (not volume.endswith(".snapshot"), volume)):
        try:
            delete_known(connection, pool, volume)
        except DriverError as error:
            failures.append(error)
            if volume.endswith(".snapshot"):  # a snapshot with a record must have all its copies
                break
    if failures:
        raise failures[0]
