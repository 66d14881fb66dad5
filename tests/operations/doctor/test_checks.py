"""Each check of the doctor on a host that has just one thing wrong."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from core.diagnostics import Severity
from core.fleet.fleet import PoolState
from core.hardware import Device, HardwareProfile, PciAddress
from core.hosts import StaticAddress
from core.operations.doctor.fleet import check_twins, compare_realm
from core.operations.doctor.hardware import check_profile
from core.operations.doctor.host import check_client, check_software
from core.operations.doctor.realm import check_filter, check_network, check_pools, check_translation
from core.operations.findings import Checkup, Diagnosis, Finding, in_order
from core.realms import Realm
from tests.driver.silence import refused_port
from tests.operations.doctor.machines import (
    A100,
    AUDIO,
    IDLE,
    NETWORK,
    POOLS,
    PORT,
    SOFTWARE,
    hardware,
    pool,
    surveyed,
)

AT = Checkup("h1")
REALM = Realm(id="main", name="Main", network_filter="clean")
CARD = Device("nvidia-a100", PciAddress.parse("c1:00.0"))
PROFILE = HardwareProfile(
    id="gpu", name="gpu", cores=128, memory_bytes=1 << 40, cost_function="gpu", devices=(CARD,)
)  # fmt: skip
VFIO_CARD = replace(A100, driver="vfio-pci")


def bad(findings: object) -> list[tuple[str, str, str]]:
    """Keep what is not well: severity, what, how to mend it."""
    return [(each.severity.value, each.what, each.mend) for each in findings if each.severity is not Severity.OK]  # type: ignore[attr-defined]


def test_a_host_in_good_order_has_nothing_but_ok() -> None:
    """Every check says that it was made."""
    host = surveyed(hardware(VFIO_CARD, PORT))
    found = [
        *check_software(AT, host), *check_pools(AT, REALM, host), *check_network(AT, REALM, host),
        *check_filter(AT, REALM, host), *check_profile(AT, PROFILE, host),
    ]  # fmt: skip
    assert bad(found) == []
    assert {"libvirt", "qemu", "kvm", "pools", "network", "network filter", "profile", "overcommit", "devices"} == {
        each.check for each in found
    }


@pytest.mark.parametrize(
    ("pools", "severity", "says", "mend"),
    [
        (POOLS[1:], "error", "pool ticrypt-vm is missing", "realms pools setup --host h1 --path FOLDER"),
        ((pool("ticrypt-vm", state=PoolState.INACTIVE, capacity_bytes=0), *POOLS[1:]), "error", "inactive",
         "virsh -c qemu+ssh://root@h1/system pool-start ticrypt-vm"),
        ((pool("ticrypt-vm", autostart=False), *POOLS[1:]), "warning", "has autostart off",
         "virsh -c qemu+ssh://root@h1/system pool-autostart ticrypt-vm"),
        ((pool("ticrypt-vm", available_bytes=20), *POOLS[1:]), "warning", "almost full", "free space"),
        ((pool("ticrypt-vm", persistent=False, autostart=False), *POOLS[1:]), "warning", "transient",
         "realms pools setup --host h1 --path /shared/ticrypt-vm"),
    ],
)  # fmt: skip
def test_a_pool_that_is_not_right_is_told(pools: tuple, severity: str, says: str, mend: str) -> None:
    """With the command that mends it."""
    ((found, what, how),) = bad(check_pools(AT, REALM, surveyed(pools=pools)))
    assert (found, how[: len(mend)]) == (severity, mend)
    assert says in what


def test_the_older_name_of_the_snapshots_pool_is_fine() -> None:
    """Where only that one exists."""
    assert bad(check_pools(AT, REALM, surveyed(pools=(*POOLS[:3], pool("ticrypt-vm-snapshot"))))) == []


@pytest.mark.parametrize(
    ("network", "severity", "mend"),
    [
        (replace(NETWORK, name="other"), "error", "net-define"),
        (replace(NETWORK, active=False), "error", "net-start default"),
        (replace(NETWORK, autostart=False), "warning", "net-autostart default"),
        (replace(NETWORK, persistent=False, autostart=False), "warning", "net-define"),
    ],
)
def test_a_network_that_is_not_right_is_told(network: object, severity: str, mend: str) -> None:
    """VMs are connected to it."""
    ((found, _, how),) = bad(check_network(AT, REALM, surveyed(networks=(network,))))
    assert found == severity
    assert mend in how


def test_a_filter_that_is_not_there_is_told_with_the_one_that_was_meant() -> None:
    """A realm without a filter has nothing to check."""
    ((severity, what, _),) = bad(check_filter(AT, replace(REALM, network_filter="claen"), surveyed()))
    assert (severity, "(clean is)" in what) == ("error", True)
    assert list(check_filter(AT, replace(REALM, network_filter=None), surveyed())) == []
    ((severity, _, _),) = bad(check_filter(AT, REALM, surveyed(filters=None)))
    assert severity == "info"


def test_without_kvm_a_host_is_no_good() -> None:
    """Old versions are warned of; mended faults are not told."""
    ((severity, what, _),) = bad(check_software(AT, surveyed(software=replace(SOFTWARE, kvm=False))))
    assert (severity, "KVM" in what) == ("error", True)
    old = replace(SOFTWARE, libvirt=(5, 0, 0), hypervisor_version=(3, 1, 0))
    assert [severity for severity, _, _ in bad(check_software(AT, surveyed(software=old)))] == [
        "warning",
        "info",
        "warning",
    ]
    assert "CVE-2024-2494" in bad(check_software(AT, surveyed(software=replace(SOFTWARE, libvirt=(10, 1, 0)))))[0][1]


def test_the_fault_of_our_own_libvirt_is_told_with_what_avoids_it() -> None:
    """Before 10.4."""
    ((severity, what, _),) = bad(check_client((9, 0, 0)))
    assert severity == "info"
    assert "CVE-2024-4418" in what
    assert "one call at a" in what
    assert bad(check_client((10, 4, 0))) == []


@pytest.mark.parametrize(
    ("machine", "severity", "says"),
    [
        (hardware(VFIO_CARD, cores=64), "warning", "profile gpu has 128 cores, the host 64"),
        (hardware(VFIO_CARD, memory_bytes=1 << 39), "warning", "profile gpu has 1 TiB of memory, the host 512 GiB"),
        (hardware(VFIO_CARD, memory_bytes=1 << 41), "info", "the host 2 TiB"),
        (hardware(PORT), "error", "0000:c1:00.0 of profile gpu is missing"),
        (hardware(VFIO_CARD, iommu=False), "error", "the IOMMU is off"),
        (hardware(replace(VFIO_CARD, group=None)), "error", "in no IOMMU group"),
        (hardware(replace(PORT, address="c1:00.0")), "error", "is a bridge"),
        (hardware(A100), "warning", "is driven by nvidia on the host, not vfio-pci"),
    ],
)
def test_a_profile_that_does_not_match_the_machine_is_told(machine: object, severity: str, says: str) -> None:
    """One thing at a time."""
    ((found, what, mend),) = bad(check_profile(AT, PROFILE, surveyed(machine)))  # type: ignore[arg-type]
    assert found == severity
    assert says in what
    assert mend


def test_a_group_that_is_shared_is_told_with_whom() -> None:
    """The card's own sound, for one."""
    members = ("c1:00.0", "c1:00.1")
    sound = replace(A100, address="c1:00.1", code=AUDIO, members=members, driver="snd_hda_intel", name="Audio")
    machine = hardware(replace(VFIO_CARD, members=members), sound)
    ((severity, what, _),) = bad(check_profile(AT, PROFILE, surveyed(machine)))
    assert severity == "warning"
    assert "shares IOMMU group 41 with 0000:c1:00.1 (NVIDIA Corporation Audio, driven by snd_hda_intel)" in what


def test_what_vms_take_beyond_the_machine_is_told() -> None:
    """Memory is a warning, vCPUs are not; a device that the profile lacks is counted as nothing."""
    stray = PciAddress.parse("05:00.0")
    busy = replace(IDLE, vms=3, vcpus=200, memory_bytes=3 << 39, devices=frozenset({stray, CARD.address}))
    found = bad(check_profile(AT, PROFILE, surveyed(hardware(A100), occupation=busy)))
    assert [severity for severity, _, _ in found] == ["warning", "info", "warning"]
    assert "may take 1.5 TiB of memory, the host has 1 TiB" in found[0][1]
    assert "200 vCPUs for 128 cores" in found[1][1]
    assert "0000:05:00.0" in found[2][1]


def test_a_translation_is_tried_at_a_guest() -> None:
    """One that answers proves it; one that doesn't is a warning; without guests a refusal shows an open way."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        translation = StaticAddress("127.0.0.1", port - 5 if port < 65000 else port - 250)
        guest = f"192.168.122.{port - translation.base_port}"
        assert bad(check_translation(AT, translation, [guest], 5.0)) == []
    closed = StaticAddress("127.0.0.1", min(refused_port(), 65280))
    assert bad(check_translation(AT, closed, [], 5.0)) == []
    ((severity, what, _),) = bad(check_translation(AT, closed, ["192.168.122.1"], 5.0))
    assert (severity, "refused" in what) == ("warning", True)


def test_a_machine_under_two_names_is_told_at_both() -> None:
    """Another name of the machine itself points at firmware without a number of its own."""
    one = surveyed(hardware(machine_uuid="u"))
    found = list(check_twins({"a": one, "b": one, "c": surveyed(hardware(machine_uuid="v")), "d": surveyed()}))
    assert [each.host for each in found] == ["a", "b"]
    assert {each.mend for each in found} == {"realms hosts remove b"}
    found = list(check_twins({"a": one, "b": replace(one, host_name="other")}))
    assert "host_uuid" in found[0].mend


def test_hosts_of_a_realm_are_held_against_each_other() -> None:
    """The odd one out is told."""
    usual = surveyed(hardware(cpu_model="EPYC-Milan", cpu_features=frozenset({"avx2"})))
    elsewhere = replace(usual, pools=(pool("ticrypt-vm", path="/local"), *POOLS[1:]))
    unmounted = replace(usual, pools=(pool("ticrypt-vm", capacity_bytes=77, available_bytes=70), *POOLS[1:]))
    other_cpu = replace(usual, hardware=replace(usual.hardware, cpu_model="Skylake"))
    fewer = replace(usual, hardware=replace(usual.hardware, cpu_features=frozenset({"avx2", "-sse4a"})))
    older = replace(usual, software=replace(SOFTWARE, hypervisor_version=(7, 2, 0)))
    hosts = {"a": usual, "b": usual, "e": elsewhere, "u": unmounted, "c": other_cpu, "f": fewer, "o": older, "z": usual}
    found = {each.host: each for each in compare_realm(REALM, hosts) if each.severity is not Severity.OK}
    assert {host: each.check for host, each in found.items()} == {
        "e": "shared storage", "u": "shared storage", "c": "cpu model", "f": "cpu model", "o": "qemu",
    }  # fmt: skip
    assert "dir /local" in found["e"].what
    assert "is the storage mounted?" in found["u"].what
    assert "-sse4a" in found["f"].what
    assert list(compare_realm(REALM, {"a": usual})) == []


def test_the_worst_comes_first() -> None:
    """Hosts by their worst finding, then as they are listed; within a host by severity."""
    findings = [
        Finding("a", Severity.OK, "x", ""), Finding("b", Severity.INFO, "x", ""), Finding("b", Severity.ERROR, "y", ""),
        Finding("", Severity.OK, "x", ""), Finding("c", Severity.ERROR, "x", ""),
    ]  # fmt: skip
    diagnosis = Diagnosis(in_order(iter(findings), ("c", "b", "a")), 3, 3)
    assert diagnosis.hosts == ("c", "b", "", "a")
    assert [each.severity.value for each in diagnosis.of("b")] == ["error", "info"]
    assert not diagnosis.ok
