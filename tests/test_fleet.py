"""What a host's snapshot says of its use, its devices and its age."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from core.costs import Use
from core.fleet.doubles import doubles
from core.fleet.fleet import Connection, Fleet, HostSnapshot, VMState
from core.hosts import HostState
from core.reservations import Reservation
from tests.placement.world import CONFIGURATION, GIB, GPUS, NOW, snapshot, vm
from tests.strategies import ADDRESSES, fleets

PROFILE = CONFIGURATION.hardware_profiles["gpu-node"]


def promise(uuid: str, *, taken_at: float = NOW, **fields: object) -> Reservation:
    """Make a reservation of 4 vCPUs and 8 GiB on host h."""
    given_fields = {"vcpus": 4, "memory_bytes": 8 * GIB, "taken_at": taken_at, **fields}
    return Reservation(uuid=uuid, vm="new", host="h", **given_fields)


def test_active_domains_are_the_use_whatever_their_state() -> None:
    """Paused, crashed but kept, foreign: libvirt gives them an id, so they hold what they have."""
    host = snapshot(
        "h",
        vm("h", "1", vcpus=2, gib=4, devices=GPUS[:1]),
        vm("h", "2", vcpus=1, gib=2, state=VMState.PAUSED),
        vm("h", "3", vcpus=1, gib=2, state=VMState.CRASHED, managed=False),
        vm("h", "4", vcpus=64, gib=512, state=VMState.OFF, active=False, devices=GPUS[1:2]),
    )
    assert host.use(PROFILE) == Use(3, 4, 8 * GIB, {"a100": 1})
    assert host.addresses_in_use() == frozenset(GPUS[:1])


def test_a_reservation_counts_until_a_newer_snapshot_shows_its_vm_active() -> None:
    """Before that it stands for the VM, so that nothing counts twice."""
    started = vm("h", "1", vcpus=4, gib=8)
    for taken_at, vms in ((NOW - 1, 1), (NOW, 1), (NOW + 1, 1)):
        host = snapshot("h", started, reservations=(promise(started.uuid, taken_at=taken_at),))
        assert host.use(PROFILE) == Use(vms, 4, 8 * GIB, {})
    pending = [bool(replace(host, observed_at=moment).pending_reservations()) for moment in (NOW, NOW + 1, NOW + 2)]
    assert pending == [True, True, False]


def test_a_reservation_of_a_vm_that_is_not_active_counts_in_full() -> None:
    """Here it is off, and one that no snapshot knows yet."""
    stopped = vm("h", "1", active=False, state=VMState.OFF)
    promises = (promise(stopped.uuid, taken_at=NOW - 100, devices=GPUS[:1]), promise("unseen", devices=GPUS[1:2]))
    host = snapshot("h", stopped, reservations=promises)
    assert host.use(PROFILE) == Use(2, 8, 16 * GIB, {"a100": 2})
    assert host.addresses_in_use() == frozenset(GPUS[:2])


def test_a_vm_that_is_promised_more_counts_with_what_is_promised() -> None:
    """Its old devices stay held until it gives them back."""
    running = vm("h", "1", vcpus=1, gib=1, devices=GPUS[:1])
    host = snapshot("h", running, reservations=(promise(running.uuid, devices=GPUS[1:2]),))
    assert host.use(PROFILE) == Use(1, 4, 8 * GIB, {"a100": 2})


def test_without_a_profile_devices_have_no_type() -> None:
    """Their addresses are in use all the same."""
    host = snapshot("h", vm("h", "1", devices=GPUS))
    assert host.use(None).devices == {}
    assert host.addresses_in_use() == frozenset(GPUS)


def test_totals_count_hosts_that_are_not_disabled() -> None:
    """A disabled one is missed by nobody; a silent one is."""
    fleet = Fleet(
        NOW,
        (
            snapshot("a"),
            snapshot("b", connection=Connection.UNREACHABLE),
            snapshot("c", state=HostState.DISABLED, connection=Connection.OFF),
            snapshot("d", state=HostState.NO_SCHEDULING),
        ),
    )
    assert (fleet.hosts_answering, fleet.hosts_total) == (2, 3)


def test_ages_count_from_when_the_fleet_was_taken() -> None:
    """Never negative, and none for a host that never answered."""
    hosts = (snapshot("a", observed_at=NOW - 4), snapshot("b", observed_at=NOW + 4), snapshot("c", observed_at=None))
    fleet = Fleet(NOW, hosts)
    assert [fleet.age(host) for host in hosts] == [4.0, 0.0, None]
    assert fleet.host("b") is hosts[1]
    assert fleet.host("z") is None


def _held(host: HostSnapshot) -> set[object]:
    return {address for vm in host.vms if vm.active for address in vm.devices}


@given(fleets())
def test_use_is_never_more_than_all_vms_and_promises_together(fleet: Fleet) -> None:
    """Nor less than the active VMs alone."""
    for host in fleet.hosts:
        use = host.use(None)
        active = sum(vm.active for vm in host.vms)
        assert active <= use.vms <= active + len(host.reservations)
        assert _held(host) <= host.addresses_in_use() <= set(ADDRESSES)


def test_vms_that_are_there_twice_are_told() -> None:
    """One UUID on two hosts, and one name for two VMs; nothing of a fleet without such."""
    one = replace(vm("h1", "web"), uuid="u1")
    other = replace(one, host="h2", state=VMState.OFF, active=False)
    namesake = replace(other, uuid="u2")
    assert list(doubles(Fleet(NOW, (snapshot("h1", one), snapshot("h2", vm("h2", "db")))))) == []
    twice, called = doubles(Fleet(NOW, (snapshot("h1", one), snapshot("h2", other, namesake))))
    assert twice.startswith("one VM on several hosts, u1: h1/web (running), h2/web (shut off);")
    assert called == "2 VMs are called web: h2/web (u1), h2/web (u2); name them as HOST/NAME, or by UUID"
