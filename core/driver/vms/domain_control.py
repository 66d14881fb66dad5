"""A domain asked for, redefined and removed, whatever state it is in; and its guest agent asked."""

import posixpath
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET

import libvirt
import libvirt_qemu

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone
from core.driver.storage.pool_setup import look_up_pool
from core.driver.vms.domain_build import hostdev_element
from core.driver.vms.saved_memory import saved_definition
from core.driver.xml.domain_xml import DomainFacts, read_domain
from core.driver.xml.metadata import RealmMark, mark_element
from core.driver.xml.pci import read_pci_address
from core.driver.xml.reader import XmlRefused, parse
from core.errors import DriverError
from core.hardware import Device, PciAddress

AGENT_SECONDS = 2
"""Seconds that a guest agent has to answer: it holds up whoever else asks its host."""

ET.register_namespace("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDomain:
    """A domain by its stored definition, or the one of its saved memory: what its next start will be made from."""

    xml: str
    """The stored definition."""
    facts: DomainFacts
    active: bool
    persistent: bool
    disks: tuple[str, ...]
    """Paths of the files and devices of its disks, in order; with saved memory those of both definitions."""
    saved: bool = False
    """Whether it has saved memory: its next start goes on from that, with the same devices and disks."""

    @property
    def mark(self) -> RealmMark | None:
        """The realm's mark; None for a foreign domain."""
        return self.facts.mark


def find_domain(connection: HostConnection, uuid: str) -> StoredDomain | None:
    """Read a domain's stored definition; None where the host has no such domain. Raises DriverError."""
    try:
        handle = connection.handle.lookupByUUIDString(uuid)
        active, persistent = handle.ID() >= 0, bool(handle.isPersistent())
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE if persistent else 0
        # With its secrets, which would be lost when it is defined again.
        text = str(handle.XMLDesc(flags | libvirt.VIR_DOMAIN_XML_SECURE))
        saved = None if active else saved_definition(handle)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise connection.failed(error, "read a VM's definition") from error
    try:
        facts = read_domain(saved or text)
        elements = [parse(each, "domain") for each in (saved, text) if each is not None]
    except XmlRefused as error:
        raise DriverError(connection.host, f"the definition of {uuid} is invalid: {error}") from error
    disks = (disk for element in elements for disk in element.iterfind("devices/disk"))
    sources = (disk.find("source") for disk in disks if disk.get("device", "disk") == "disk")
    paths = (_path(connection, source) for source in sources if source is not None)
    return StoredDomain(
        xml=text,
        facts=facts,
        active=active,
        persistent=persistent,
        disks=tuple(dict.fromkeys(path for path in paths if path)),
        saved=saved is not None,
    )


def require_domain(connection: HostConnection, uuid: str) -> StoredDomain:
    """Read a domain's stored definition; raises DriverError where the host has no such domain."""
    found = find_domain(connection, uuid)
    if found is None:
        raise DriverError(connection.host, f"VM {uuid} no longer exists", hint="see realms vms list")
    return found


def is_active(connection: HostConnection, uuid: str) -> bool:
    """Return whether a host runs a domain, paused included. Raises DriverError."""
    try:
        return bool(connection.handle.lookupByUUIDString(uuid).isActive())
    except libvirt.libvirtError as error:
        if is_gone(error):
            return False
        raise connection.failed(error, f"ask for {uuid}") from error


def has_network_filter(connection: HostConnection, name: str) -> bool:
    """Return whether a host has a network filter; True where libvirt can't tell. Raises DriverError."""
    try:
        connection.handle.nwfilterLookupByName(name)
    except libvirt.libvirtError as error:
        if not connection.is_alive():
            raise connection.failed(error, f"look for network filter {name}") from error
        return bool(error.get_error_code() != libvirt.VIR_ERR_NO_NWFILTER)
    return True


def _path(connection: HostConnection, source: ET.Element) -> str:
    path = source.get("file") or source.get("dev") or ""
    pool, volume = source.get("pool"), source.get("volume")
    if not path and pool and volume:
        try:
            return str(connection.handle.storagePoolLookupByName(pool).storageVolLookupByName(volume).path())
        except libvirt.libvirtError as error:
            if not connection.is_alive():
                raise connection.failed(error, f"look for {volume} in pool {pool}") from error
        folder = look_up_pool(connection, pool).path  # the pool is inactive, or doesn't list it yet
        path = posixpath.join(folder, volume) if folder else ""
    return path


def with_devices(xml: str, former: Collection[PciAddress], devices: Sequence[Device], mark: RealmMark) -> str:
    """Return a definition with other PCI devices of the host in the place of the former ones, and marked so."""
    domain = parse(xml, "domain")
    hardware = domain.find("devices")
    if hardware is None:
        hardware = ET.SubElement(domain, "devices")
    for hostdev in [each for each in hardware.iterfind("hostdev") if each.get("type") == "pci"]:
        source = hostdev.find("source/address")
        if source is not None and read_pci_address(source.attrib) in former:
            hardware.remove(hostdev)
    for device in devices:
        hardware.append(hostdev_element(device.address))
    metadata = domain.find("metadata")
    if metadata is None:
        metadata = ET.SubElement(domain, "metadata")
    element = mark_element(replace(mark, devices=tuple(devices)))
    for present in metadata.findall(element.tag):
        metadata.remove(present)
    metadata.append(element)
    return ET.tostring(domain, encoding="unicode")


def remove_domain(connection: HostConnection, uuid: str) -> bool:
    """Cut a domain's power if it runs, and forget it with all that libvirt keeps of it; its volumes stay.

    Tells whether there was one. Raises DriverError.
    """
    try:
        handle = connection.handle.lookupByUUIDString(uuid)
        persistent = bool(handle.isPersistent())
        if handle.isActive():
            handle.destroy()
        if persistent:
            _undefine(connection, handle)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return False
        raise connection.failed(error, f"remove {uuid}") from error
    return True


def stop_domain(connection: HostConnection, uuid: str) -> bool:
    """Cut a domain's power if it runs; tells whether it did. Raises DriverError."""
    try:
        handle = connection.handle.lookupByUUIDString(uuid)
        if not handle.isActive():
            return False
        handle.destroy()
    except libvirt.libvirtError as error:
        if is_gone(error):
            return False
        raise connection.failed(error, f"stop {uuid}") from error
    return True


def _undefine(connection: HostConnection, handle: Any) -> None:
    if connection.is_embedded:
        handle.undefine()
        return
    handle.undefineFlags(
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    )


def wake(connection: HostConnection, uuid: str) -> None:
    """Wake a domain that has put itself to sleep. Raises DriverError."""
    try:
        connection.handle.lookupByUUIDString(uuid).pMWakeup(0)
    except libvirt.libvirtError as error:
        raise connection.failed(error, f"wake {uuid}") from error


def agent_answers(connection: HostConnection, uuid: str) -> bool:
    """Return whether a domain's QEMU guest agent answers now; a lost connection raises DriverError."""
    if connection.is_embedded:
        return False
    try:
        handle = connection.handle.lookupByUUIDString(uuid)
        return bool(libvirt_qemu.qemuAgentCommand(handle, '{"execute": "guest-ping"}', AGENT_SECONDS, 0))
    except libvirt.libvirtError as error:
        if not connection.is_alive():
            raise connection.failed(error, "ask a guest agent") from error
        return False
