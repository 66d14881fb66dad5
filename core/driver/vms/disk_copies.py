"""Copies of a running domain's disks as they are at one moment, made by its QEMU while it goes on (section 9)."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.storage.volumes import connection_errors
from core.driver.vms.disk_devices import Disk
from core.errors import DriverError
from core.text import one_line

FREEZE_SECONDS = 20
"""How long a guest agent may take to freeze or thaw its file systems."""

_COMPLETED = libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED


@dataclass(frozen=True, slots=True)
class CopyJob:
    """How far the copying of a domain's disks is, in bytes; all of its disks together."""

    running: bool
    done: int = 0
    total: int = 0


def size_of(connection: HostConnection, uuid: str, target: str) -> int:
    """Return the size in bytes that a running domain's disk has for its guest, as its QEMU says. Raises DriverError.

    Libvirt tells the size of a volume by what is in it, which for a raw one is the guest's to write.
    """
    with connection_errors(connection, f"ask for the size of {target}"):
        return int(connection.handle.lookupByUUIDString(uuid).blockInfo(target)[0])


def begin_copies(connection: HostConnection, uuid: str, disks: Sequence[Disk], copies: Mapping[str, str]) -> None:
    """Begin to copy disks to qcow2 files that are there already, all as of one moment. Raises DriverError.

    `disks` are all that the domain has, `copies` the targets of those that are copied, with the files' paths.
    """
    backup = ET.Element("domainbackup", mode="push")
    listed = ET.SubElement(backup, "disks")
    for disk in disks:
        if disk.target not in copies:
            ET.SubElement(listed, "disk", name=disk.target, backup="no")
            continue
        element = ET.SubElement(listed, "disk", name=disk.target, type="file", backup="yes")
        ET.SubElement(element, "driver", type="qcow2")
        ET.SubElement(element, "target", file=copies[disk.target])
    with connection_errors(connection, "copy the disks of a running VM"):
        domain = connection.handle.lookupByUUIDString(uuid)
        with contextlib.suppress(libvirt.libvirtError):  # what an earlier job left to be read would be taken for ours
            domain.jobStats(_COMPLETED)
        flags = libvirt.VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL
        domain.backupBegin(ET.tostring(backup, encoding="unicode"), None, flags)


def copies_progress(connection: HostConnection, uuid: str) -> CopyJob:
    """Ask how far the copies are. Raises DriverError where they have ended and are not complete."""
    with connection_errors(connection, "copy the disks of a running VM"):
        try:
            domain = connection.handle.lookupByUUIDString(uuid)
            now = domain.jobStats()
            if now.get("type", 0) != libvirt.VIR_DOMAIN_JOB_NONE:
                done, total = int(now.get("disk_processed", 0)), int(now.get("disk_total", 0))
                return CopyJob(running=True, done=done, total=total)
            ended = domain.jobStats(_COMPLETED)
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_DOMAIN):
                raise
            message = "the VM has stopped while its disks were copied: the copy is incomplete"
            raise DriverError(connection.host, message) from error
    if ended.get("success") is not True:
        reason = one_line(str(ended.get("errmsg") or "libvirt gave no reason"))
        raise DriverError(connection.host, f"the disks could not be copied: {reason}")
    total = int(ended.get("disk_total", 0))
    return CopyJob(running=False, done=total, total=total)


def is_copying(connection: HostConnection, uuid: str) -> bool:
    """Return whether a domain's disks are being copied now. Raises DriverError."""
    with connection_errors(connection, "ask what a VM is doing"):
        try:
            domain = connection.handle.lookupByUUIDString(uuid)
            return bool(domain.isActive()) and domain.jobStats().get("operation") == _BACKUP
        except libvirt.libvirtError as error:
            if error.get_error_code() in _NOTHING_RUNS:
                return False
            raise


_BACKUP = libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP
_NOTHING_RUNS = frozenset({
    libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_SUPPORT,
})  # fmt: skip


def stop_copies(connection: HostConnection, uuid: str) -> None:
    """Have the copying of a domain's disks end; it goes on for a moment. Raises DriverError."""
    with connection_errors(connection, "stop copying the disks of a VM"):
        domain = connection.handle.lookupByUUIDString(uuid)
        if is_copying(connection, uuid):
            with contextlib.suppress(libvirt.libvirtError):  # it has ended by itself meanwhile
                domain.abortJob()


@contextlib.contextmanager
def frozen(connection: HostConnection, uuid: str, *, wanted: bool) -> Iterator[bool]:
    """Have the guest's agent hold its file systems still for the block; gives whether it does.

    They are thawed behind the block in any case, also where freezing seemed to fail. Raises DriverError where they
    can't be thawed: the guest would stand still.
    """
    if not wanted:
        yield False
        return
    domain = _domain(connection, uuid)
    with contextlib.suppress(libvirt.libvirtError):
        domain.agentSetResponseTimeout(FREEZE_SECONDS)
    held = False
    try:
        with contextlib.suppress(libvirt.libvirtError):
            held = int(domain.fsFreeze()) > 0
        yield held
    finally:
        try:
            domain.fsThaw()
        except libvirt.libvirtError as error:
            if held:
                failure = connection.failed(error, "thaw the guest's file systems")
                failure.hint = failure.hint or "run virsh domfsthaw, or the guest stays frozen"
                raise failure from error
        finally:
            with contextlib.suppress(libvirt.libvirtError):
                domain.agentSetResponseTimeout(libvirt.VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK)


def _domain(connection: HostConnection, uuid: str) -> Any:
    with connection_errors(connection, "look for a VM"):
        return connection.handle.lookupByUUIDString(uuid)
