"""What every libvirt host must do under the watch: one suite for the test driver and for real hosts.

A subclass gives the fixture `place`, with one domain on it. Where events alone must bring
the news the realm's poll frequency is an hour.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.driver.lanes.watch import FleetWatch
from core.driver.xml.metadata import RealmMark
from core.errors import DriverError, HostUnreachable
from core.fleet.fleet import VM, Connection, HostSnapshot, PoolState, VMState
from core.hardware import PciAddress
from core.hosts import Host, HostState, StaticAddress
from tests.driver.worlds import LONG, Guest, guest_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.driver.connection.connection import HostConnection
    from core.realms import Realm

SELDOM = 3600.0

RESIDENT = "resident"
"""A domain that is there, off, before the watch begins."""


@dataclass
class Place:
    """A host to test on, watched or not."""

    host: Host
    kind: str
    """Type of the domains that it can run."""
    watch: FleetWatch
    realm: Realm
    knows_itself: bool = True
    """Whether it has a machine UUID."""

    def settle(self, host: Host | None = None, **settings: object) -> None:
        """Watch the host, with other settings of the realm where given."""
        self.host = host or self.host
        self.realm = replace(self.realm, **settings)  # type: ignore[arg-type] -- whatever a test wants to vary
        self.watch.set_hosts([self.host], {"r": self.realm})

    def until(self, satisfied: Callable[[HostSnapshot], bool]) -> HostSnapshot:
        """Wait for a snapshot; a timeout shows the last one."""
        fleet = self.watch.wait(lambda fleet: satisfied(fleet.hosts[0]), LONG)
        assert satisfied(fleet.hosts[0]), fleet.hosts[0]
        return fleet.hosts[0]

    def vm_until(self, key: str, satisfied: Callable[[VM], bool]) -> VM:
        """Wait for a VM, by UUID, in a certain state."""
        snapshot = self.until(lambda snapshot: any(vm.uuid == key and satisfied(vm) for vm in snapshot.vms))
        return next(vm for vm in snapshot.vms if vm.uuid == key)

    def do(self, what: Callable[[HostConnection], object]) -> object:
        """Have something done in the host's lane, and wait for it."""
        return self.watch.submit(self.host.name, what).result(LONG)

    def define(self, guest: Guest) -> str:
        """Define a domain; gives its UUID."""
        return str(self.do(lambda connection: connection.define(guest_xml(guest, kind=self.kind))))


def connected(snapshot: HostSnapshot) -> bool:
    """Return whether a host is connected and has answered."""
    return snapshot.connection is Connection.CONNECTED and snapshot.is_known


def anything(_: VM) -> bool:
    """Accept a VM as it is."""
    return True


class HostContract:
    """The suite. Domains are made by the tests and removed after each."""

    @pytest.fixture
    def place(self) -> Place:
        """Return the host under test, with RESIDENT on it, off."""
        raise NotImplementedError

    @pytest.fixture
    def seldom(self, place: Place) -> Iterator[Place]:
        """Watch the host; nothing but events and commands brings news."""
        place.settle(poll_frequency=SELDOM)
        place.until(connected)
        yield place
        place.settle(replace(place.host, state=HostState.ENABLED), poll_frequency=SELDOM)
        snapshot = place.until(connected)
        for vm in snapshot.vms:
            place.do(functools.partial(remove, key=vm.uuid))

    def test_a_host_tells_what_machine_it_is(self, seldom: Place) -> None:
        """So that the same machine registered twice is noticed."""
        machine = seldom.watch.snapshots()[0].machine_uuid
        assert (machine is not None) == seldom.knows_itself
        assert machine is None or str(uuid.UUID(machine)) == machine

    def test_a_domain_that_is_off_is_listed_with_its_size(self, seldom: Place) -> None:
        """It uses nothing, but it is there to be started."""
        key = seldom.define(Guest(name="quiet", vcpus=3, memory_mib=96))
        vm = seldom.vm_until(key, anything)
        assert (vm.name, vm.state, vm.active, vm.vcpus) == ("quiet", VMState.OFF, False, 3)
        assert vm.memory_bytes == 96 * 1024**2
        assert vm.started_at is None

    def test_starting_and_stopping_is_seen_through_events(self, seldom: Place) -> None:
        """The poll frequency is an hour here."""
        key = seldom.define(Guest(name="busy"))
        seldom.do(lambda connection: connection.start(key))
        running = seldom.vm_until(key, lambda vm: vm.state is VMState.RUNNING)
        assert running.active
        assert running.started_at is not None
        seldom.do(lambda connection: connection.pause(key))
        paused = seldom.vm_until(key, lambda vm: vm.state is VMState.PAUSED)
        assert paused.active
        assert paused.started_at == running.started_at
        seldom.do(lambda connection: connection.resume(key))
        seldom.vm_until(key, lambda vm: vm.state is VMState.RUNNING)
        seldom.do(lambda connection: connection.force_off(key))
        stopped = seldom.vm_until(key, lambda vm: vm.state is VMState.OFF)
        assert not stopped.active
        assert stopped.started_at is None

    def test_a_domain_that_is_removed_disappears(self, seldom: Place) -> None:
        """Nothing of it is left in the snapshot."""
        key = seldom.define(Guest(name="passing"))
        seldom.vm_until(key, anything)
        seldom.do(lambda connection: connection.undefine(key))
        seldom.until(lambda snapshot: all(vm.uuid != key for vm in snapshot.vms))

    def test_a_changed_definition_is_read_again(self, seldom: Place) -> None:
        """XML is fetched once, and again when an event says so."""
        key = seldom.define(Guest(name="growing", vcpus=1))
        seldom.vm_until(key, lambda vm: vm.vcpus == 1)
        seldom.define(Guest(name="growing", uuid=key, vcpus=4))
        assert seldom.vm_until(key, lambda vm: vm.vcpus == 4).name == "growing"

    def test_assigned_pci_devices_are_listed(self, seldom: Place) -> None:
        """In canonical form, in the domain's order."""
        key = seldom.define(Guest(name="gpu", devices=("0000:41:00.0", "0001:0a:1f.7")))
        assert seldom.vm_until(key, anything).devices == (
            PciAddress(0, 0x41, 0, 0),
            PciAddress(1, 0x0A, 0x1F, 7),
        )

    def test_the_realms_mark_makes_a_vm_managed(self, seldom: Place) -> None:
        """A mark of another realm does not."""
        ours = seldom.define(Guest(name="ours", mark=RealmMark(realm="r", brick="debian")))
        theirs = seldom.define(Guest(name="theirs", mark=RealmMark(realm="other")))
        assert seldom.vm_until(ours, anything).managed
        assert not seldom.vm_until(theirs, anything).managed

    def test_a_mark_written_later_is_seen(self, seldom: Place) -> None:
        """On a running domain, live and stored."""
        key = seldom.define(Guest(name="adopted"))
        seldom.do(lambda connection: connection.start(key))
        assert not seldom.vm_until(key, lambda vm: vm.active).managed
        seldom.do(lambda connection: connection.mark(key, RealmMark(realm="r", created_at=5.0)))
        seldom.vm_until(key, lambda vm: vm.managed)
        seldom.do(lambda connection: connection.force_off(key))
        assert seldom.vm_until(key, lambda vm: not vm.active).managed

    @pytest.mark.parametrize("name", ["we[b]<&>'\"%s {x}", "ünï \u202etxt.exe", "-rf", "a" * 200])
    def test_odd_names_are_kept_exactly(self, seldom: Place, name: str) -> None:
        """They are keys; only what is shown is sanitized."""
        key = seldom.define(Guest(name=name))
        assert seldom.vm_until(key, anything).name == name

    def test_cpu_is_unknown_before_a_second_sample(self, seldom: Place) -> None:
        """Unknown, not 0."""
        key = seldom.define(Guest(name="counting", vcpus=1))
        seldom.do(lambda connection: connection.start(key))
        assert seldom.vm_until(key, lambda vm: vm.active).cpu_percent is None
        seldom.settle(poll_frequency=0.6)
        share = seldom.vm_until(key, lambda vm: vm.cpu_percent is not None).cpu_percent
        assert share is not None
        assert 0.0 <= share <= 100.0

    def test_vms_that_stay_the_same_are_the_same_objects(self, seldom: Place) -> None:
        """Screens compare by identity."""
        key = seldom.define(Guest(name="still"))
        before = seldom.vm_until(key, anything)
        other = seldom.define(Guest(name="moving"))
        seldom.vm_until(other, anything)
        assert seldom.vm_until(key, anything) is before

    def test_a_disabled_host_has_no_connection_and_no_data(self, seldom: Place) -> None:
        """At once; and enabling it brings both back."""
        assert RESIDENT in {vm.name for vm in seldom.watch.snapshots()[0].vms}
        seldom.settle(replace(seldom.host, state=HostState.DISABLED))
        off = seldom.watch.snapshots()[0]
        assert (off.connection, off.vms, off.observed_at, off.pools) == (Connection.OFF, (), None, None)
        refused = seldom.watch.submit(seldom.host.name, lambda connection: connection.host)
        assert isinstance(refused.exception(LONG), HostUnreachable)
        seldom.settle(replace(seldom.host, state=HostState.ENABLED))
        assert RESIDENT in {vm.name for vm in seldom.until(connected).vms}

    def test_no_scheduling_keeps_the_connection(self, seldom: Place) -> None:
        """The same data, under the changed host."""
        observed_at = seldom.watch.snapshots()[0].observed_at
        seldom.settle(replace(seldom.host, state=HostState.NO_SCHEDULING))
        snapshot = seldom.watch.snapshots()[0]
        assert snapshot.host.state is HostState.NO_SCHEDULING
        assert (snapshot.connection, snapshot.observed_at) == (Connection.CONNECTED, observed_at)

    def test_commands_run_one_at_a_time_in_their_order(self, seldom: Place) -> None:
        """In the lane's own thread: libvirt must never see two calls on one connection."""
        seen: list[tuple[int, str]] = []
        outcomes = [
            seldom.watch.submit(
                seldom.host.name, lambda _, number=number: seen.append((number, threading.current_thread().name))
            )
            for number in range(20)
        ]
        for outcome in outcomes:
            outcome.result(LONG)
        assert seen == [(number, f"lane {seldom.host.name}") for number in range(20)]

    def test_a_command_that_fails_says_why_and_harms_nothing(self, seldom: Place) -> None:
        """The error is the project's own, names the host, and the next command works."""
        unknown = str(uuid.uuid4())
        outcome = seldom.watch.submit(seldom.host.name, lambda connection: connection.start(unknown))
        error = outcome.exception(LONG)
        assert isinstance(error, DriverError)
        assert seldom.host.name in str(error)
        assert unknown in str(error)
        assert seldom.do(lambda connection: connection.host) == seldom.host.name

    def test_pools_are_seen_when_they_change(self, seldom: Place) -> None:
        """An event brings them, long before the sixth poll."""
        name = f"contract-{uuid.uuid4().hex[:8]}"
        seldom.settle(bricks_pool=name)
        assert seldom.until(lambda snapshot: name in (snapshot.pools or {})).pools[name] is PoolState.MISSING  # type: ignore[index]
        xml = f"<pool type='dir'><name>{name}</name><target><path>/tmp</path></target></pool>"
        pool = seldom.do(lambda connection: connection.handle.storagePoolDefineXML(xml))
        try:
            seldom.until(lambda snapshot: snapshot.pools is not None and snapshot.pools[name] is PoolState.INACTIVE)
            seldom.do(lambda _: pool.create())  # type: ignore[attr-defined] -- libvirt's own object
            seldom.until(lambda snapshot: snapshot.pools is not None and snapshot.pools[name] is PoolState.ACTIVE)
            seldom.do(lambda _: pool.destroy())  # type: ignore[attr-defined] -- libvirt's own object
        finally:
            seldom.do(lambda _: pool.undefine())  # type: ignore[attr-defined] -- libvirt's own object
        seldom.until(lambda snapshot: snapshot.pools is not None and snapshot.pools[name] is PoolState.MISSING)

    def test_the_address_translation_of_a_host_is_obeyed_at_once(self, seldom: Place) -> None:
        """No answer of the host is needed for it."""
        seldom.settle(replace(seldom.host, static_address=StaticAddress("203.0.113.7", 7000)))
        for vm in seldom.watch.snapshots()[0].vms:
            assert vm.endpoint is None or vm.endpoint.startswith("203.0.113.7:")
        assert seldom.watch.snapshots()[0].host.static_address is not None

    def test_a_closed_watch_has_let_go(self, place: Place) -> None:
        """Its lane ends by itself and soon."""
        place.settle(poll_frequency=SELDOM)
        place.until(connected)
        lanes = [thread for thread in threading.enumerate() if thread.name == f"lane {place.host.name}"]
        place.watch.close(LONG)
        assert not any(thread.is_alive() for thread in lanes)


def remove(connection: HostConnection, key: str) -> None:
    """Turn a domain off where it runs, and undefine it."""
    with contextlib.suppress(DriverError):
        connection.force_off(key)
    connection.undefine(key)


def new_watch() -> FleetWatch:
    """Make a watch on the machine's own clock."""
    return FleetWatch(SystemClock())
