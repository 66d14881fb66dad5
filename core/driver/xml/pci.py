"""PCI functions of the host that a domain holds, whatever part of its XML they stand in."""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from core.hardware import PciAddress
from core.units import whole_number

_PARTS = {"domain": 2**32, "bus": 0x100, "slot": 0x20, "function": 8}
"""What an address is made of, and what each part is below."""


def pci_devices(domain: ET.Element) -> tuple[PciAddress, ...]:
    """Return the functions that a `<domain>` names: hostdevs, functions lent as network cards, and NVMe disks.

    An NVMe disk can stand in `<disk>`, its `<mirror>` and its `<backingStore>`, however deep.
    """
    found = (read_pci_address(address.attrib) for address in _addresses(domain))
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


def read_pci_address(parts: Mapping[str, str]) -> PciAddress | None:
    """Read the attributes of an `<address>`; None where they are no numbers, or no address of a device."""
    numbers = [whole_number(parts.get(part, "0"), base=0, below=below) for part, below in _PARTS.items()]
    return None if None in numbers else PciAddress(*(number or 0 for number in numbers))
