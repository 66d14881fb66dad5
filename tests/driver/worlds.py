"""Hosts of libvirt's test driver, written as files, and domains to define on any host."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from core.driver.xml.metadata import RealmMark, mark_element
from core.hardware import PciAddress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LONG = 40.0
"""Seconds that a test waits for what should come within one: a busy machine is no failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A domain to define."""

    name: str
    uuid: str = ""
    vcpus: int = 2
    memory_mib: int = 64
    devices: Sequence[str] = ()
    network: str | None = None
    mac: str = "52:54:00:00:00:01"
    mark: RealmMark | None = None
    state: str = "running"
    """For a node file of the test driver: running, paused, shutoff."""


def guest_xml(guest: Guest, *, kind: str = "test") -> str:
    """Write a domain that `kind` of hypervisor (test, qemu) can start, though there is nothing to boot in it."""
    domain = ET.Element("domain", {"type": kind})
    ET.SubElement(domain, "name").text = guest.name
    ET.SubElement(domain, "uuid").text = guest.uuid or str(uuid.uuid4())
    if guest.mark is not None:
        ET.SubElement(domain, "metadata").append(mark_element(guest.mark))
    ET.SubElement(domain, "memory", {"unit": "MiB"}).text = str(guest.memory_mib)
    ET.SubElement(domain, "vcpu").text = str(guest.vcpus)
    ET.SubElement(ET.SubElement(domain, "os"), "type", {} if kind == "test" else {"arch": "x86_64"}).text = "hvm"
    devices = ET.SubElement(domain, "devices")
    if kind != "test":
        ET.SubElement(devices, "controller", {"type": "usb", "model": "none"})
        ET.SubElement(devices, "memballoon", {"model": "none"})
    for text in guest.devices:
        address = PciAddress.parse(text)
        hostdev = ET.SubElement(devices, "hostdev", {"mode": "subsystem", "type": "pci", "managed": "yes"})
        parts = {
            "domain": f"{address.domain:#06x}",
            "bus": f"{address.bus:#04x}",
            "slot": f"{address.slot:#04x}",
            "function": f"{address.function:#x}",
        }
        ET.SubElement(ET.SubElement(hostdev, "source"), "address", parts)
    if guest.network is not None:
        interface = ET.SubElement(devices, "interface", {"type": "network"})
        ET.SubElement(interface, "source", {"network": guest.network})
        ET.SubElement(interface, "mac", {"address": guest.mac})
    return ET.tostring(domain, encoding="unicode")


def write_node(path: Path, guests: Sequence[Guest] = (), *, pools: Sequence[str] = ()) -> str:
    """Write a whole host of the test driver into a file, with a network `default`; gives its URI."""
    node = ET.Element("node")
    cpu = ET.SubElement(node, "cpu")
    for name, value in (("mhz", "3000"), ("model", "x86_64"), ("active", "16"), ("nodes", "1"), ("sockets", "2"),
                        ("cores", "8"), ("threads", "1")):  # fmt: skip
        ET.SubElement(cpu, name).text = value
    ET.SubElement(node, "memory").text = str(64 * 1024**2)
    network = ET.SubElement(node, "network")
    ET.SubElement(network, "name").text = "default"
    ET.SubElement(network, "bridge", {"name": "virbr0"})
    ip = ET.SubElement(network, "ip", {"address": "192.168.122.1", "netmask": "255.255.255.0"})
    ET.SubElement(ET.SubElement(ip, "dhcp"), "range", {"start": "192.168.122.2", "end": "192.168.122.254"})
    for name in pools:
        pool = ET.SubElement(node, "pool", {"type": "dir"})
        ET.SubElement(pool, "name").text = name
        ET.SubElement(ET.SubElement(pool, "target"), "path").text = f"/pools/{name}"
    for guest in guests:
        domain = ET.fromstring(guest_xml(guest))  # noqa: S314 -- written above
        domain.set("xmlns:test", "http://libvirt.org/schemas/domain/test/1.0")
        state = {"running": "1", "paused": "3", "shutoff": "5"}[guest.state]
        ET.SubElement(domain, "test:runstate").text = state
        node.append(domain)
    path.write_text(ET.tostring(node, encoding="unicode"), encoding="utf-8")
    return f"test://{path}"
