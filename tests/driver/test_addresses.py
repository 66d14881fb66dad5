"""Which of the addresses that libvirt, a host or a guest tells is the VM's."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import pytest

from core.driver.connection.connection import open_connection
from core.driver.lanes.session import HostPoller
from core.driver.vms.addresses import AddressBook, first_address, ipv4
from core.driver.xml.domain_xml import DomainFacts, Interface
from tests.driver.worlds import Guest, write_node

if TYPE_CHECKING:
    from pathlib import Path

    from core.clock import FixedClock

FACTS = DomainFacts(
    vcpus=1,
    vcpus_online=1,
    memory_bytes=1,
    interfaces=(Interface("52:54:00:00:00:01", "default"), Interface("52:54:00:00:00:02")),
)


def interface(mac: str, *addresses: str) -> dict[str, Any]:
    """Describe an interface as libvirt does."""
    return {"hwaddr": mac, "addrs": [{"addr": address, "prefix": 24, "type": 0} for address in addresses]}


@pytest.mark.parametrize(
    "text", ["127.0.0.1", str(IPv4Address(0)), "224.0.0.1", "169.254.3.4", "fe80::1", "", None, "1.2.3", "x"]
)
def test_what_no_one_can_connect_to_is_no_address(text: str | None) -> None:
    """Guests say what they like."""
    assert ipv4(text) is None


@pytest.mark.parametrize(
    ("answer", "address"),
    [
        ({}, None),
        (None, None),
        ({"lo": interface("00:00:00:00:00:00", "10.9.9.9")}, None),
        ({"docker0": interface("02:42:00:00:00:00", "172.17.0.1"), "eth0": interface("52:54:00:00:00:01", "10.0.0.5")},
         "10.0.0.5"),
        ({"eth1": interface("52:54:00:00:00:02", "10.0.2.5"), "eth0": interface("52:54:00:00:00:01", "10.0.1.5")},
         "10.0.1.5"),
        ({"eth1": interface("52:54:00:00:00:02", "10.0.2.5"), "eth0": interface("52:54:00:00:00:01", "fe80::5")},
         "10.0.2.5"),
        ({"eth0": {"hwaddr": None, "addrs": None}, "eth9": interface("aa:00:00:00:00:00", "127.0.0.1", "10.1.1.1")},
         "10.1.1.1"),
    ],
)  # fmt: skip
def test_the_first_interface_that_libvirt_gave_the_vm_counts(
    answer: dict[str, Any] | None, address: str | None
) -> None:
    """What a guest made itself comes last, its loopback never."""
    assert first_address(answer, FACTS) == address


def test_an_address_is_looked_up_until_found_and_then_rarely(tmp_path: Path, clock: FixedClock) -> None:
    """A round trip for each poll would be too much."""
    connection = open_connection("h", write_node(tmp_path / "node.xml", [Guest(name="vm", network="default")]))
    session = HostPoller(connection, clock, lambda: None)
    session.poll()
    key = session.seen[0].uuid
    assert session.look_up_addresses(lambda: True)
    assert str(session.addresses.of(key)).startswith("192.168.122.")
    assert not session.look_up_addresses(lambda: True)
    later = AddressBook(connection)
    later.adopt(session.addresses)
    assert later.of(key) == session.addresses.of(key)
    session.detach()
    connection.close()
