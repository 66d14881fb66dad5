"""What a domain's XML tells: size, PCI devices, interfaces, guest agent, the realm's mark."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from core.driver.xml.metadata import RealmMark, mark_of
from core.driver.xml.pci import mediated_devices, pci_devices
from core.driver.xml.reader import XmlRefused, parse
from core.hardware import PciAddress
from core.text import one_line
from core.units import MAX_BYTES, whole_number

# Libvirt's own table (virScaleInteger): it writes KiB itself, people write others into files of the test driver.
_UNITS = {
    "b": 1, "byte": 1, "bytes": 1,
    "k": 1024, "kib": 1024, "m": 1024**2, "mib": 1024**2, "g": 1024**3, "gib": 1024**3,
    "t": 1024**4, "tib": 1024**4, "p": 1024**5, "pib": 1024**5, "e": 1024**6, "eib": 1024**6,
    "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4, "pb": 1000**5, "eb": 1000**6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of a domain; `network` is None where it is not on a libvirt network."""

    mac: str
    """Canonical lower case."""
    network: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """What stays the same about a domain between two events: read from its XML, once."""

    vcpus: int
    """Maximum."""
    vcpus_online: int
    memory_bytes: int
    """Maximum, devices included."""
    devices: tuple[PciAddress, ...] = ()
    """PCI functions that it holds, as hostdevs, network cards or NVMe disks."""
    mediated: tuple[str, ...] = ()
    """UUIDs of the mediated devices that it holds; their parents' addresses are the host's to tell."""
    interfaces: tuple[Interface, ...] = ()
    agent_connected: bool = False
    """Whether a QEMU guest agent has opened its channel."""
    mark: RealmMark | None = None


def read_domain(text: str) -> DomainFacts:
    """Read a `<domain>` document; raises XmlRefused where its size can't be told."""
    domain = parse(text, "domain")
    vcpus = _vcpus(domain)
    online = domain.find("vcpu")
    current = None if online is None else whole_number(online.get("current"))
    return DomainFacts(
        vcpus=vcpus,
        vcpus_online=min(vcpus, current) if current else vcpus,
        memory_bytes=_memory(domain),
        devices=pci_devices(domain),
        mediated=mediated_devices(domain),
        interfaces=_interfaces(domain),
        agent_connected=any(
            target.get("name") == "org.qemu.guest_agent.0" and target.get("state") == "connected"
            for target in domain.iterfind("devices/channel/target")
        ),
        mark=mark_of(domain),
    )


def _vcpus(domain: ET.Element) -> int:
    text = (domain.findtext("vcpu") or "1").strip()  # libvirt's default
    vcpus = whole_number(text, below=10**9)
    if vcpus is None:
        message = f"{one_line(text, 60)!r} vCPUs"
        raise XmlRefused(message)
    return vcpus


def _memory(domain: ET.Element) -> int:
    element = domain.find("memory")
    amount = whole_number(None if element is None else element.text, below=10**20)
    unit = "KiB" if element is None else element.get("unit", "KiB")
    factor = _UNITS.get(unit.lower())
    if amount is None or factor is None:
        text = "" if element is None else element.text or ""
        message = f"memory of {one_line(text, 60)!r} {one_line(unit, 60)}"
        raise XmlRefused(message)
    return min(amount * factor, MAX_BYTES)


def _interfaces(domain: ET.Element) -> tuple[Interface, ...]:
    interfaces = []
    for element in domain.iterfind("devices/interface"):
        mac, source = element.find("mac"), element.find("source")
        network = source.get("network") if source is not None and element.get("type") == "network" else None
        if mac is not None:
            interfaces.append(Interface(mac.get("address", "").lower(), network))
    return tuple(interfaces)
