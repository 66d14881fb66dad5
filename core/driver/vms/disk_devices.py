"""Disks of one domain: read, attached, detached, and put onto other volumes (specification, section 9)."""

import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import says_unplugging
from core.driver.storage.volumes import connection_errors
from core.driver.xml.reader import XmlRefused, parse
from core.errors import DriverError
from core.realms import CacheMode

MOST_TARGETS = 26 * 27
"""Names vda to vdz, then vdaa to vdzz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk as a domain's XML tells it."""

    target: str
    """The name that it has in the domain: vda."""
    bus: str = ""
    device: str = "disk"
    """disk, cdrom, floppy, lun."""
    format: str = "raw"
    """What QEMU takes its bytes for: raw where the XML says nothing, as QEMU does then."""
    path: str = ""
    """Path of the file or device; empty where the disk names a volume instead."""
    pool: str = ""
    volume: str = ""
    read_only: bool = False

    @property
    def is_written(self) -> bool:
        """Whether it is a disk that the VM writes to: CDs and floppies are no part of a VM's data."""
        return self.device == "disk" and not self.read_only


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSet:
    """A domain's disks: those that it has now, and those that it has when it is started the next time."""

    active: bool
    persistent: bool
    present: tuple[Disk, ...]
    """Of the running domain; of the stored definition where it is off."""
    stored: tuple[Disk, ...]
    """Of the stored definition; empty where there is none."""
    agent_connected: bool = False

    def find(self, target: str) -> Disk | None:
        """Find a disk by its target, among the present ones first."""
        return next((disk for disk in (*self.present, *self.stored) if disk.target == target), None)

    def next_target(self, prefix: str = "vd") -> str:
        """Return the first free target, in the running domain and in the stored definition alike."""
        taken = {disk.target for disk in (*self.present, *self.stored)}
        return next(target for target in _targets(prefix) if target not in taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDisk:
    """A disk to attach."""

    target: str
    path: str
    format: str
    cache: CacheMode = CacheMode.DEFAULT
    discard: bool = False
    """Whether the guest's TRIM gives space back: not where the file was allocated in full, which it would undo."""

    def element(self) -> ET.Element:
        """Build its element; the default cache mode writes no attribute, so that QEMU decides."""
        disk = ET.Element("disk", type="file", device="disk")
        driver = ET.SubElement(disk, "driver", name="qemu", type=self.format)
        if self.cache is not CacheMode.DEFAULT:
            driver.set("cache", self.cache.value)
        if self.discard:
            driver.set("discard", "unmap")
        ET.SubElement(disk, "source", file=self.path)
        ET.SubElement(disk, "target", dev=self.target, bus="virtio")
        return disk


def _targets(prefix: str) -> Iterator[str]:
    for first in ("", *string.ascii_lowercase):
        for second in string.ascii_lowercase:
            yield f"{prefix}{first}{second}"


def disks_of(domain: ET.Element) -> tuple[Disk, ...]:
    """Read the disks of a `<domain>` element."""
    return tuple(_read(element) for element in domain.iterfind("devices/disk"))


def _read(element: ET.Element) -> Disk:
    def attribute(path: str, *names: str) -> str:
        child = element.find(path)
        found = () if child is None else (child.get(name) for name in names)
        return next((value for value in found if value), "")

    return Disk(
        target=attribute("target", "dev"),
        bus=attribute("target", "bus"),
        device=element.get("device", "disk"),
        format=attribute("driver", "type") or "raw",
        path=attribute("source", "file", "dev"),
        pool=attribute("source", "pool"),
        volume=attribute("source", "volume"),
        read_only=element.find("readonly") is not None,
    )


def read_disk_set(connection: HostConnection, uuid: str) -> DiskSet:
    """Ask a host for a domain's disks. Raises DriverError."""
    with connection_errors(connection, "ask for a VM's disks"):
        domain = connection.handle.lookupByUUIDString(uuid)
        active, persistent = bool(domain.isActive()), bool(domain.isPersistent())
        now = _parsed(connection, str(domain.XMLDesc(0)))
        stored = _parsed(connection, str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))) if persistent else None
    return DiskSet(
        active=active,
        persistent=persistent,
        present=disks_of(now),
        stored=() if stored is None else disks_of(stored),
        agent_connected=any(
            target.get("name") == "org.qemu.guest_agent.0" and target.get("state") == "connected"
            for target in now.iterfind("devices/channel/target")
        ),
    )


def _parsed(connection: HostConnection, text: str) -> ET.Element:
    try:
        return parse(text, "domain")
    except XmlRefused as error:
        raise DriverError(connection.host, f"libvirt's description of the VM can't be read: {error}") from error


def attach_disk(connection: HostConnection, uuid: str, disk: NewDisk) -> None:
    """Attach a disk to a domain: at once where it runs, and in its stored definition. Raises DriverError.

    Where a driver can attach nothing, the stored definition is changed: what runs gets the disk with its next start.
    """
    element = disk.element()
    with connection_errors(connection, f"attach {disk.target}"):
        domain = connection.handle.lookupByUUIDString(uuid)
        try:
            domain.attachDeviceFlags(ET.tostring(element, encoding="unicode"), _reach(domain))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                raise
            _redefine(connection, domain, lambda root: _append(root, element))


def ask_to_release(connection: HostConnection, uuid: str, target: str) -> bool:
    """Ask a running domain to release a disk; its guest does so in its own time, or never. Raises DriverError.

    Asking again while the guest has not answered is no error. False where the driver can't ask running domains.
    """
    with connection_errors(connection, f"detach {target}"):
        domain = connection.handle.lookupByUUIDString(uuid)
        element = _element_of(_parsed(connection, str(domain.XMLDesc(0))), target)
        if element is None:
            return True
        try:
            flags = libvirt.VIR_DOMAIN_AFFECT_LIVE
            domain.detachDeviceFlags(ET.tostring(element, encoding="unicode"), flags)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
                return False
            if not says_unplugging(error):
                raise
    return True


def forget_disk(connection: HostConnection, uuid: str, target: str) -> None:
    """Take a disk out of a domain's stored definition. Raises DriverError."""
    with connection_errors(connection, f"detach {target}"):
        domain = connection.handle.lookupByUUIDString(uuid)
        element = _element_of(_parsed(connection, str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))), target)
        if element is None:
            return
        try:
            flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG
            domain.detachDeviceFlags(ET.tostring(element, encoding="unicode"), flags)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                raise
            _redefine(connection, domain, lambda root: _remove(root, target))


def switch_disks(connection: HostConnection, uuid: str, paths: Mapping[str, tuple[str, str]]) -> None:
    """Put disks of a domain that is off onto other files, all at once: target to path and format.

    Raises DriverError, and changes nothing then.
    """

    def switch(root: ET.Element) -> None:
        for target, (path, form) in paths.items():
            element = _element_of(root, target)
            if element is None:
                raise DriverError(connection.host, f"the VM no longer has disk {target}")
            _put_onto(element, path, form)

    with connection_errors(connection, "change a VM's disks"):
        domain = connection.handle.lookupByUUIDString(uuid)
        if domain.isActive():
            raise DriverError(connection.host, "the VM was started meanwhile: its disks can't be replaced")
        _redefine(connection, domain, switch)


def _put_onto(element: ET.Element, path: str, form: str) -> None:
    element.set("type", "file")
    driver, source = element.find("driver"), element.find("source")
    if driver is None:
        driver = ET.SubElement(element, "driver", name="qemu")
    driver.set("type", form)
    if source is None:
        source = ET.SubElement(element, "source")
    for name in ("pool", "volume", "dev", "mode"):
        source.attrib.pop(name, None)
    source.set("file", path)
    for old in element.findall("backingStore"):  # of the volume that it was on
        element.remove(old)


def _reach(domain: Any) -> int:
    reach = libvirt.VIR_DOMAIN_AFFECT_CONFIG if domain.isPersistent() else 0
    return int(reach | (libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0))


def _redefine(connection: HostConnection, domain: Any, change: Callable[[ET.Element], None]) -> None:
    # Without the first flag libvirt leaves passwords out, and the VM would lose them.
    flags = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE
    root = _parsed(connection, str(domain.XMLDesc(flags)))
    change(root)
    connection.handle.defineXML(ET.tostring(root, encoding="unicode"))


def _append(root: ET.Element, element: ET.Element) -> None:
    devices = root.find("devices")
    (ET.SubElement(root, "devices") if devices is None else devices).append(element)


def _remove(root: ET.Element, target: str) -> None:
    element, devices = _element_of(root, target), root.find("devices")
    if element is not None and devices is not None:
        devices.remove(element)


def _element_of(root: ET.Element, target: str) -> ET.Element | None:
    disks: Iterable[ET.Element] = root.iterfind("devices/disk")
    return next((disk for disk in disks if _read(disk).target == target), None)
