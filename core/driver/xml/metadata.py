"""The realm's mark in a domain's `<metadata>`, by which any instance knows its VMs (specification, section 9).

<vm xmlns="urn:libvirt-realms:vm:1" realm="libvirt1" brick="debian-12" created="1795341600.0">
  <device type="nvidia-gpu" address="0000:02:03.0"/>
</vm>
"""

import math
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from core.hardware import Device, NotAPciAddress, PciAddress

NAMESPACE = "urn:libvirt-realms:vm:1"
"""Namespace of our element; the number is the version of its shape."""

PREFIX = "realms"
"""Prefix that the namespace has in XML written by us."""

ET.register_namespace(PREFIX, NAMESPACE)

_VM = f"{{{NAMESPACE}}}vm"
_DEVICE = f"{{{NAMESPACE}}}device"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmMark:
    """What a realm writes down on a VM of its own."""

    realm: str
    """Id of the realm in the configuration."""
    brick: str | None = None
    created_at: float | None = None
    """Seconds since the epoch."""
    devices: tuple[Device, ...] = ()
    """Devices as they were asked for, by type; a later start may give others of the same types."""
    pending: str = ""
    """Who is still making the VM (user, machine, process); empty once it is complete."""


def mark_of(domain: ET.Element) -> RealmMark | None:
    """Find the realm's mark in a `<domain>` element; None where there is none, or none that makes sense."""
    metadata = domain.find("metadata")
    element = None if metadata is None else metadata.find(_VM)
    return None if element is None else read_mark(element)


def read_mark(element: ET.Element) -> RealmMark | None:
    """Read our own element; None where it doesn't name a realm. Anyone can write metadata: odd parts are left out."""
    realm = element.get("realm", "")
    if element.tag != _VM or not realm:
        return None
    devices = []
    for child in element.iterfind(_DEVICE):
        try:
            devices.append(Device(child.get("type", ""), PciAddress.parse(child.get("address", ""))))
        except NotAPciAddress:
            continue
    return RealmMark(
        realm=realm,
        brick=element.get("brick"),
        created_at=_seconds(element.get("created", "")),
        devices=tuple(devices),
        pending=element.get("pending", ""),
    )


def mark_element(mark: RealmMark) -> ET.Element:
    """Build our element, ready to be put into a domain's `<metadata>`."""
    element = ET.Element(_VM, {"realm": mark.realm})
    if mark.brick is not None:
        element.set("brick", mark.brick)
    if mark.created_at is not None:
        element.set("created", repr(mark.created_at))
    if mark.pending:
        element.set("pending", mark.pending)
    for device in mark.devices:
        ET.SubElement(element, _DEVICE, {"type": device.type, "address": str(device.address)})
    return element


def mark_text(mark: RealmMark) -> str:
    """Write our element as setMetadata wants it: without a namespace, which libvirt puts on every element itself."""
    element = mark_element(mark)
    for part in element.iter():
        part.tag = part.tag.removeprefix(f"{{{NAMESPACE}}}")
    return ET.tostring(element, encoding="unicode")


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
