"""Volumes of a storage pool: listed, created, copied, uploaded and deleted (specification, section 9).

Nothing half-made is left behind: what fails is deleted again. Libvirt knows a pool as it was when it was last
refreshed, and other hosts write there too: so whatever looks for a volume refreshes the pool first.
"""

import contextlib
import errno
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import said_by_program, says_busy, says_exists, says_no_space
from core.driver.storage.content import Content
from core.driver.storage.pool_refresh import refresh
from core.driver.storage.pool_setup import error_number
from core.driver.xml.reader import XmlRefused, parse
from core.errors import DriverError
from core.units import whole_number

_END_OF_TIME = 253_402_300_800.0
"""The year 10000: a file's times are whatever someone has set."""

BUSY_PATIENCE = 5.0
"""Seconds for which a pool is asked again that can't be refreshed because a volume is being written there."""


class VolumeExists(DriverError):
    """There is a volume of that name already."""

    code = ErrorCode.VOLUME_EXISTS


class NoSuchVolume(DriverError):
    """There is no volume of that name."""

    code = ErrorCode.NO_SUCH_VOLUME


class PoolBusy(DriverError):
    """Libvirt can't look into the pool before something there is done."""

    code = ErrorCode.POOL_BUSY


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume as a host sees it. Sizes are bytes; times seconds since the epoch."""

    pool: str
    name: str
    path: str
    format: str
    """As libvirt recognised it by what is in it: for raw volumes a guest decides that, so never trust it there."""
    capacity: int
    """Size that a guest sees."""
    allocation: int
    """Space that it takes."""
    backing_path: str = ""
    """Path of the volume that it is an overlay of; empty where it is none."""
    changed_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVolume:
    """A volume to be made. Sizes are bytes."""

    name: str
    capacity: int
    format: str = "qcow2"
    full: bool = False
    """Whether all space is allocated at once."""
    backing: Volume | None = None
    """The volume that it is to be an overlay of; both as the same host sees them."""

    def xml(self) -> str:
        """Write the definition that libvirt makes the volume from."""
        volume = ET.Element("volume")
        ET.SubElement(volume, "name").text = self.name
        ET.SubElement(volume, "capacity", unit="bytes").text = str(self.capacity)
        ET.SubElement(volume, "allocation", unit="bytes").text = str(self.capacity if self.full else 0)
        target = ET.SubElement(volume, "target")
        ET.SubElement(target, "format", type=self.format)
        if self.format == "qcow2":
            ET.SubElement(target, "compat").text = "1.1"
        if self.backing is not None:
            backing = ET.SubElement(volume, "backingStore")
            ET.SubElement(backing, "path").text = self.backing.path
            ET.SubElement(backing, "format", type=self.backing.format)
        return ET.tostring(volume, encoding="unicode")


def list_volumes(connection: HostConnection, pool: str, *, or_stale: bool = True) -> tuple[Volume, ...]:
    """Return the volumes of a pool as they are now, by name. Raises DriverError, also for a pool that is not active.

    Where libvirt can't look there now, as they were seen before, unless that won't do: PoolBusy then.
    """
    return _volumes(connection, refreshed(connection, pool, or_stale=or_stale), pool)


def known_volumes(connection: HostConnection, pool: str) -> tuple[Volume, ...]:
    """Return the volumes of a pool as libvirt saw them when it looked there last. Raises DriverError."""
    with connection_errors(connection, f"list the volumes of pool {pool}"):
        handle = connection.handle.storagePoolLookupByName(pool)
    return _volumes(connection, handle, pool)


def _volumes(connection: HostConnection, handle: Any, pool: str) -> tuple[Volume, ...]:
    with connection_errors(connection, f"list the volumes of pool {pool}"):
        found = [_read_volume(each, pool) for each in handle.listAllVolumes(0)]
    return tuple(sorted((volume for volume in found if volume is not None), key=lambda volume: volume.name))


def volume_names(connection: HostConnection, pool: str, *, or_stale: bool = False) -> frozenset[str]:
    """Return the names of a pool's volumes as they are now: in one call, where `list_volumes` needs one for each."""
    handle = refreshed(connection, pool, or_stale=or_stale)
    with connection_errors(connection, f"list the volumes of pool {pool}"):
        return frozenset(map(str, handle.listVolumes()))


def find_volume(connection: HostConnection, pool: str, name: str) -> Volume | None:
    """Find a volume by its name; None where there is none. Raises DriverError."""
    try:
        return _read_volume(refreshed(connection, pool).storageVolLookupByName(name), pool)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
            return None
        raise connection.failed(error, f"look for {name} in pool {pool}") from error


def require_volume(connection: HostConnection, pool: str, name: str) -> Volume:
    """Find a volume by its name; raises NoSuchVolume where there is none."""
    volume = find_volume(connection, pool, name)
    if volume is None:
        raise NoSuchVolume(connection.host, f"no volume {name} in pool {pool}")
    return volume


def create_volume(connection: HostConnection, pool: str, new: NewVolume) -> Volume:
    """Make an empty volume, or an overlay. Raises VolumeExists, DriverError; nothing is left behind then."""
    doing = f"create {new.name} in pool {pool}"
    handle = refreshed(connection, pool)
    # With this flag and all space asked for libvirt has qemu-img allocate all of a qcow2; a raw one needs no flag.
    whole = new.full and new.format == "qcow2" and not connection.is_embedded
    flags = libvirt.VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA if whole else 0
    with _creating(connection, doing):
        made = _read_volume(handle.createXML(new.xml(), flags), pool)
    if made is None:
        raise NoSuchVolume(connection.host, f"{doing}: someone else deleted it immediately")
    return made


def copy_volume(
    connection: HostConnection,
    source: Volume,
    pool: str,
    name: str,
    *,
    format: str = "qcow2",  # noqa: A002 - libvirt's word
) -> Volume:
    """Make a full copy of a volume, without what it is an overlay of; the host does all the work, and blocks.

    Raises VolumeExists, DriverError; nothing is left behind then.
    """
    doing = f"copy {source.name} to {name} in pool {pool}"
    origin = refreshed(connection, source.pool)
    handle = refreshed(connection, pool) if pool != source.pool else origin
    new = NewVolume(name=name, capacity=source.capacity, format=format)
    with _creating(connection, doing):
        made = _read_volume(handle.createXMLFrom(new.xml(), origin.storageVolLookupByName(source.name), 0), pool)
    if made is None:
        raise NoSuchVolume(connection.host, f"{doing}: someone else deleted it immediately")
    return made


def delete_volume(connection: HostConnection, pool: str, name: str) -> None:
    """Delete a volume for good. Raises NoSuchVolume, DriverError."""
    handle = refreshed(connection, pool)
    try:
        handle.storageVolLookupByName(name).delete(libvirt.VIR_STORAGE_VOL_DELETE_NORMAL)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
            raise NoSuchVolume(connection.host, f"no volume {name} in pool {pool}") from error
        raise connection.failed(error, f"delete {name} from pool {pool}") from error


def discard_volume(connection: HostConnection, pool: str, name: str) -> None:
    """Delete a volume if it is there: for what is undone."""
    with contextlib.suppress(NoSuchVolume):
        delete_volume(connection, pool, name)


def upload_volume(
    connection: HostConnection, pool: str, name: str, content: Content, progress: Callable[[int], None]
) -> Volume:
    """Make a volume of a file's bytes, as they are; holes stay holes. `progress` is told the bytes that are done.

    Whatever `progress` raises ends the upload. Raises VolumeExists, DriverError; nothing is left behind then.
    """
    create_volume(connection, pool, NewVolume(name=name, capacity=content.size, format="raw"))
    try:
        with connection_errors(connection, f"upload {name} to pool {pool}"):
            _send(
                connection,
                connection.handle.storagePoolLookupByName(pool).storageVolLookupByName(name),
                content,
                progress,
            )
        return require_volume(connection, pool, name)
    except BaseException:
        discard_volume(connection, pool, name)
        raise


def refreshed(connection: HostConnection, pool: str, *, or_stale: bool = False) -> Any:
    """Return libvirt's object of a pool that has just been looked at again. Raises PoolBusy, DriverError.

    Libvirt refuses to look while a volume is being made there through the same host: it is asked again for a while;
    then the pool as it was seen before is given if that will do.
    """
    doing = f"look into pool {pool}"
    until = time.monotonic() + BUSY_PATIENCE
    try:
        handle = connection.handle.storagePoolLookupByName(pool)
        while not _refresh(handle):
            if time.monotonic() >= until:
                if or_stale:
                    break
                message = (
                    f"{doing}: a volume is being created there, and libvirt cannot refresh the pool before that is done"
                )
                raise PoolBusy(connection.host, message, hint="try again later")
            time.sleep(0.2)  # libvirt tells nobody when it is done
    except libvirt.libvirtError as error:
        failure = connection.failed(error, doing)
        if error.get_error_code() in _POOL_IS_MISSING:
            failure.hint = failure.hint or "realms pools status shows the pool, realms pools setup repairs it"
        raise failure from error
    return handle


def _refresh(handle: Any) -> bool:
    try:
        refresh(handle)
    except libvirt.libvirtError as error:
        says_nothing = error.get_error_code() is None  # seen of libvirt 9 while a copy grew in the pool
        if says_busy(error) or (says_nothing and handle.isActive()):
            return False
        raise
    return True


_POOL_IS_MISSING = frozenset({libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_ERR_OPERATION_INVALID})


@contextlib.contextmanager
def connection_errors(connection: HostConnection, doing: str) -> Iterator[None]:
    """Translate libvirt's errors in a block, telling a lost connection from a refusal."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise connection.failed(error, doing) from error


@contextlib.contextmanager
def _creating(connection: HostConnection, doing: str) -> Iterator[None]:
    try:
        yield
    except libvirt.libvirtError as error:
        exists = error.get_error_code() == libvirt.VIR_ERR_STORAGE_VOL_EXIST or error_number(error) == errno.EEXIST
        if exists or says_exists(error):
            raise VolumeExists(connection.host, f"{doing}: that name already exists") from error
        failure = connection.failed(error, doing)
        if said := said_by_program(error):
            failure = DriverError(connection.host, f"{doing}: {said}")
        if says_no_space(error):
            failure.hint = "realms pools status shows how much is free"
        raise failure from error


def _send(connection: HostConnection, volume: Any, content: Content, progress: Callable[[int], None]) -> None:
    stream = connection.handle.newStream(0)
    try:
        volume.upload(stream, 0, content.size, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
        done = 0
        for length, piece in content.pieces():
            if piece is None:
                stream.sendHole(length, 0)
            else:
                _send_all(stream, piece)
            done += length
            progress(done)
        stream.finish()
    except BaseException:
        with contextlib.suppress(libvirt.libvirtError):
            stream.abort()
        raise


def _send_all(stream: Any, piece: bytes) -> None:
    while piece:
        sent = stream.send(piece)
        piece = piece[sent:]


def _read_volume(handle: Any, pool: str) -> Volume | None:
    """Read one volume; None where it has gone since it was listed."""
    try:
        xml, name, path = str(handle.XMLDesc(0)), str(handle.name()), str(handle.path())
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
            return None
        raise
    try:
        volume = parse(xml, "volume")
    except XmlRefused:
        return Volume(pool=pool, name=name, path=path, format="", capacity=0, allocation=0)
    form = volume.find("target/format")
    return Volume(
        pool=pool,
        name=name,
        path=path,
        format="" if form is None else form.get("type", ""),
        capacity=_bytes(volume.findtext("capacity")),
        allocation=_bytes(volume.findtext("allocation")),
        backing_path=volume.findtext("backingStore/path") or "",
        changed_at=_seconds(volume.findtext("target/timestamps/mtime")),
    )


def _bytes(text: str | None) -> int:
    return whole_number(text) or 0


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds < _END_OF_TIME else None
