"""Definitions of domains: built with an XML library, read back by the driver's own reader."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.driver.vms.domain_build import Domain, DomainDisk, domain_xml, round_memory, target_name
from core.driver.vms.domain_control import with_devices
from core.driver.vms.domain_kind import EMBEDDED, DomainKind
from core.driver.xml.domain_xml import read_domain
from core.driver.xml.metadata import RealmMark
from core.hardware import Device, PciAddress
from core.realms import CacheMode

if TYPE_CHECKING:
    from typing import Any

GPUS = tuple(Device("gpu", PciAddress(0, bus, 0, 0)) for bus in (0x41, 0x42, 0x43))
UUID = "11111111-2222-4333-8444-555555555555"
PC = DomainKind(type="kvm", arch="x86_64", cpu_mode="host-model")


def domain(**more: Any) -> Domain:
    """Describe a domain."""
    facts = {
        "name": "web",
        "uuid": UUID,
        "vcpus": 2,
        "memory_bytes": 2**30,
        "kind": EMBEDDED,
        "mark": RealmMark(realm="main"),
    }
    return Domain(**(facts | more))


def test_every_fact_is_in_the_definition() -> None:
    """Where libvirt looks for it."""
    disks = (DomainDisk(path="/v/a.qcow2"), DomainDisk(path="/d/b", format="raw", cache=CacheMode.NONE, discard=False))
    devices = (GPUS[0].address,)
    root = ET.fromstring(domain_xml(domain(kind=PC, disks=disks, devices=devices, network="n", network_filter="f")))  # noqa: S314
    assert root.get("type") == "kvm"
    assert root.find("os/type").attrib == {"arch": "x86_64"}
    assert root.find("cpu").get("mode") == "host-model"
    assert root.find("features/acpi") is not None
    drivers = [disk.find("driver").attrib for disk in root.iterfind("devices/disk")]
    assert drivers == [
        {"name": "qemu", "type": "qcow2", "discard": "unmap"},
        {"name": "qemu", "type": "raw", "cache": "none"},
    ]
    assert [disk.find("target").get("dev") for disk in root.iterfind("devices/disk")] == ["vda", "vdb"]
    assert root.find("devices/interface/filterref").get("filter") == "f"
    assert root.find("devices/interface/source").get("network") == "n"
    assert root.find("devices/hostdev").get("managed") == "yes"
    assert root.find("devices/channel/target").get("name") == "org.qemu.guest_agent.0"
    assert root.find("devices/serial").get("type") == "pty"


def test_no_filter_and_the_default_cache_are_not_written() -> None:
    """QEMU and the network decide then."""
    text = domain_xml(domain(kind=PC, disks=(DomainDisk(path="/v/a.qcow2"),)))
    assert "filterref" not in text
    assert "cache" not in text


@given(
    name=st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1),
    vcpus=st.integers(1, 512),
    size=st.integers(1, 2**44),
    buses=st.lists(st.integers(0, 255), unique=True, max_size=4),
)
def test_what_is_written_is_what_is_read(name: str, vcpus: int, size: int, buses: list[int]) -> None:
    """Whatever stands in a name; memory is rounded up to what QEMU takes."""
    devices = tuple(Device("gpu", PciAddress(0, bus, 0x1F, 7)) for bus in buses)
    mark = RealmMark(realm="main", brick='<"&>', created_at=1.5, devices=devices, pending="someone")
    addresses = tuple(device.address for device in devices)
    text = domain_xml(domain(name=name, vcpus=vcpus, memory_bytes=size, devices=addresses, mark=mark, kind=PC))
    facts = read_domain(text)
    assert (facts.vcpus, facts.memory_bytes, facts.devices, facts.mark) == (vcpus, round_memory(size), addresses, mark)
    assert size <= facts.memory_bytes < size + 2**20
    assert ET.fromstring(text).findtext("name") == name  # noqa: S314


def test_libvirt_takes_a_definition_and_keeps_its_mark() -> None:
    """The embedded driver reads XML as the real one does."""
    connection = libvirt.open("test:///default")
    try:
        mark = RealmMark(realm="main", devices=GPUS[:1])
        handle = connection.defineXML(domain_xml(domain(disks=(DomainDisk(path="/v/a"),), mark=mark)))
        assert read_domain(handle.XMLDesc(0)).mark == mark
        handle.undefine()
    finally:
        connection.close()


def test_other_devices_take_the_place_of_the_former_and_of_no_others() -> None:
    """Whatever else stands in the definition stays, the mark tells of the new ones."""
    foreign = PciAddress(0, 0x99, 0, 0)
    before = domain(
        devices=(GPUS[0].address, foreign), mark=RealmMark(realm="main", brick="b", devices=GPUS[:1]), kind=PC
    )
    former = {GPUS[0].address}
    facts = read_domain(with_devices(domain_xml(before), former, GPUS[1:], before.mark))
    assert facts.devices == (foreign, GPUS[1].address, GPUS[2].address)
    assert facts.mark == RealmMark(realm="main", brick="b", devices=GPUS[1:])


@pytest.mark.parametrize(("number", "name"), [(0, "vda"), (25, "vdz"), (26, "vdaa"), (51, "vdaz"), (52, "vdba")])
def test_disks_are_named_as_linux_names_them(number: int, name: str) -> None:
    """Past the 26th too."""
    assert target_name(number) == name
