"""PCI devices read from libvirt's XML, and what makes a type of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.driver.hosts.node_devices import read_pci_device, read_pci_devices
from core.hardware import PciAddress
from core.operations.hardware.pci_candidates import candidates, type_of
from tests.operations.doctor.machines import (
    A100,
    ACCELERATOR,
    AMD,
    AUDIO,
    CONSOLE,
    CONTROLLER_3D,
    DISK,
    ETHERNET,
    INTEL,
    NVIDIA,
    PORT,
    VGA,
    Slot,
    device_xml,
    hardware,
)


def test_a_device_is_read_with_its_group() -> None:
    """The capability's own numbers are decimal, those of the group hexadecimal: bus c1 is 193."""
    device = read_pci_device(device_xml(replace(A100, members=("c1:00.0", "c1:00.1"))))
    assert device is not None
    assert device.address == PciAddress.parse("c1:00.0")
    assert (device.vendor_id, device.product_id, device.class_code) == (0x10DE, 0x20F1, 0x030200)
    assert (device.driver, device.iommu_group) == ("nvidia", 41)
    assert device.group_members == (PciAddress.parse("c1:00.0"), PciAddress.parse("c1:00.1"))
    assert device.name == "NVIDIA Corporation GA100 [A100 PCIe 40GB]"
    assert not device.is_bridge


def test_a_device_without_names_class_and_group_is_read_too() -> None:
    """As from an old libvirt, or without pci.ids; it is then called by its numbers."""
    device = read_pci_device(
        "<device><name>x</name><capability type='pci'>"
        "<domain>0</domain><bus>0</bus><slot>5</slot><function>0</function>"
        "<product id='0x1044'/><vendor id='0x1af4'/></capability></device>"
    )
    assert device is not None
    assert (device.name, device.class_code, device.iommu_group, device.driver) == ("device 1af4:1044", None, None, "")


@pytest.mark.parametrize(
    "text",
    [
        "", "<device", "<pool/>", "<device><capability type='system'/></device>", "<!DOCTYPE a><device/>",
        "<device><capability type='pci'><bus>many</bus></capability></device>",
        "<device><capability type='pci'><class>zz</class></capability></device>",
    ],
)  # fmt: skip
def test_what_is_no_pci_device_is_left_out(text: str) -> None:
    """Damaged XML too: one odd device must not hide the others."""
    assert read_pci_device(text) is None
    assert len(read_pci_devices([text, device_xml(A100)])) == 1


@pytest.mark.parametrize(
    ("vendor", "code", "name", "kind"),
    [
        (NVIDIA, CONTROLLER_3D, "GA100 [A100 PCIe 40GB]", "nvidia-a100"),
        (NVIDIA, CONTROLLER_3D, "GH100 [H100 SXM5 80GB]", "nvidia-h100"),
        (NVIDIA, CONTROLLER_3D, "AD102GL [L40S]", "nvidia-l40s"),
        (NVIDIA, CONTROLLER_3D, "TU104GL [Tesla T4]", "nvidia-t4"),
        (NVIDIA, CONTROLLER_3D, "GV100GL [Tesla V100 PCIe 32GB]", "nvidia-v100"),
        (NVIDIA, VGA, "GA102 [GeForce RTX 3090]", "nvidia-rtx-3090"),
        (NVIDIA, VGA, "GA102GL [RTX A6000]", "nvidia-rtx-a6000"),
        (NVIDIA, VGA, "GP102 [GeForce GTX 1080 Ti]", "nvidia-gtx-1080-ti"),
        (NVIDIA, CONTROLLER_3D, "", "nvidia-gpu"),
        (NVIDIA, VGA, "NV40 [something odd]", "nvidia-gpu"),
        (AMD, VGA, "Navi 31 [Radeon RX 7900 XT/7900 XTX]", "amd-gpu"),
        (AMD, ACCELERATOR, "Aldebaran/MI200 [Instinct MI210]", "amd-mi210"),
        (INTEL, CONTROLLER_3D, "Ponte Vecchio 1T [Data Center GPU Max 1100]", "intel-gpu"),
        (INTEL, ACCELERATOR, "Sapphire Rapids DSA", "accelerator"),
        (0x10EE, ACCELERATOR, "Alveo U250", "accelerator"),
        (INTEL, ETHERNET, "Ethernet Virtual Function 700 Series", "network"),
    ],
)
def test_a_type_is_named_after_the_product(vendor: int, code: int, name: str, kind: str) -> None:
    """Where the product is known; after the maker else."""
    device = read_pci_device(device_xml(replace(A100, vendor=vendor, code=code, name=name)))
    assert device is not None
    assert type_of(device) == kind


def proposed(*slots: Slot, in_use: tuple[str, ...] = ()) -> dict[str, bool]:
    """Which of these devices are looked at, and proposed."""
    held = frozenset(map(PciAddress.parse, in_use))
    return {str(each.device.address)[5:]: each.proposed for each in candidates(hardware(*slots), held)}


def test_a_server_offers_its_gpu_and_leaves_its_console_alone() -> None:
    """A disk may be the host's own: shown, not proposed. Ports and sound are not worth showing."""
    sound = replace(A100, address="c1:00.1", code=AUDIO)
    assert proposed(A100, CONSOLE, DISK, PORT, sound) == {"c1:00.0": True, "e1:00.0": False}


def test_a_disk_that_is_set_aside_is_proposed() -> None:
    """Bound to vfio-pci, or in a VM already."""
    assert proposed(replace(DISK, driver="vfio-pci")) == {"e1:00.0": True}
    assert proposed(DISK, in_use=("e1:00.0",)) == {"e1:00.0": True}
    assert proposed(replace(DISK, code=ETHERNET)) == {}
    assert proposed(replace(DISK, code=ETHERNET, driver="vfio-pci")) == {"e1:00.0": True}


def test_the_first_vga_of_a_machine_without_another_is_probably_the_console() -> None:
    """A second one is not; one beside a console adapter or a built-in one neither; a 3D controller shows nothing."""
    first, second = replace(A100, code=VGA, address="01:00.0"), replace(A100, code=VGA, address="02:00.0")
    built_in = replace(A100, code=VGA, address="00:02.0", vendor=INTEL)
    assert proposed(first, second) == {"01:00.0": False, "02:00.0": True}
    assert proposed(first, CONSOLE) == {"01:00.0": True}
    assert proposed(first, built_in) == {"00:02.0": False, "01:00.0": True}
    assert proposed(replace(first, driver="vfio-pci")) == {"01:00.0": True}


def test_a_shared_group_is_told_with_whom() -> None:
    """A port in it does no harm; the card's own sound must be bound too; a second card can only go to the same VM."""
    members = ("c0:01.1", "c1:00.0", "c1:00.1", "c2:00.0")
    card = replace(A100, members=members)
    sound = replace(A100, address="c1:00.1", code=AUDIO, members=members, name="Audio")
    rival = replace(A100, address="c2:00.0", members=members)
    first = candidates(hardware(card, sound, rival, PORT), frozenset())[0]
    assert first.warnings == (
        "shares its IOMMU group with 0000:c2:00.0: all of them must go to the same VM",
        "shares its IOMMU group with 0000:c1:00.1 (NVIDIA Corporation Audio): bind these to vfio-pci too",
    )
    assert candidates(hardware(A100, PORT), frozenset())[0].warnings == ()
    lonely = candidates(hardware(replace(A100, group=None)), frozenset())[0]
    assert "in no IOMMU group" in lonely.warnings[0]
