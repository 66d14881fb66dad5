"""Disks read, attached and exchanged, on libvirt's test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from core.driver.connection.connection import HostConnection, open_connection
from core.driver.vms.disk_devices import (
    Disk,
    DiskSet,
    NewDisk,
    ask_to_release,
    attach_disk,
    forget_disk,
    read_disk_set,
    switch_disks,
)
from core.errors import DriverError
from core.realms import CacheMode
from tests.driver.worlds import Guest, write_node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNNING, OFF = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[HostConnection]:
    """Connect to a host with a VM that runs and one that is off."""
    guests = [Guest(name="on", uuid=RUNNING), Guest(name="off", uuid=OFF, state="shutoff")]
    connection = open_connection("h1", write_node(tmp_path / "node.xml", guests))
    yield connection
    connection.close()


def a_disk(target: str) -> Disk:
    """Describe a disk of which only the target counts."""
    return Disk(target=target)


def test_the_next_target_is_free_in_both_definitions() -> None:
    """Past vdz come two letters."""
    both = DiskSet(active=True, persistent=True, present=(a_disk("vda"), a_disk("sda")), stored=(a_disk("vdb"),))
    assert both.next_target() == "vdc"
    alphabet = tuple(a_disk(f"vd{letter}") for letter in "abcdefghijklmnopqrstuvwxyz")
    assert DiskSet(active=False, persistent=True, present=alphabet, stored=()).next_target() == "vdaa"


def test_the_default_cache_mode_writes_no_attribute() -> None:
    """So that QEMU decides; names that mean something to XML stay names."""
    plain = NewDisk(target="vdb", path="/drives/<&'\">", format="raw").element()
    assert ET.tostring(plain.find("driver") or plain[0], encoding="unicode") == '<driver name="qemu" type="raw" />'
    again = ET.fromstring(ET.tostring(plain))  # noqa: S314 - written above
    assert [source.get("file") for source in again.iter("source")] == ["/drives/<&'\">"]
    cached = NewDisk(target="vdb", path="/d", format="raw", cache=CacheMode.WRITEBACK).element()
    assert [driver.get("cache") for driver in cached.iter("driver")] == ["writeback"]
    assert [driver.get("discard") for driver in cached.iter("driver")] == [None]
    lazy = NewDisk(target="vdb", path="/d", format="raw", discard=True).element()
    assert [driver.get("discard") for driver in lazy.iter("driver")] == ["unmap"]


def test_where_nothing_can_be_attached_the_stored_definition_is_changed(connection: HostConnection) -> None:
    """And changed back, with nothing else of it lost."""
    before = connection.domain_xml(OFF)
    attach_disk(connection, OFF, NewDisk(target="vdb", path="/drives/data", format="qcow2"))
    (disk,) = read_disk_set(connection, OFF).stored
    assert (disk.target, disk.path, disk.format, disk.is_written) == ("vdb", "/drives/data", "qcow2", True)
    forget_disk(connection, OFF, "vdb")
    forget_disk(connection, OFF, "vdb")
    assert read_disk_set(connection, OFF).stored == ()
    assert [line for line in before.splitlines() if "disk" not in line and line not in connection.domain_xml(OFF)] == []


def test_a_running_vm_that_cannot_be_asked_to_release_a_disk_is_told(connection: HostConnection) -> None:
    """Nothing is pretended."""
    attach_disk(connection, RUNNING, NewDisk(target="vdb", path="/drives/data", format="qcow2"))
    disks = read_disk_set(connection, RUNNING)
    assert disks.active
    assert [disk.target for disk in disks.stored] == ["vdb"]
    assert ask_to_release(connection, RUNNING, "vdz")


def test_all_disks_are_exchanged_or_none(connection: HostConnection) -> None:
    """Also where one of them is not there, and where the VM runs."""
    for target in ("vda", "vdb"):
        attach_disk(connection, OFF, NewDisk(target=target, path=f"/old/{target}", format="raw"))
    with pytest.raises(DriverError, match="no longer has disk vdz"):
        switch_disks(connection, OFF, {"vda": ("/new/vda", "qcow2"), "vdz": ("/new/vdz", "qcow2")})
    assert [disk.path for disk in read_disk_set(connection, OFF).stored] == ["/old/vda", "/old/vdb"]
    switch_disks(connection, OFF, {"vda": ("/new/vda", "qcow2")})
    exchanged = read_disk_set(connection, OFF).stored
    assert [(disk.path, disk.format) for disk in exchanged] == [("/new/vda", "qcow2"), ("/old/vdb", "raw")]
    with pytest.raises(DriverError, match="the VM was started meanwhile"):
        switch_disks(connection, RUNNING, {"vda": ("/new/vda", "qcow2")})
