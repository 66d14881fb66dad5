"""What a host says about itself, held against its description."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.driver.hosts.probe import HostReport
from core.errors import HostUnreachable
from core.fleet.fleet import PoolState
from core.hardware import HardwareProfile
from core.operations.hosts.probe import Examination, with_twins
from core.realms import Realm

GIB = 2**30
REALM = Realm(id="main", name="Main")
PROFILE = HardwareProfile(id="plain", name="plain", cores=8, memory_bytes=64 * GIB, cost_function="f")
REPORT = HostReport(
    uri="qemu+ssh://root@h1/system",
    host_name="h1",
    hypervisor="QEMU",
    hypervisor_version="7.2.0",
    libvirt_version="9.0.0",
    cores=8,
    memory_bytes=64 * GIB,
    machine_uuid="5f3c",
    domains=3,
    active_domains=2,
    pools=dict.fromkeys(REALM.pools, PoolState.ACTIVE),
    duration=0.2,
)
EXAMINED = Examination("h1", REPORT.uri, PROFILE, REALM, REPORT)


@pytest.mark.parametrize("memory", [64 * GIB, 61 * GIB, 67 * GIB])
def test_a_host_that_fits_its_description_leaves_nothing_to_say(memory):
    """Firmware and kernel may keep a little memory for themselves."""
    assert replace(EXAMINED, report=replace(REPORT, memory_bytes=memory)).remarks == ()


@pytest.mark.parametrize(
    ("differing", "remark"),
    [
        ({"cores": 4}, "profile plain has 8 cores, the host 4"),
        ({"memory_bytes": 32 * GIB}, "profile plain has 64 GiB of memory, the host 32 GiB"),
        ({"pools": REPORT.pools | {REALM.bricks_pool: PoolState.INACTIVE}}, "pool ticrypt-bricks is inactive"),
        ({"pools": dict.fromkeys(REALM.pools[1:], PoolState.ACTIVE)}, "pool ticrypt-vm is missing"),
    ],
)
def test_each_difference_is_one_remark_with_both_numbers(differing, remark):
    """An administrator sees which of the two to change."""
    assert replace(EXAMINED, report=replace(REPORT, **differing)).remarks == (remark,)


def test_what_is_not_described_is_not_compared():
    """A bare URI has no profile and no realm."""
    assert Examination("", REPORT.uri, report=replace(REPORT, cores=1, pools={})).remarks == ()


def test_the_same_machine_under_two_names_is_noticed():
    """By libvirt's UUID of the machine; hosts that tell none, or don't answer, are nobody's twins."""
    silent = Examination("h3", REPORT.uri, error=HostUnreachable("h3", "no route"))
    unnamed = replace(EXAMINED, name="h4", report=replace(REPORT, machine_uuid=None))
    found = with_twins([EXAMINED, replace(EXAMINED, name="h2"), silent, unnamed, replace(unnamed, name="h5")])
    assert [each.twins for each in found] == [("h2",), ("h1",), (), (), ()]
    assert found[0].remarks == ("is the same machine as h2 (5f3c)",)
