"""Domain XML as libvirt writes it, and as nobody should."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from unittest.mock import Mock

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.driver.lanes.mediated import read_parent, with_parents
from core.driver.lanes.session import machine_uuid
from core.driver.xml.domain_xml import Interface, read_domain
from core.driver.xml.metadata import NAMESPACE, RealmMark, mark_element, mark_of, mark_text, read_mark
from core.driver.xml.reader import MOST_CHARACTERS, XmlRefused, parse
from core.hardware import Device, PciAddress
from tests.driver.worlds import Guest, guest_xml

import xml.etree.ElementTree as ET  # isort: skip

DATA = Path(__file__).parent / "data"

SMALL = "<domain><memory unit='KiB'>1024</memory><vcpu>1</vcpu>{}</domain>"


def test_a_running_vm_is_read_in_full() -> None:
    """In the shape that libvirt 9.0 writes: two of four vCPUs, a GPU, a lent network function, our mark."""
    facts = read_domain((DATA / "qemu-running.xml").read_text())
    assert (facts.vcpus, facts.vcpus_online, facts.memory_bytes) == (4, 2, 8 * 1024**3)
    assert [str(address) for address in facts.devices] == ["0000:41:00.0", "0001:0a:1f.7", "0000:82:10.2"]
    assert facts.interfaces[:2] == (Interface("52:54:00:aa:bb:cc", "default"), Interface("52:54:00:aa:bb:cd"))
    assert facts.agent_connected
    assert facts.mark == RealmMark(
        realm="libvirt1",
        brick="debian-12",
        created_at=1795341600.5,
        devices=(Device("nvidia-gpu", PciAddress(0, 0x41, 0, 0)),),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<domain>",
        "<node/>",
        "<!DOCTYPE domain><domain/>",
        "<?xml version='1.0'?>\n<!-- x --> <!DOCTYPE d [<!ENTITY a 'b'>]><domain><vcpu>&a;</vcpu></domain>",
        "<domain><memory>&lol;</memory></domain>",
        "<domain><vcpu>1</vcpu></domain>",
        "<domain><memory unit='parsec'>1</memory></domain>",
        "<domain><memory>-1</memory></domain>",
        "<domain><memory>99999999999999999999999</memory></domain>",
        "<domain><memory>1</memory><vcpu>many</vcpu></domain>",
        "<domain><memory>1</memory><vcpu>99999999999</vcpu></domain>",
        "<domain><memory>\u0661</memory></domain>" + "\x00",
    ],
)
def test_what_tells_no_size_is_refused(text: str) -> None:
    """With one kind of error, and no entity is ever expanded."""
    with pytest.raises(XmlRefused):
        read_domain(text)


@pytest.mark.parametrize("number", ["\u00b2", "9" * 4400, "-1", "", "1e3"])
def test_numbers_that_are_none_are_no_other_error(number: str) -> None:
    """The vCPUs online are all then; a size that can't be told refuses the document."""
    facts = read_domain(SMALL.replace("<vcpu>1", f"<vcpu current='{number}'>4"))
    assert (facts.vcpus, facts.vcpus_online) == (4, 4)
    for wrong in (SMALL.replace("<vcpu>1", f"<vcpu>x{number}"), SMALL.replace("1024", f"x{number}")):
        with pytest.raises(XmlRefused) as caught:
            read_domain(wrong)
        assert len(str(caught.value)) < 200


def test_a_doctype_that_is_only_text_is_no_doctype() -> None:
    """Anyone who may write metadata could make a VM unreadable otherwise."""
    facts = read_domain(SMALL.format("<metadata><x><![CDATA[<!DOCTYPE a [<!ENTITY b 'c'>]>]]></x></metadata>"))
    assert facts.vcpus == 1


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never another error."""
    for document in (text, SMALL.format(text), f"<domain>{text}</domain>"):
        try:
            read_domain(document)
        except XmlRefused:
            continue


@pytest.mark.parametrize(
    "address", ["bus='256'", "slot='0x20'", "function='8'", "domain='-1'", "bus='zz'", "bus=''", "domain='0x1ffffffff'"]
)
def test_an_impossible_pci_address_is_left_out(address: str) -> None:
    """The domain is counted all the same."""
    device = f"<devices><hostdev type='pci'><source><address {address}/></source></hostdev></devices>"
    assert read_domain(SMALL.format(device)).devices == ()


def test_a_usb_device_is_no_pci_device() -> None:
    """Nor is a host device without an address."""
    usb = "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>"
    assert read_domain(SMALL.format(f"<devices>{usb}<hostdev type='pci'/></devices>")).devices == ()


@given(
    st.integers(1, 999),
    st.integers(1, 2**40),
    st.lists(
        st.builds(PciAddress, st.integers(0, 0xFFFFFFFF), st.integers(0, 255), st.integers(0, 31), st.integers(0, 7)),
        max_size=5,
        unique=True,
    ),
)
def test_what_is_written_is_read(vcpus: int, memory_mib: int, devices: list[PciAddress]) -> None:
    """Size and devices of any domain."""
    guest = Guest(name="x", vcpus=vcpus, memory_mib=memory_mib, devices=[str(device) for device in devices])
    facts = read_domain(guest_xml(guest))
    assert (facts.vcpus, facts.memory_bytes, facts.devices) == (vcpus, memory_mib * 1024**2, tuple(devices))


texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=30
)
marks = st.builds(
    RealmMark,
    realm=texts,
    brick=st.none() | texts,
    created_at=st.none() | st.floats(0, 4e9),
    devices=st.lists(st.builds(Device, texts, st.builds(PciAddress, *[st.integers(0, 7)] * 4)), max_size=3).map(tuple),
    pending=st.just("") | texts,
)


@given(marks)
def test_a_mark_survives_its_xml(mark: RealmMark) -> None:
    """Inside a domain, with whatever names realm and brick have."""
    domain = ET.Element("domain")
    ET.SubElement(domain, "metadata").append(mark_element(mark))
    assert mark_of(parse(ET.tostring(domain, encoding="unicode"), "domain")) == mark


@given(marks)
def test_a_mark_for_libvirt_has_no_namespace_of_its_own(mark: RealmMark) -> None:
    """Libvirt adds it, and refuses a document that has the prefix already."""
    assert NAMESPACE not in mark_text(mark).replace(mark.realm, "").replace(mark.brick or "-", "")
    assert parse(mark_text(mark), "vm").get("realm") == mark.realm


@pytest.mark.parametrize(
    ("element", "mark"),
    [
        (f"<vm xmlns='{NAMESPACE}'/>", None),
        ("<vm realm='r'/>", None),
        ("<vm xmlns='urn:other' realm='r'/>", None),
        (f"<vm xmlns='{NAMESPACE}' realm='r' created='soon'/>", RealmMark(realm="r")),
        (f"<vm xmlns='{NAMESPACE}' realm='r' created='nan'/>", RealmMark(realm="r")),
        (f"<vm xmlns='{NAMESPACE}' realm='r'><device address='x'/><device/></vm>", RealmMark(realm="r")),
    ],
)
def test_a_damaged_mark_is_read_as_far_as_it_makes_sense(element: str, mark: RealmMark | None) -> None:
    """Without a realm it is none."""
    assert read_mark(ET.fromstring(element)) == mark  # noqa: S314 -- written above


def test_the_machines_uuid_is_found_in_its_capabilities() -> None:
    """And nowhere else."""
    uuid = "4C4C4544-0043-4A10-8052-B2C04F563233"
    assert machine_uuid(f"<capabilities><host><uuid>{uuid}</uuid></host></capabilities>") == uuid.lower()
    assert machine_uuid("<capabilities><host><uuid> </uuid></host></capabilities>") is None
    assert machine_uuid("<!DOCTYPE x><capabilities/>") is None


C1 = PciAddress(0, 0xC1, 0, 0)
NVME = "<source type='pci' managed='yes' namespace='1'><address domain='0x0000' bus='0xc1' slot='0x00'/></source>"


@pytest.mark.parametrize(
    "disk",
    [
        f"<disk type='nvme' device='disk'>{NVME}</disk>",
        f"<disk type='file'><source file='/a'/><mirror type='nvme' job='copy'>{NVME}</mirror></disk>",
        f"<disk type='file'><source file='/a'/><backingStore type='nvme'>{NVME}</backingStore></disk>",
        f"<disk><backingStore type='file'><backingStore type='nvme'>{NVME}</backingStore></backingStore></disk>",
        "<disk type='nvme'><source type='pci'><address bus='193' slot='0' function='0'/></source></disk>",
        "<disk type='nvme'><source type='pci'><address bus='0301' slot='00' function='0'/></source></disk>",
    ],
    ids=["disk", "mirror", "backing store", "deeper", "decimal, without a domain", "octal"],
)
def test_an_nvme_disk_holds_its_pci_function(disk: str) -> None:
    """Wherever it stands, as libvirt writes it or as people do."""
    assert read_domain(SMALL.format(f"<devices>{disk}</devices>")).devices == (C1,)


@pytest.mark.parametrize(("name", "address"), [("nvme-disk", "0000:c1:00.0"), ("vmd-hostdev", "10000:e1:00.0")])
def test_devices_beyond_the_usual_are_read(name: str, address: str) -> None:
    """An NVMe disk, and a function behind a volume management device, whose domain has five digits."""
    (device,) = read_domain((DATA / f"{name}.xml").read_text()).devices
    assert (str(device), PciAddress.parse(str(device))) == (address, device)


def test_a_disk_on_a_file_holds_no_device() -> None:
    """Whatever address it has in the guest."""
    disk = "<disk type='file'><source file='/a'/><address type='pci' bus='0xc1' slot='0' function='0'/></disk>"
    assert read_domain(SMALL.format(f"<devices>{disk}</devices>")).devices == ()


def test_a_mediated_device_is_told_and_leads_to_its_parent() -> None:
    """By its UUID, or in older libvirts by its name."""
    uuid = "8e37ee90-2b51-45e3-9b25-bf8283c03110"
    device = f"<hostdev mode='subsystem' type='mdev'><source><address uuid='{uuid.upper()}'/></source></hostdev>"
    assert read_domain(SMALL.format(f"<devices>{device}</devices>")).mediated == (uuid,)
    name = f"<name>mdev_{uuid.replace('-', '_')}</name><parent>pci_0000_06_00_0</parent>"
    told = f"<device>{name}<capability type='mdev'><uuid>{uuid}</uuid></capability></device>"
    assert read_parent(told) == read_parent(f"<device>{name}</device>") == (uuid, PciAddress(0, 6, 0, 0))
    gone = libvirt.libvirtError("no such device")
    gone.err = (libvirt.VIR_ERR_NO_NODE_DEVICE, *[""] * 8)
    nodes = [Mock(**{"XMLDesc.side_effect": gone}), Mock(**{"XMLDesc.return_value": told})]
    facts = with_parents(
        Mock(**{"listAllDevices.return_value": nodes}), read_domain(SMALL.format(f"<devices>{device}</devices>"))
    )
    assert facts.devices == (PciAddress(0, 6, 0, 0),)
    assert read_parent("<device><parent>computer</parent></device>") is read_parent("<x/>") is None


@pytest.mark.parametrize(
    "text", ["<!---->" * 25 + "!", "<!---->" * 100_000 + "!", "<!--" + "x" * 1_000_000, "<a>" * 100_000]
)
def test_what_is_no_document_is_refused_in_no_time(text: str) -> None:
    """In time that grows with its length alone."""
    started = process_time()
    with pytest.raises(XmlRefused):
        parse(text, "domain")
    assert process_time() - started < 0.5 + 0.001 * len(text) / 1024


@pytest.mark.parametrize("padding", [0, 1, 4090, 4096, 5000, 50_000])
def test_a_doctype_is_refused_wherever_it_stands(padding: int) -> None:
    """Between comments, behind as much white space as anyone likes."""
    text = f"<!-- a -->{' ' * padding}<!DOCTYPE d [<!ENTITY a 'X'>]><!-- b --><domain>&a;</domain>"
    with pytest.raises(XmlRefused, match="document type"):
        parse(text, "domain")
    assert parse(f"<!-- a -->{' ' * padding}<!-- <!DOCTYPE d> --><domain/>", "domain").tag == "domain"


def test_a_document_that_is_too_large_is_refused() -> None:
    """Before it is parsed."""
    with pytest.raises(XmlRefused, match="MiB"):
        parse("<domain>" + " " * MOST_CHARACTERS + "</domain>", "domain")
