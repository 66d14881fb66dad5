"""The driver's contract on real hosts, and what only real hosts can do: hang, crash, vanish, have addresses."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.driver.connection.process import ssh_children
from core.driver.hosts.probe import probe
from core.driver.lanes.watch import FleetWatch
from core.errors import HostTimeout, HostUnreachable
from core.fleet.fleet import Connection, PoolState, VMState
from core.hosts import Host, HostState, StaticAddress
from core.realms import Realm
from tests.driver.contract import RESIDENT, SELDOM, HostContract, Place, anything, connected
from tests.driver.worlds import LONG

from .parts.guests import Boot
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts.host import LabHost
    from .parts.lab import Lab

OFTEN = 0.5


@contextlib.contextmanager
def placed(lab_host: LabHost, uri: str, *, open_deadline: float = 60.0) -> Iterator[Place]:
    """Return a watch that doesn't watch yet, and a host of the lab for it."""
    watch = FleetWatch(SystemClock(), randomness=random.Random(7), open_deadline=open_deadline)
    host = Host(name="h1", realm="r", uri=uri, profile="p")
    realm = Realm(id="r", name="R", poll_frequency=OFTEN)
    try:
        yield Place(host, "qemu", watch, realm)
    finally:
        watch.close()


class TestAHostBySsh(HostContract):
    """As administrators register them."""

    @pytest.fixture
    def place(self, lab: Lab) -> Iterator[Place]:
        """Return the lab's first host."""
        lab.hosts[0].define_guest(RESIDENT, boot=Boot.NOTHING, network=None)
        with placed(lab.hosts[0], lab.hosts[0].uri) as place:
            yield place


class TestAHostByItsOwnSocket(HostContract):
    """As a program on the host itself connects."""

    @pytest.fixture
    def place(self, lab: Lab) -> Iterator[Place]:
        """Return the lab's first host."""
        lab.hosts[0].define_guest(RESIDENT, boot=Boot.NOTHING, network=None)
        with placed(lab.hosts[0], lab.hosts[0].local_uri) as place:
            yield place


@pytest.fixture
def real(lab: Lab) -> LabHost:
    """Return the lab's first host."""
    return lab.hosts[0]


@pytest.fixture
def place(real: LabHost) -> Iterator[Place]:
    """Watch it by ssh, often."""
    with placed(real, real.uri) as place:
        place.settle()
        yield place


def lane_threads() -> list[threading.Thread]:
    """Threads of lanes that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("lane ")]


def test_what_others_do_on_the_host_is_seen_by_events(place: Place, real: LabHost) -> None:
    """A guest that virsh starts and stops, with a poll frequency of an hour."""
    place.settle(poll_frequency=SELDOM)
    place.until(connected)
    key = real.define_guest("outside", boot=Boot.NOTHING, network=None)
    place.vm_until(key, lambda vm: vm.state is VMState.OFF)
    real.start_guest("outside")
    assert place.vm_until(key, lambda vm: vm.state is VMState.RUNNING).started_at is not None
    real.stop_guest("outside")
    place.vm_until(key, lambda vm: vm.state is VMState.OFF)


def test_the_realms_pools_are_active_there(place: Place) -> None:
    """All four."""
    assert set((place.until(connected).pools or {}).values()) == {PoolState.ACTIVE}


def test_a_guests_lease_gives_its_address_and_endpoint(place: Place, real: LabHost) -> None:
    """The endpoint is translated where the host says so, at once when it begins to say so."""
    key = real.define_guest("talker", network="default")
    real.start_guest("talker")
    vm = place.vm_until(key, lambda vm: vm.address is not None)
    assert vm.address == real.guest_address("talker")
    assert vm.endpoint == f"{vm.address}:22"
    place.settle(replace(place.host, static_address=StaticAddress.parse(real.static_address)))
    octet = int(str(vm.address).rpartition(".")[2])
    translated = next(vm for vm in place.watch.snapshots()[0].vms if vm.uuid == key)
    assert translated.endpoint == f"{real.address}:{7000 + octet}"


def test_a_bridged_guest_is_found_without_a_lease(place: Place, real: LabHost) -> None:
    """The network has no DHCP of libvirt's: the ARP table or the agent must know."""
    key = real.define_guest("bridged", network="lab")
    real.start_guest("bridged")
    assert place.vm_until(key, lambda vm: vm.address is not None).address


def test_a_busy_guest_shows_its_share_of_cpu(place: Place, real: LabHost) -> None:
    """One of its two vCPUs spins: about half."""
    key = real.define_guest("spinning", vcpus=2, busy=1)
    real.start_guest("spinning")
    place.vm_until(key, lambda vm: vm.cpu_percent is not None and 15 < vm.cpu_percent <= 100)


def test_a_hung_host_is_told_from_a_live_one_and_comes_back(place: Place, real: LabHost) -> None:
    """Its last data stay, with the time at which they were true; setting and closing never wait for it."""
    key = real.define_guest("kept", boot=Boot.NOTHING, network=None)
    before = place.vm_until(key, anything)
    real.hang()
    try:
        lost = place.until(lambda snapshot: snapshot.connection is Connection.UNREACHABLE)
        assert before in lost.vms
        assert lost.error
        started = time.monotonic()
        place.settle(replace(place.host, state=HostState.DISABLED))
        assert place.watch.snapshots()[0].connection is Connection.OFF
        place.settle(replace(place.host, state=HostState.ENABLED))
        assert time.monotonic() - started < 1.0
        assert place.watch.snapshots()[0].connection is not Connection.CONNECTED
    finally:
        real.wake()
    assert place.vm_until(key, anything)
    place.until(connected)


def test_opening_a_hung_host_ends_at_the_deadline(real: LabHost) -> None:
    """By ending the ssh client of that very lane; the host then says why."""
    real.hang()
    try:
        with placed(real, real.uri, open_deadline=2.0) as place:
            place.settle()
            lost = place.until(lambda snapshot: snapshot.connection is Connection.UNREACHABLE)
            assert "no answer within 2 s" in lost.error
            assert len(lane_threads()) == 1
            real.wake()
            place.until(connected)
    finally:
        real.wake()


def test_a_lane_that_cannot_be_freed_is_left_behind_once(real: LabHost) -> None:
    """A local connection has no ssh client: at most one thread more, and the host comes back."""
    real.hang()
    try:
        with placed(real, real.local_uri, open_deadline=1.0) as place:
            place.settle()
            lost = place.until(lambda snapshot: snapshot.connection is Connection.UNREACHABLE)
            assert "no answer within 1 s" in lost.error
            place.watch.wait(lambda _: len(lane_threads()) > 2, 6.0)
            assert len(lane_threads()) <= 2
            real.wake()
            place.until(connected)
    finally:
        real.wake()


def test_a_crashed_daemon_is_noticed_at_once_and_its_return_within_15_seconds(place: Place, real: LabHost) -> None:
    """Not at the next poll, which is an hour away; guests go on running meanwhile, and keep their start."""
    key = real.define_guest("survivor", boot=Boot.NOTHING, network=None)
    place.until(connected)
    real.start_guest("survivor")
    before = place.vm_until(key, lambda vm: vm.active)
    place.settle(poll_frequency=SELDOM)
    real.crash_libvirtd()
    lost = place.until(lambda snapshot: snapshot.connection is Connection.UNREACHABLE)
    assert key in {vm.uuid for vm in lost.vms}
    real.start_libvirtd()
    started = time.monotonic()
    back = place.until(connected)
    assert time.monotonic() - started < 20.0
    vm = next(vm for vm in back.vms if vm.uuid == key)
    assert (vm.active, vm.started_at, vm.cpu_percent) == (True, before.started_at, None)


def test_a_cut_network_is_noticed_and_the_host_is_back_within_15_seconds(place: Place, real: LabHost) -> None:
    """Keepalive notices; and attempts don't sit in the kernel's long waits between two calls."""
    place.until(connected)
    real.cut()
    try:
        place.until(lambda snapshot: snapshot.connection is Connection.UNREACHABLE)
        place.watch.wait(lambda _: False, 25.0)  # long enough for a call's repetitions to be far apart
    finally:
        real.join()
    joined = time.monotonic()
    place.until(connected)
    assert time.monotonic() - joined < 20.0


def test_removing_a_hung_host_ends_its_ssh_client(place: Place, real: LabHost) -> None:
    """Nothing of it is left behind."""
    place.until(connected)
    lane = lane_threads()[0]
    assert lane.native_id is not None
    assert len(ssh_children(lane.native_id)) == 1
    real.hang()
    try:
        place.watch.set_hosts([], {})
        assert place.watch.snapshots() == ()
        lane.join(LONG)
        assert not lane.is_alive()
        thread_id = lane.native_id
        # Libvirt's event thread may take note of the client's end a moment later.
        eventually(lambda: ssh_children(thread_id) == (), "the end of the ssh client")
    finally:
        real.wake()


def test_a_slow_host_is_not_a_sick_one(place: Place, real: LabHost) -> None:
    """300 ms a round trip: everything takes longer, and works."""
    real.slow(300)
    try:
        place.settle(replace(place.host, state=HostState.DISABLED))
        place.settle(replace(place.host, state=HostState.ENABLED))
        assert place.until(lambda snapshot: snapshot.connection is not Connection.CONNECTING).error == ""
    finally:
        real.slow(0)


def test_a_probe_reports_the_host_or_why_not(real: LabHost) -> None:
    """Within its deadline, whatever the host does."""
    report = probe(real.uri, LONG)
    assert (report.host_name, report.machine_uuid, report.hypervisor) == ("h1", real.machine_uuid, "QEMU")
    assert set(report.pools.values()) == {PoolState.ACTIVE}
    real.hang()
    try:
        with pytest.raises(HostTimeout, match="no answer within 2 s"):
            probe(real.uri, 2.0)
    finally:
        real.wake()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("id_rsa", "ssh_host_key"), "permission denied"),
        (("root@", "nobody@"), "permission denied|what answers is not libvirt"),  # as the folder of keys can be read
        (("/system", "/system?socket=/nowhere&"), "No such file"),
    ],
)
def test_refusals_come_in_an_administrators_words(real: LabHost, change: tuple[str, str], says: str) -> None:
    """What it was, where, and what helps."""
    uri = real.uri.replace(*change).replace("&?", "&")
    with pytest.raises(HostUnreachable, match=f"(?i){says}") as caught:
        probe(uri, LONG, host="h1")
    assert caught.value.hint
