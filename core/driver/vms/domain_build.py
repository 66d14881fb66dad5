"""A domain's XML from a typed description, built with an XML library (specification, section 9)."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from core.driver.vms.domain_kind import DomainKind
from core.driver.xml.metadata import RealmMark, mark_element
from core.hardware import PciAddress
from core.realms import CacheMode

AGENT_CHANNEL = "org.qemu.guest_agent.0"
"""Name of the channel that QEMU's guest agent opens inside of a VM."""

_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainDisk:
    """A disk of a VM: a file that the host reaches at `path`, in `format` (never guessed from what is in it)."""

    path: str
    format: str = "qcow2"
    cache: CacheMode = CacheMode.DEFAULT
    discard: bool = True
    """Whether the guest's TRIM gives space back: not where the file was allocated in full, which it would undo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """All that makes a VM of a realm. The first disk is booted from."""

    name: str
    uuid: str
    vcpus: int
    memory_bytes: int
    kind: DomainKind
    mark: RealmMark
    disks: tuple[DomainDisk, ...] = ()
    network: str = "default"
    network_filter: str | None = None
    """Name of the libvirt network filter of the interface; None for none."""
    devices: tuple[PciAddress, ...] = ()
    """PCI devices of the host that the VM is given."""


def round_memory(size: int) -> int:
    """Round a size up to whole MiB, as QEMU does at the start: what is reserved is what is used."""
    return -(-size // _MIB) * _MIB


def domain_xml(domain: Domain) -> str:
    """Write the definition that libvirt makes the VM from."""
    kind = domain.kind
    root = ET.Element("domain", {"type": kind.type})
    ET.SubElement(root, "name").text = domain.name
    ET.SubElement(root, "uuid").text = domain.uuid
    ET.SubElement(root, "metadata").append(mark_element(domain.mark))
    ET.SubElement(root, "memory", {"unit": "KiB"}).text = str(round_memory(domain.memory_bytes) // 1024)
    ET.SubElement(root, "vcpu", {"placement": "static"}).text = str(domain.vcpus)
    system = ET.SubElement(root, "os")
    architecture = {"arch": kind.arch} if kind.arch else {}
    machine = {"machine": kind.machine} if kind.machine else {}
    ET.SubElement(system, "type", architecture | machine).text = "hvm"
    ET.SubElement(system, "boot", {"dev": "hd"})
    if kind.is_x86:
        features = ET.SubElement(root, "features")
        ET.SubElement(features, "acpi")  # without it a guest never hears that it shall shut down
        ET.SubElement(features, "apic")
    if kind.cpu_mode:
        ET.SubElement(root, "cpu", {"mode": kind.cpu_mode})
    ET.SubElement(root, "clock", {"offset": "utc"})
    ET.SubElement(root, "on_poweroff").text = "destroy"
    ET.SubElement(root, "on_reboot").text = "restart"
    ET.SubElement(root, "on_crash").text = "destroy"
    devices = ET.SubElement(root, "devices")
    for number, disk in enumerate(domain.disks):
        devices.append(disk_element(disk, number))
    devices.append(interface_element(domain.network, domain.network_filter))
    for address in domain.devices:
        devices.append(hostdev_element(address))
    if not kind.is_embedded:
        _add_fittings(devices, kind)
    return ET.tostring(root, encoding="unicode")


def _add_fittings(devices: ET.Element, kind: DomainKind) -> None:
    """Add what every VM has: serial console, agent channel, entropy; and no USB, which nobody plugs anything into."""
    if kind.is_x86:
        ET.SubElement(devices, "controller", {"type": "usb", "model": "none"})
    ET.SubElement(ET.SubElement(devices, "serial", {"type": "pty"}), "target", {"port": "0"})
    ET.SubElement(ET.SubElement(devices, "console", {"type": "pty"}), "target", {"type": "serial", "port": "0"})
    channel = ET.SubElement(devices, "channel", {"type": "unix"})
    ET.SubElement(channel, "target", {"type": "virtio", "name": AGENT_CHANNEL})
    source = ET.SubElement(devices, "rng", {"model": "virtio"})
    ET.SubElement(source, "backend", {"model": "random"}).text = "/dev/urandom"
    ET.SubElement(devices, "memballoon", {"model": "virtio"})


def disk_element(disk: DomainDisk, number: int) -> ET.Element:
    """Build the `number`-th disk of a VM, counted from 0."""
    element = ET.Element("disk", {"type": "file", "device": "disk"})
    driver = {"name": "qemu", "type": disk.format}
    if disk.cache is not CacheMode.DEFAULT:
        driver["cache"] = disk.cache.value
    if disk.discard:
        driver["discard"] = "unmap"
    ET.SubElement(element, "driver", driver)
    ET.SubElement(element, "source", {"file": disk.path})
    ET.SubElement(element, "target", {"dev": target_name(number), "bus": "virtio"})
    return element


def target_name(number: int) -> str:
    """Name a virtio disk by its number: vda, vdb, ... vdz, vdaa."""
    letters = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return f"vd{letters}"


def interface_element(network: str, network_filter: str | None) -> ET.Element:
    """Build the interface of a VM on a libvirt network; libvirt gives it a MAC address."""
    element = ET.Element("interface", {"type": "network"})
    ET.SubElement(element, "source", {"network": network})
    ET.SubElement(element, "model", {"type": "virtio"})
    if network_filter is not None:
        ET.SubElement(element, "filterref", {"filter": network_filter})
    return element


def hostdev_element(address: PciAddress) -> ET.Element:
    """Build a PCI device of the host that is lent to a VM; libvirt takes it from its driver and gives it back."""
    element = ET.Element("hostdev", {"mode": "subsystem", "type": "pci", "managed": "yes"})
    parts = {
        "domain": f"{address.domain:#06x}",
        "bus": f"{address.bus:#04x}",
        "slot": f"{address.slot:#04x}",
        "function": f"{address.function:#x}",
    }
    ET.SubElement(ET.SubElement(element, "source"), "address", parts)
    return element
