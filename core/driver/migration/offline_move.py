"""The definition of a domain that is off, taken from one host and given to another."""

from collections.abc import Mapping
from dataclasses import replace
from xml.etree import ElementTree as ET

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone
from core.driver.xml.metadata import mark_element, mark_of
from core.driver.xml.pci import read_pci_address
from core.driver.xml.reader import XmlRefused, parse
from core.errors import DriverError
from core.hardware import Device, PciAddress


def definition(connection: HostConnection, uuid: str) -> str:
    """Return the stored definition of a domain, secrets included; empty where there is none. Raises DriverError."""
    try:
        domain = connection.handle.lookupByUUIDString(uuid)
        if not domain.isPersistent():
            return ""
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    except libvirt.libvirtError as error:
        if is_gone(error):
            return ""
        raise connection.failed(error, "read a VM's definition") from error


def with_addresses(xml: str, moves: Mapping[PciAddress, PciAddress]) -> str:
    """Return a definition with assigned PCI devices at other addresses of the host, in the realm's mark too.

    What the guest sees of a device, its own address of it included, stays.
    """
    if not moves:
        return xml
    domain = parse(xml, "domain")
    lent = [each for each in domain.iterfind("devices/hostdev[@mode='subsystem']") if each.get("type") == "pci"]
    lent += domain.findall("devices/interface[@type='hostdev']")
    for element in lent:
        place = element.find("source/address")
        old = None if place is None else read_pci_address(place.attrib)
        new = None if old is None else moves.get(old)
        if place is None or new is None:
            continue
        for part, width in (("domain", 4), ("bus", 2), ("slot", 2), ("function", 1)):
            place.set(part, f"0x{getattr(new, part):0{width}x}")
    mark, metadata = mark_of(domain), domain.find("metadata")
    if mark is not None and metadata is not None:
        devices = tuple(Device(each.type, moves.get(each.address, each.address)) for each in mark.devices)
        element = mark_element(replace(mark, devices=devices))
        for present in metadata.findall(element.tag):
            metadata.remove(present)
        metadata.append(element)
    return ET.tostring(domain, encoding="unicode")


def give(connection: HostConnection, xml: str) -> None:
    """Define a domain, in the place of one of the same UUID that is off. Raises DriverError."""
    try:
        parse(xml, "domain")
        connection.handle.defineXML(xml)
    except XmlRefused as error:
        raise DriverError(connection.host, f"the definition can't be read: {error}") from error
    except libvirt.libvirtError as error:
        raise connection.failed(error, "define the VM") from error


def take_away(connection: HostConnection, uuid: str) -> bool:
    """Undefine a domain that is off; tells whether it is gone. An active one is left alone. Raises DriverError."""
    try:
        domain = connection.handle.lookupByUUIDString(uuid)
        if domain.isActive():
            return False
        if connection.is_embedded:  # it knows no such flags
            domain.undefine()
        else:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)
        domain = connection.handle.lookupByUUIDString(uuid)  # one that was started in between is there still, transient
    except libvirt.libvirtError as error:
        if is_gone(error):
            return True
        raise connection.failed(error, "undefine the VM") from error
    return not domain.isActive()
