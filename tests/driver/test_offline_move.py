"""A definition on its way: its devices get other addresses of the host, and nothing else of it changes."""

from __future__ import annotations

from core.driver.migration.offline_move import with_addresses
from core.driver.xml.domain_xml import read_domain
from core.driver.xml.reader import parse
from core.hardware import PciAddress

XML = """
<domain type='kvm'>
  <name>gpu</name>
  <metadata>
    <realms:vm xmlns:realms='urn:libvirt-realms:vm:1' realm='lab' brick='debian'>
      <realms:device type='gpu' address='0000:41:00.0'/>
    </realms:vm>
    <other xmlns='urn:other'>kept</other>
  </metadata>
  <memory>1024</memory>
  <devices>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x41' slot='0x00' function='0x0'/></source>
      <rom bar='off'/>
      <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>
    </hostdev>
    <interface type='hostdev'>
      <mac address='52:54:00:00:00:01'/>
      <source><address type='pci' domain='0x0000' bus='0x42' slot='0x10' function='0x1'/></source>
    </interface>
  </devices>
</domain>
"""
FIRST, SECOND = PciAddress.parse("41:00.0"), PciAddress.parse("42:10.1")
NEW, OTHER = PciAddress.parse("0001:c1:1f.7"), PciAddress.parse("41:00.0")


def test_devices_move_and_the_mark_says_so() -> None:
    """Else the next start would take them for devices that someone has fixed."""
    facts = read_domain(with_addresses(XML, {FIRST: NEW, SECOND: OTHER}))
    assert facts.devices == (NEW, OTHER)
    assert facts.mark is not None
    assert [(device.type, device.address) for device in facts.mark.devices] == [("gpu", NEW)]
    assert facts.mark.brick == "debian"


def test_what_the_guest_sees_of_a_device_stays() -> None:
    """Its own address, its ROM, its MAC; and other people's metadata."""
    domain = parse(with_addresses(XML, {FIRST: NEW}), "domain")
    hostdev = domain.find("devices/hostdev")
    assert hostdev is not None
    own = hostdev.find("address")
    assert own is not None
    assert own.get("bus") == "0x05"
    assert hostdev.find("rom") is not None
    assert domain.find("devices/interface/mac") is not None
    assert domain.findtext("metadata/{urn:other}other") == "kept"


def test_two_that_change_places_do_not_get_mixed_up() -> None:
    """Each address is looked up as it was."""
    assert read_domain(with_addresses(XML, {FIRST: SECOND, SECOND: FIRST})).devices == (SECOND, FIRST)


def test_without_devices_the_definition_is_the_very_same() -> None:
    """Byte by byte."""
    assert with_addresses(XML, {}) == XML
