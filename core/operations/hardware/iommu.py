"""PCI devices that the IOMMU keeps together: they can only be given away together."""

from core.driver.hosts.node_devices import PciDevice
from core.driver.hosts.survey import Hardware

VFIO = "vfio-pci"
"""The driver of a device that is set aside for VMs."""


def iommu_group_peers(device: PciDevice, hardware: Hardware) -> tuple[PciDevice, ...]:
    """Return the devices that must go wherever this one goes: its IOMMU group's, but for bridges."""
    others = (hardware.device_at(address) for address in device.group_members if address != device.address)
    return tuple(other for other in others if other is not None and not other.is_bridge)
