"""PCI functions of the host that a domain holds, whatever part of its XML they stand in."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from core.hardware import PciAddress


def pci_devices(domain: ET.Element) -> tuple[PciAddress, ...]:
    """Return the functions that a `<domain>` names: hostdevs, functions lent as network cards, and NVMe disks.

    An NVMe disk can stand in `<disk>`, its `<mirror>` and its `<backingStore>`, however deep.
    """
    found = (read_pci_address(address) for address in _addresses(domain))
    return tuple(dict.fromkeys(address for address in found if address is not None))


def _addresses(domain: ET.Element) -> Iterator[ET.Element]:
    for hostdev in domain.iterfind("devices/hostdev[@type='pci']"):
        yield from hostdev.findall("source/address")
    for interface in domain.iterfind("devices/interface[@type='hostdev']"):
        yield from interface.findall("source/address")
    for disk in domain.iterfind("devices/disk"):
        for layer in disk.iter():
            source = layer.find("source")
            if source is not None and (layer.get("type") == "nvme" or source.get("type") == "pci"):
                yield from source.findall("address")


def mediated_devices(domain: ET.Element) -> tuple[str, ...]:
    """Return the UUIDs of the mediated devices that a `<domain>` holds, in lower case."""
    addresses = domain.iterfind("devices/hostdev[@type='mdev']/source/address")
    return tuple(uuid for address in addresses if (uuid := address.get("uuid", "").strip().lower()))


def read_pci_address(element: ET.Element) -> PciAddress | None:
    """Read an `<address>` of libvirt's; None where its parts are no numbers, or no address of a device."""
    try:
        # Libvirt writes 0x0041; a number without a prefix is decimal there, as in strtoul with base 0.
        domain, bus, slot, function = (int(element.get(part, "0"), 0) for part in ("domain", "bus", "slot", "function"))
    except ValueError:
        return None
    inside = 0 <= domain <= 0xFFFFFFFF and 0 <= bus <= 0xFF and 0 <= slot <= 0x1F and 0 <= function <= 7
    return PciAddress(domain, bus, slot, function) if inside else None
