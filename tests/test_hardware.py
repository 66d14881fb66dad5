"""PCI addresses and hardware profiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.hardware import Device, HardwareProfile, NotAPciAddress, PciAddress

ADDRESSES = st.builds(
    PciAddress, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFF), st.integers(0, 0x1F), st.integers(0, 7)
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0000:01:02.0", "0000:01:02.0"), ("02:03.4", "0000:02:03.4"), ("C1:00.0", "0000:c1:00.0"),
        ("1:2.3", "0000:01:02.3"), ("0001:cb:1f.7", "0001:cb:1f.7"), ("A:B:C.1", "000a:0b:0c.1"),
        (" 41:00.0 ", "0000:41:00.0"),
    ],
)  # fmt: skip
def test_addresses_become_canonical(text: str, canonical: str) -> None:
    """Lower case, four digits of domain, 0000 where it is left out."""
    assert str(PciAddress.parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "01:20.0", "01:00.8", "01:00.f", "01:00", "0g:00.0", "00000:01:00.0", "100000000:01:00.0", "01:00.0.0",
     "0000.01.00.0", "1:2:3:4.5", "pci_0000_01_00_0", "01:00.0\n01:00.1", "\u0661\u0661:00.0", "-1:00.0", "100:00.0"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    """Slot up to 1f, function up to 7, hexadecimal ASCII digits."""
    with pytest.raises(NotAPciAddress):
        PciAddress.parse(text)


@given(ADDRESSES)
def test_an_address_written_reads_back(address: PciAddress) -> None:
    """parse(format(x)) == x, with and without the domain where that is 0."""
    assert PciAddress.parse(str(address)) == address
    assert PciAddress.parse(str(address).upper()) == address
    if address.domain == 0:
        assert PciAddress.parse(str(address)[5:]) == address


@given(st.lists(ADDRESSES, unique=True), st.randoms())
def test_addresses_are_given_out_in_the_profile_s_order(addresses: list[PciAddress], random: object) -> None:
    """Each device is found under its type, once, in the order of the list."""
    kinds = ["gpu", "nic"]
    devices = tuple(Device(kinds[index % 2], address) for index, address in enumerate(addresses))
    profile = HardwareProfile(id="p", name="p", cores=1, memory_bytes=1, cost_function="f", devices=devices)
    assert profile.addresses("gpu") + profile.addresses("nic") == tuple(addresses[::2] + addresses[1::2])
    assert all(profile.type_of(device.address) == device.type for device in devices)
    assert profile.device_types == tuple(kinds[: len(devices)])
