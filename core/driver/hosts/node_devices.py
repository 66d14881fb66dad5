"""PCI devices of a host, from libvirt's node-device XML."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from core.driver.xml.pci import read_pci_address
from core.driver.xml.reader import XmlRefused, parse
from core.hardware import PciAddress
from core.units import whole_number

_BRIDGES = 0x06


@dataclass(frozen=True, slots=True, kw_only=True)
class PciDevice:
    """One PCI function of a host. Names are from the host's pci.ids, as libvirt gives them; empty where it knows none.

    `class_code` is the 24-bit class (0x030000 is a VGA controller), None with libvirt before 5.2. `iommu_group` is
    None where the host's IOMMU is off or absent; `group_members` are all functions in it, this one too.
    """

    address: PciAddress
    vendor_id: int
    product_id: int
    vendor: str = ""
    product: str = ""
    class_code: int | None = None
    driver: str = ""
    """Kernel driver that has it now; empty where none has."""
    iommu_group: int | None = None
    group_members: tuple[PciAddress, ...] = ()
    is_bridge_by_header: bool = False

    @property
    def base_class(self) -> int | None:
        """Upper byte of the class: 0x03 display, 0x12 processing accelerator, 0x06 bridge."""
        return None if self.class_code is None else self.class_code >> 16

    @property
    def is_bridge(self) -> bool:
        """Whether it is part of the host's fabric: one in an IOMMU group does no harm, and can't be given away."""
        return self.is_bridge_by_header or self.base_class == _BRIDGES

    @property
    def name(self) -> str:
        """What it is called, or its numbers where nobody named it."""
        numbers = f"{self.vendor_id:04x}:{self.product_id:04x}"
        return " ".join(part for part in (self.vendor, self.product) if part) or f"device {numbers}"


def read_pci_device(text: str) -> PciDevice | None:
    """Read the XML of one node device; None where it is no PCI device, or damaged."""
    try:
        device = parse(text, "device")
        capability = next((found for found in device.findall("capability") if found.get("type") == "pci"), None)
        if capability is None:
            return None
        return _read(device, capability)
    except XmlRefused:
        return None


def read_pci_devices(texts: Iterable[str]) -> tuple[PciDevice, ...]:
    """Read the PCI devices among node devices, by address."""
    found = (read_pci_device(text) for text in texts)
    return tuple(sorted((device for device in found if device is not None), key=lambda device: device.address))


def _read(device: ET.Element, capability: ET.Element) -> PciDevice | None:
    address = read_pci_address({part.tag: part.text or "" for part in capability})
    if address is None or capability.find("bus") is None:
        return None
    inner = {found.get("type") for found in capability.findall("capability")}
    vendor, product = capability.find("vendor"), capability.find("product")
    group = capability.find("iommuGroup")
    members = [read_pci_address(found.attrib) for found in group.findall("address")] if group is not None else []
    return PciDevice(
        address=address,
        vendor_id=_id(vendor),
        product_id=_id(product),
        vendor=_words(vendor),
        product=_words(product),
        class_code=whole_number(capability.findtext("class"), base=16),
        driver=(device.findtext("driver/name") or "").strip(),
        iommu_group=whole_number(group.get("number")) if group is not None else None,
        group_members=tuple(sorted(member for member in members if member is not None)),
        is_bridge_by_header=bool(inner & {"pci-bridge", "cardbus-bridge"}),
    )


def _id(element: ET.Element | None) -> int:
    return whole_number(element.get("id"), base=16) or 0 if element is not None else 0


def _words(element: ET.Element | None) -> str:
    return " ".join((element.text or "").split()) if element is not None else ""
