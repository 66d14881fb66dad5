"""Names, states and static address translation of hosts (specification, section 7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import HostRefused
from core.hosts import HostState, StaticAddress, check_name


@pytest.mark.parametrize("name", ["h1", "Node 7, rack B", "gpu-01.example.org", "h\u00f4te", "x" * 100])
def test_descriptive_names_are_accepted(name: str) -> None:
    """Any printable text without a slash."""
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 101, "a/b", "a\nb", "a\x1b[31mb", " h1", "h1 ", "\u202eh1", "\t"])
def test_other_names_are_refused(name: str) -> None:
    """Empty, long, with a slash, with characters that can't be printed, or with white space at the ends."""
    with pytest.raises(HostRefused):
        check_name(name)


def test_only_a_disabled_host_is_not_connected_to() -> None:
    """No Scheduling keeps managing what is there."""
    assert [state.connects for state in HostState] == [True, True, False]


def test_a_vm_is_reached_at_base_port_plus_last_octet() -> None:
    """The configured address, not the VM's own."""
    assert StaticAddress.parse("203.0.113.7:7000").endpoint("192.168.122.45") == "203.0.113.7:7045"


def test_an_address_that_is_not_ipv4_has_no_translation() -> None:
    """There is no last octet to add."""
    assert StaticAddress("203.0.113.7", 7000).endpoint("fe80::1") is None


@pytest.mark.parametrize(
    "text",
    ["203.0.113.7", "203.0.113.7:", "203.0.113.7:x", "203.0.113:7000", "h1:7000", "203.0.113.7:0", "203.0.113.7:65281",
     "203.0.113.7:-1", "203.0.113.7:\u0663", "[::1]:7000", ""],
)  # fmt: skip
def test_a_malformed_translation_is_refused(text: str) -> None:
    """Base port + 255 must be a port as well."""
    with pytest.raises(HostRefused):
        StaticAddress.parse(text)


def test_the_highest_base_port_leaves_room_for_every_octet() -> None:
    """65280 + 255 = 65535."""
    assert StaticAddress.parse("203.0.113.7:65280").endpoint("10.0.0.255") == "203.0.113.7:65535"


ports = st.integers(1, 65280)


@given(ports, ports, st.integers(0, 255), st.integers(0, 255))
def test_translations_that_do_not_clash_never_share_an_endpoint(one: int, other: int, octet: int, second: int) -> None:
    """Two hosts behind one address must stay apart for every pair of VMs."""
    a, b = StaticAddress("203.0.113.7", one), StaticAddress("203.0.113.7", other)
    if not a.clashes_with(b):
        assert a.endpoint(f"10.0.0.{octet}") != b.endpoint(f"10.0.0.{second}")


def test_translations_behind_different_addresses_never_clash() -> None:
    """The same base port is fine there."""
    assert not StaticAddress("203.0.113.7", 7000).clashes_with(StaticAddress("203.0.113.8", 7000))
    assert StaticAddress("203.0.113.7", 7000).clashes_with(StaticAddress("203.0.113.7", 7255))
    assert not StaticAddress("203.0.113.7", 7000).clashes_with(StaticAddress("203.0.113.7", 7256))
