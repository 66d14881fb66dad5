"""Descriptions of the lab's guests, as libvirt's XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from enum import Enum
from typing import TYPE_CHECKING

from .requirements import INITRAMFS, KERNEL

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMAND_LINE = "console=ttyS0 quiet mitigations=off panic=1"


class Boot(Enum):
    """What a guest is started from."""

    KERNEL = "kernel"
    """The guest's kernel directly: up in a few seconds."""
    BRICK = "brick"
    """A disk, an overlay of the brick, by the BIOS: as the realm's own VMs start, and slower."""
    NOTHING = "nothing"
    """No system at all: a guest that only counts."""


def domain_xml(
    name: str,
    *,
    vcpus: int,
    memory_mib: int,
    boot: Boot,
    disks: Sequence[str] = (),
    hostdevs: Sequence[str] = (),
    network: str | None = "default",
    busy: int = 0,
    port: int = 22,
) -> str:
    """Describe a guest. `hostdevs` are PCI addresses dddd:bb:ss.f; `busy` is how many of its vCPUs spin from the start.

    `busy` and `port`, on which the guest answers, hold for a guest started from the kernel only.
    """
    domain = ET.Element("domain", type="qemu")
    ET.SubElement(domain, "name").text = name
    ET.SubElement(domain, "memory", unit="MiB").text = str(memory_mib)
    ET.SubElement(domain, "vcpu").text = str(vcpus)
    system = ET.SubElement(domain, "os")
    ET.SubElement(system, "type", arch="x86_64", machine="pc").text = "hvm"
    if boot is Boot.KERNEL:
        ET.SubElement(system, "kernel").text = str(KERNEL)
        ET.SubElement(system, "initrd").text = str(INITRAMFS)
        ET.SubElement(system, "cmdline").text = f"{_COMMAND_LINE} lab.busy={busy} lab.port={port}"
    ET.SubElement(ET.SubElement(domain, "features"), "acpi")
    devices = ET.SubElement(domain, "devices")
    for number, path in enumerate(disks):
        disk = ET.SubElement(devices, "disk", type="file", device="disk")
        ET.SubElement(disk, "driver", name="qemu", type="qcow2")
        ET.SubElement(disk, "source", file=path)
        ET.SubElement(disk, "target", dev=f"vd{chr(ord('a') + number)}", bus="virtio")
    if network is not None:
        interface = ET.SubElement(devices, "interface", type="network")
        ET.SubElement(interface, "source", network=network)
        ET.SubElement(interface, "model", type="virtio")
    for address in hostdevs:
        domain_part, bus, rest = address.split(":")
        slot, function = rest.split(".")
        device = ET.SubElement(devices, "hostdev", mode="subsystem", type="pci", managed="yes")
        source = ET.SubElement(device, "source")
        ET.SubElement(
            source, "address", domain=f"0x{domain_part}", bus=f"0x{bus}", slot=f"0x{slot}", function=f"0x{function}"
        )
    ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(devices, "console", type="pty")
    agent = ET.SubElement(devices, "channel", type="unix")
    ET.SubElement(agent, "target", type="virtio", name="org.qemu.guest_agent.0")
    return ET.tostring(domain, encoding="unicode")
