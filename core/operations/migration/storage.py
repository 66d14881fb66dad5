"""Whether source and target of a migration see the same disks: told by the mount, or proven by a witness."""

import posixpath
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.driver.connection.connection import HostConnection
from core.driver.migration.survey import ActivePool, SourceReport, TargetReport
from core.driver.migration.traits import MovedDisk
from core.driver.storage.volumes import NewVolume, VolumeExists, create_volume, discard_volume, volume_names
from core.errors import DriverError

WITNESS = "realms-proof-"
"""What the name of the tiny volume begins with that a proof makes and deletes; the same as for pools."""


@dataclass(frozen=True, slots=True)
class StorageSharing:
    """Whether a folder with disks is the same on both hosts: True and False are known, None is not. `how` says why."""

    shared: bool | None
    how: str


def folders_of(disk: MovedDisk, pools: Iterable[ActivePool]) -> tuple[str, ...]:
    """Return the folders that a disk's files lie in, those of what it is an overlay of too."""
    if disk.volume is not None:
        return tuple(pool.path for pool in pools if pool.name == disk.volume[0])
    if disk.kind != "file":
        return ()
    return tuple(dict.fromkeys(posixpath.dirname(posixpath.normpath(path)) for path in disk.files))


def compare_storage(
    source: HostConnection, target: HostConnection, here: SourceReport, there: TargetReport, *, prove: bool
) -> Mapping[str, StorageSharing]:
    """Find out for every folder with disks of the domain whether both hosts share it.

    With `prove` a tiny volume is made on the source, looked for on the target, and deleted. Raises DriverError only
    where a connection is lost.
    """
    wanted = dict.fromkeys(folder for disk in here.traits.disks for folder in folders_of(disk, here.pools))
    return {folder: _compare(folder, source, target, here, there, prove=prove) for folder in wanted}


def _compare(
    folder: str, source: HostConnection, target: HostConnection, here: SourceReport, there: TargetReport, *, prove: bool
) -> StorageSharing:
    mine, theirs = _at(folder, here.pools), _at(folder, there.pools)
    if mine is None:
        return StorageSharing(
            shared=None, how=f"no active pool of {source.host} lies at {folder}, so sharing cannot be verified"
        )
    if theirs is None:
        return StorageSharing(shared=None, how=f"no active pool of {target.host} lies at {folder}")
    if mine.source and mine.source == theirs.source:
        return StorageSharing(shared=True, how=f"both have mounted {mine.source}")
    if not prove:
        return StorageSharing(shared=None, how="not verified: that would create a tiny volume")
    try:
        seen = _witnessed(source, target, mine.name, theirs.name)
    except DriverError as error:
        if not source.is_alive() or not target.is_alive():
            raise
        return StorageSharing(shared=None, how=f"verification failed: {error.message}")
    if seen:
        return StorageSharing(
            shared=True, how=f"a volume created in pool {mine.name} is seen in pool {theirs.name} there"
        )
    return StorageSharing(
        shared=False, how=f"a volume created in pool {mine.name} is not seen in pool {theirs.name} of {target.host}"
    )


def _at(folder: str, pools: Iterable[ActivePool]) -> ActivePool | None:
    return next((pool for pool in pools if pool.path and posixpath.normpath(pool.path) == folder), None)


def _witnessed(source: HostConnection, target: HostConnection, pool: str, other: str) -> bool:
    new = NewVolume(name=f"{WITNESS}{uuid.uuid4().hex[:12]}", capacity=512, format="raw")
    create_volume(source, pool, new)
    try:
        if new.name in volume_names(target, other):
            return True
        # A network file system may list a folder as it was a while ago; to make the same file asks its server.
        try:
            create_volume(target, other, new)
        except VolumeExists:
            return True
        discard_volume(target, other, new.name)
        return False
    finally:
        discard_volume(source, pool, new.name)


def unshared_disks(
    disks: Iterable[MovedDisk], pools: Iterable[ActivePool], storage: Mapping[str, StorageSharing]
) -> Iterator[MovedDisk]:
    """Return the disks of which it isn't known that both hosts share them."""
    pools = tuple(pools)
    for disk in disks:
        if disk.is_empty or disk.kind == "network":
            continue
        folders = folders_of(disk, pools)
        if not folders or any(storage[folder].shared is not True for folder in folders):
            yield disk
