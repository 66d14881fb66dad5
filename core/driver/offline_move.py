"""The definition of a domain that is off, taken from one host and given to another."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import libvirt

from core.driver.domain_xml import XmlRefused, parse
from core.driver.errors import is_gone
from core.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.driver.connection import HostConnection
    from core.hardware import PciAddress


def definition(connection: HostConnection, uuid: str) -> str:
    """Give the stored definition of a domain, secrets included; empty where there is none. Raises DriverError."""
    try:
        domain = connection.handle.lookupByUUIDString(uuid)
        if not domain.isPersistent():
            return ""
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    except libvirt.libvirtError as error:
        if is_gone(error):
            return ""
        raise connection.failed(error, "read a VM's definition") from error


def with_devices(xml: str, addresses: Sequence[PciAddress]) -> str:
    """Give a definition with its assigned PCI devices, in their order, at other addresses of the host.

    Raises ValueError where their number differs.
    """
    domain = parse(xml, "domain")
    lent = [each for each in domain.iterfind("devices/hostdev[@mode='subsystem']") if each.get("type") == "pci"]
    lent += domain.findall("devices/interface[@type='hostdev']")
    if len(lent) != len(addresses):
        message = f"{len(lent)} devices are assigned, {len(addresses)} addresses are given"
        raise ValueError(message)
    if not lent:
        return xml
    for element, address in zip(lent, addresses, strict=True):
        source = element.find("source")
        place = None if source is None else source.find("address")
        if place is None:
            message = "a device without an address"
            raise ValueError(message)
        for part, width in (("domain", 4), ("bus", 2), ("slot", 2), ("function", 1)):
            place.set(part, f"0x{getattr(address, part):0{width}x}")
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
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)
        domain = connection.handle.lookupByUUIDString(uuid)  # one that was started in between is there still, transient
    except libvirt.libvirtError as error:
        if is_gone(error):
            return True
        raise connection.failed(error, "undefine the VM") from error
    return not domain.isActive()
