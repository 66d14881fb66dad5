"""Which of a host's PCI devices are worth giving to VMs, and what to call their types."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from core.driver.hosts.node_devices import PciDevice
from core.driver.hosts.survey import Hardware
from core.hardware import Device, PciAddress
from core.operations.hardware.iommu import VFIO, iommu_group_peers

NVIDIA, AMD, INTEL = 0x10DE, 0x1002, 0x8086
_MAKERS = {NVIDIA: "nvidia", AMD: "amd", INTEL: "intel"}

# Class codes of PCI: the upper two bytes of three.
_VGA, _NVME, _ETHERNET = 0x0300, 0x0108, 0x0200
_DISPLAY, _ACCELERATOR, _COPROCESSOR = 0x03, 0x12, 0x0B40

_CONSOLES = {
    0x1A03: "ASPEED", 0x102B: "Matrox", 0x1013: "Cirrus Logic", 0x1234: "QEMU", 0x1AF4: "virtio", 0x1B36: "QXL",
    0x15AD: "VMware", 0x19E5: "Huawei", 0x18CA: "XGI",
}  # fmt: skip
"""Makers of adapters that only show a server's console."""

_PRO = re.compile(r"\b(?:RTX(?: PRO)?|GTX|Quadro(?: RTX)?) A?\d{3,4}(?: Ti)?\b")
_MODEL = re.compile(r"\b(?:[A-Z]{1,2}\d{1,4}[A-Z]{0,2}|TITAN [A-Z]+)\b")
_INSTINCT = re.compile(r"\bMI\d{2,3}[A-Z]?\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device that VMs might be given. `proposed` is False where an administrator has to decide; `why` says so."""

    device: PciDevice
    type: str
    proposed: bool
    why: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def as_device(self) -> Device:
        """The device as a profile lists it."""
        return Device(self.type, self.device.address)


def type_of(device: PciDevice) -> str:
    """Name a device's type after its product where that is known: `nvidia-a100`; else after its maker: `amd-gpu`."""
    upper = _upper_class(device)
    if upper == _NVME:
        return "nvme"
    maker = _MAKERS.get(device.vendor_id, "")
    if device.base_class == _DISPLAY or (device.base_class == _ACCELERATOR and maker in {"nvidia", "amd"}):
        model = _model_of(device)
        return "-".join(part for part in (maker, model or "gpu") if part)
    return "network" if upper == _ETHERNET else "accelerator"


def _model_of(device: PciDevice) -> str:
    """Find the model in a product's name, which has the marketing name in brackets: `GA100 [A100 PCIe 40GB]`."""
    marketing = re.search(r"\[([^\]]+)\]", device.product)
    if marketing is None:
        return ""
    if device.vendor_id == AMD:
        found = _INSTINCT.search(marketing[1])
    elif device.vendor_id == NVIDIA:
        found = _PRO.search(marketing[1]) or _MODEL.search(marketing[1])
    else:
        found = None
    return found[0].lower().replace(" ", "-") if found else ""


def candidates(hardware: Hardware, in_use: AbstractSet[PciAddress]) -> tuple[Candidate, ...]:
    """Return the devices of a host that VMs might be given, by address; `in_use` are those that VMs hold now."""
    devices = hardware.devices or ()
    console = _console(devices)
    chosen = [device for device in devices if _is_worth_giving(device)]
    addresses = {device.address for device in chosen}
    return tuple(
        Candidate(
            device, type_of(device), *_verdict(device, console, in_use), tuple(_warnings(device, hardware, addresses))
        )
        for device in chosen
    )


def _is_worth_giving(device: PciDevice) -> bool:
    if device.is_bridge or device.class_code is None:
        return False
    if device.base_class == _DISPLAY:
        return device.vendor_id not in _CONSOLES
    upper = _upper_class(device)
    if upper == _ETHERNET:
        return device.driver == VFIO  # set aside for VMs by someone
    return device.base_class == _ACCELERATOR or upper in {_NVME, _COPROCESSOR}


def _upper_class(device: PciDevice) -> int | None:
    return None if device.class_code is None else device.class_code >> 8


def _console(devices: tuple[PciDevice, ...]) -> PciDevice | None:
    """Guess the adapter that shows the host's own console: libvirt doesn't tell. 3D controllers never do."""
    adapters = [device for device in devices if _upper_class(device) == _VGA]
    known = [device for device in adapters if device.vendor_id in _CONSOLES]
    built_in = [device for device in adapters if device.vendor_id == INTEL and device.address.bus == 0]
    return next(iter((*known, *built_in, *adapters)), None)


def _verdict(device: PciDevice, console: PciDevice | None, in_use: AbstractSet[PciAddress]) -> tuple[bool, str]:
    if device.address in in_use or device.driver == VFIO:
        return True, ""
    if device is console:
        return False, "probably shows the host's own console"
    if _upper_class(device) == _NVME:
        return False, "may hold the host's own data: list it only if the host does not use it"
    return True, ""


def _warnings(device: PciDevice, hardware: Hardware, chosen: AbstractSet[PciAddress]) -> Iterator[str]:
    partners = iommu_group_peers(device, hardware)
    rivals = [str(each.address) for each in partners if each.address in chosen]
    others = [f"{each.address} ({each.name})" for each in partners if each.address not in chosen]
    if rivals:
        yield f"shares its IOMMU group with {', '.join(rivals)}: all of them must go to the same VM"
    if others:
        yield f"shares its IOMMU group with {', '.join(others)}: bind these to {VFIO} too"
    if hardware.iommu is not False and device.iommu_group is None:
        yield "is in no IOMMU group: enable the IOMMU to assign it"
