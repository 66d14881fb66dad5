"""Hosts that hang, vanish, refuse and crawl, at once and over and over: what is shown of them, and of the others."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.config.reader import load
from core.driver.lanes.watch import FleetWatch
from core.fleet.fleet import Connection, VMState
from tests.driver.worlds import LONG
from tests.terminal import terminal

from .parts.faults import BLACK_HOLE, CRASHED, HUNG, REFUSING, UNPLUGGED, Fault
from .parts.guests import Boot
from .parts.lab import Lab
from .parts.observer import EVERY, Holdings, Observer, seconds, table
from .parts.realm import hosts_of, write_configuration, write_registry
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.fleet.fleet import HostSnapshot

    from .parts.host import LabHost

    Watched = Callable[..., FleetWatch]

ROUNDS = int(os.environ.get("REALMS_FAULT_ROUNDS", "5"))
"""Rounds of hang and wake, each on one host; several hosts at once."""

POLL = 5.0
"""Seconds: a realm's poll frequency unless it says otherwise."""

TOLD_WITHIN = 3 * POLL
BACK_WITHIN = 15.0
QUITS_WITHIN = 1.0
"""What the program promises, in seconds."""

SICK_FOR = 30.0

LOAD = 2.0
"""Seconds that a machine which is busy with other things may add to a promise before a test fails."""

GUESTS = ("first", "second")


def put_guests(host: LabHost) -> None:
    """Give a host two guests that run and do nothing."""
    for name in GUESTS:
        host.define_guest(name, memory_mib=32, boot=Boot.NOTHING, network=None)
        host.start_guest(name, paused=True)


def write_realm(lab: Lab, folder: Path, poll: float) -> dict[str, str]:
    """Describe the lab to the program itself; gives its environment."""
    configuration, registry = write_configuration(folder), folder / "registry.json"
    realm = folder / "realms/lab.conf"
    realm.write_text(realm.read_text().replace("poll-frequency = 2 seconds", f"poll-frequency = {poll:g} seconds"))
    write_registry(lab, configuration, registry)
    return {"REALMS_CONFIG": str(configuration), "REALMS_REGISTRY": str(registry), "HOME": str(folder)}


def watch_of(lab: Lab, folder: Path, poll: float) -> FleetWatch:
    """Watch all hosts of a lab."""
    realms = load(write_configuration(folder)).realms
    watch = FleetWatch(SystemClock(), randomness=random.Random(7))
    watch.set_hosts(hosts_of(lab), {"lab": replace(realms["lab"], poll_frequency=poll)})
    return watch


def until(
    watch: FleetWatch, host: str, satisfied: Callable[[HostSnapshot], bool], patience: float = LONG
) -> HostSnapshot:
    """Wait for a snapshot of a host; a timeout shows the last one."""
    fleet = watch.wait(lambda fleet: satisfied(fleet.host(host)), patience)  # type: ignore[arg-type] -- it is watched
    snapshot = fleet.host(host)
    assert snapshot is not None
    assert satisfied(snapshot), snapshot
    return snapshot


def connected(snapshot: HostSnapshot) -> bool:
    """Return whether a host is connected and has answered."""
    return snapshot.connection is Connection.CONNECTED and snapshot.is_known


def unknown(snapshot: HostSnapshot) -> bool:
    """Return whether a host is shown as not answering."""
    return snapshot.connection is Connection.UNREACHABLE


@pytest.mark.timeout(900)
class TestEightHosts:
    """Four healthy hosts among four that are not."""

    @pytest.fixture
    def eight(self) -> Iterator[Lab]:
        """Return eight hosts with two guests on each."""
        with Lab.start(hosts=8, storage_mib=256) as lab:
            for host in lab.hosts:
                put_guests(host)
            yield lab

    def test_sick_hosts_cost_the_healthy_ones_nothing(
        self, eight: Lab, tmp_path: Path, record_property: Callable[[str, object], None]
    ) -> None:
        """Healthy data stay young, sick ones are unknown with their age; all come back; it quits at once."""
        sick = dict(zip(eight.hosts[:3], (HUNG, BLACK_HOLE, REFUSING), strict=True))
        slow, healthy = eight.hosts[3], eight.hosts[4:]
        slow.slow(2000)
        with ExitStack() as ends:
            environment = write_realm(eight, tmp_path, POLL)
            screen = ends.enter_context(terminal(tmp_path, environment=environment))
            watch = watch_of(eight, tmp_path, POLL)
            ends.callback(watch.close)
            observer = ends.enter_context(Observer(watch))
            asked = time.monotonic()
            for host in eight.hosts:
                until(watch, host.name, connected, 120.0)
            connecting = {
                host: observer.wait(host.name, connected=True, since=asked, seconds=LONG) for host in eight.hosts
            }
            screen.wait_for("8 hosts · 16 VMs")

            began = {host: start(fault, host) for host, fault in sick.items()}
            since = min(began.values())
            told = {host: observer.wait(host.name, connected=False, since=at, seconds=60) for host, at in began.items()}
            screen.wait_for("5 of 8")
            # So long that keepalive has ended every connection, and new ones are tried in vain.
            watch.wait(lambda fleet: fleet.hosts_answering > 5, since + SICK_FOR - time.monotonic())
            pressed = time.monotonic()
            screen.press("q")
            exit_code = screen.wait_for_end()
            quit_after = time.monotonic() - pressed

            ended = {host: start(fault, host, end=True) for host, fault in sick.items()}
            back = {host: observer.wait(host.name, connected=True, since=at, seconds=60) for host, at in ended.items()}
            now = time.monotonic()

            rows = [
                [host.name, fault.name, seconds(connecting[host]), "", seconds(told[host]), seconds(back[host])]
                for host, fault in sick.items()
            ]
            rows += [
                [host.name, what, seconds(connecting[host]), seconds(observer.oldest(host.name, since, now)), "", ""]
                for host, what in [(slow, "slow: 2 s round trip"), *((host, "healthy") for host in healthy)]
            ]
            heads = ["host", "what", "connected after", "oldest data shown", "unknown after", "back after"]
            promise = f"healthy data under {2 * POLL:g} s, unknown within {TOLD_WITHIN:g} s, back in {BACK_WITHIN:g} s"
            record_property(
                "table",
                f"polled each {POLL:g} s; promised: {promise}\n{table(heads, rows)}\n"
                f"full-screen program, in the midst of it: quit in {quit_after:.2f} s (promised: {QUITS_WITHIN:g} s)",
            )

            for host in healthy:
                sights = observer.sights(host.name, since, now)
                assert all(sight.is_connected for sight in sights), host.name
                assert observer.oldest(host.name, since, now) < 2 * POLL + LOAD
            for host in sick:
                for sight in observer.sights(host.name, since, now):
                    assert len(sight.states) == len(GUESTS), host.name
                    assert sight.states == ((VMState.PAUSED if sight.is_connected else VMState.UNKNOWN),) * len(GUESTS)
                    assert sight.age is not None
                assert (told[host] or 1e9) < TOLD_WITHIN + LOAD
                assert (back[host] or 1e9) < BACK_WITHIN + LOAD
            assert all(
                sight.is_connected and len(sight.states) == 2 for sight in observer.sights(slow.name, since, now)
            )
            assert exit_code == 0
            assert quit_after < QUITS_WITHIN + LOAD


def start(fault: Fault, host: LabHost, *, end: bool = False) -> float:
    """Begin or end a fault; gives the moment."""
    if end:
        fault.end(host)
    else:
        fault.begin(host)
    return time.monotonic()


@pytest.mark.timeout(3600)
class TestOverAndOver:
    """Hang and wake, with what this process holds before and after."""

    def test_hanging_and_waking_leaves_nothing_behind(
        self, lab: Lab, tmp_path: Path, record_property: Callable[[str, object], None]
    ) -> None:
        """No thread, ssh client or descriptor; and what is shown after waking is young from its first moment."""
        poll = 1.0
        for host in lab.hosts:
            put_guests(host)
        watch = watch_of(lab, tmp_path, poll)
        told: list[float] = []
        back: list[float] = []
        with Observer(watch) as observer:
            try:
                self.wave(lab, watch, observer, 0.0)  # the first connections bring libvirt's own threads
                before = Holdings.now()
                for wave in range(-(-ROUNDS // len(lab.hosts))):
                    # Woken at once; when the connection has just been given up; while one is being opened.
                    told_now, back_now = self.wave(lab, watch, observer, (0.0, 2.0, 6.0)[wave % 3])
                    told, back = [*told, *told_now], [*back, *back_now]
                with_connections = settled(before)
                sights = {host.name: observer.sights(host.name) for host in lab.hosts}
            finally:
                watch.close()
        heads = ["", "threads", "ssh clients", "descriptors", "MiB"]
        rows = [
            [when, str(each.threads), str(each.ssh_clients), str(each.descriptors), f"{each.memory_mib:.0f}"]
            for when, each in (("before", before), ("after", with_connections))
        ]
        record_property(
            "table",
            f"{len(told)} rounds of hang and wake on {len(lab.hosts)} hosts, polled each {poll:g} s\n"
            f"unknown after {middle(told)}, back after {middle(back)}\n{table(heads, rows)}",
        )
        assert not with_connections.exceeds(before)
        assert max(told) < 3 * poll + LOAD
        assert max(back) < BACK_WITHIN + LOAD
        for seen in sights.values():
            for earlier, later in pairwise(seen):
                if later.is_connected and not earlier.is_connected:
                    assert later.age is not None
                    assert later.age < 2 * poll
        counts = Counter(len(sight.states) for seen in sights.values() for sight in seen if sight.age is not None)
        assert set(counts) == {len(GUESTS)}

    def wave(self, lab: Lab, watch: FleetWatch, observer: Observer, hold: float) -> tuple[list[float], list[float]]:
        """Hang all hosts, wait until all are shown as unknown and `hold` seconds more, wake them, wait for all.

        Gives the seconds until each was unknown, and until it was back.
        """
        for host in lab.hosts:
            until(watch, host.name, lambda snapshot: connected(snapshot) and snapshot.vms != ())
        began = {host: start(HUNG, host) for host in lab.hosts}
        try:
            told = [
                found(observer.wait(each.name, connected=False, since=at, seconds=LONG)) for each, at in began.items()
            ]
            watch.wait(lambda fleet: any(connected(host) for host in fleet.hosts), hold)
        finally:
            ended = {host: start(HUNG, host, end=True) for host in lab.hosts}
        back = [found(observer.wait(each.name, connected=True, since=at, seconds=LONG)) for each, at in ended.items()]
        return told, back


def found(after: float | None) -> float:
    """Insist on a figure."""
    assert after is not None
    return after


def middle(figures: list[float]) -> str:
    """Median and worst of some seconds."""
    return f"{sorted(figures)[len(figures) // 2]:.1f} s (at worst {max(figures):.1f} s)"


def settled(goal: Holdings) -> Holdings:
    """Count what this process holds once what is ending has ended, or the time for that is up."""
    deadline = time.monotonic() + LONG
    return eventually(
        lambda: now if not (now := Holdings.now()).exceeds(goal) or time.monotonic() > deadline else None,
        "an end of what is ending",
        LONG + 10,
    )


@pytest.fixture
def real(lab: Lab) -> LabHost:
    """Return the lab's first host."""
    return lab.hosts[0]


@pytest.fixture
def watched(lab: Lab, tmp_path: Path) -> Iterator[Watched]:
    """Return what watches the lab's first host, polled as often as asked for."""
    with ExitStack() as ends:

        def begin(poll: float, uri: str = "") -> FleetWatch:
            watch = FleetWatch(SystemClock(), randomness=random.Random(7))
            ends.callback(watch.close)
            realm = load(write_configuration(tmp_path)).realms["lab"]
            host = hosts_of(lab)[0]
            watch.set_hosts([replace(host, uri=uri or host.uri)], {"lab": replace(realm, poll_frequency=poll)})
            until(watch, "h1", connected)
            return watch

        yield begin


def test_events_work_again_when_libvirtd_has_crashed_and_come_back(watched: Watched, real: LabHost) -> None:
    """Guests run on all the while; what happens to them afterwards is seen at once, though no poll is due."""
    put_guests(real)
    watch = watched(3600.0)
    CRASHED.begin(real)
    lost = until(watch, "h1", unknown)
    assert {lost.state_of(vm) for vm in lost.vms} == {VMState.UNKNOWN}
    CRASHED.end(real)
    back = until(watch, "h1", connected)
    assert {(vm.name, vm.state) for vm in back.vms} == {(name, VMState.PAUSED) for name in GUESTS}
    real.virsh("resume", "first")
    until(watch, "h1", lambda host: {vm.name for vm in host.vms if vm.state is VMState.RUNNING} == {"first"})


def test_a_host_that_was_rebooted_shows_its_vms_as_off_or_not_at_all(watched: Watched, real: LabHost) -> None:
    """Until it answers they are unknown; afterwards one that was defined is off, and one that was not is gone."""
    put_guests(real)
    real.virsh("undefine", "second")  # it runs on, and is nothing any more once it ends
    watch = watched(1.0)
    real.power_cut()
    lost = until(watch, "h1", unknown)
    assert [lost.state_of(vm) for vm in lost.vms] == [VMState.UNKNOWN] * 2
    real.power_on()
    real.wait_until_ready()
    back = until(watch, "h1", connected)
    assert [(vm.name, vm.state, vm.active) for vm in back.vms] == [("first", VMState.OFF, False)]


@pytest.mark.parametrize("fault", [UNPLUGGED, BLACK_HOLE, REFUSING], ids=lambda fault: fault.name.partition(":")[0])
def test_a_short_fault_of_the_network_mends_itself(watched: Watched, real: LabHost, fault: Fault) -> None:
    """It ends as soon as it is noticed."""
    put_guests(real)
    watch = watched(1.0)
    fault.begin(real)
    try:
        assert len(until(watch, "h1", unknown).vms) == len(GUESTS)
    finally:
        fault.end(real)
    ended = time.monotonic()
    until(watch, "h1", connected)
    assert time.monotonic() - ended < BACK_WITHIN + LOAD


def test_a_vm_that_comes_changes_and_goes_between_two_polls_leaves_no_trace(watched: Watched, real: LabHost) -> None:
    """Whatever the events of it find, the host stays connected and shows its other VMs."""
    put_guests(real)
    watch = watched(1.0)
    with Observer(watch) as observer:
        for number in range(5):
            real.define_guest("passing", memory_mib=32, boot=Boot.NOTHING, network=None)
            real.virsh(
                f"domrename passing other{number}; setvcpus other{number} 3 --config --maximum; start other{number};"
                f" destroy other{number}; undefine other{number}"
            )
        until(watch, "h1", lambda host: {vm.name for vm in host.vms} == set(GUESTS))
        assert all(sight.is_connected for sight in observer.sights("h1"))


def test_changes_that_no_event_tells_of_are_found(watched: Watched, real: LabHost) -> None:
    """The definition of a VM that is off: size and devices, by virsh --config; and its name."""
    key = real.define_guest("plain", memory_mib=32, boot=Boot.NOTHING, network=None)
    watch = watched(0.5)
    until(watch, "h1", lambda host: [vm.vcpus for vm in host.vms] == [1])
    real.virsh("setvcpus plain 3 --config --maximum; setmaxmem plain 64M --config")
    device = real.folder / "device.xml"
    device.write_text(
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        "<address domain='0' bus='0x41' slot='0' function='0'/></source></hostdev>"
    )
    real.virsh("attach-device", "plain", str(device), "--config")
    until(watch, "h1", lambda host: [str(each) for vm in host.vms for each in vm.devices] == ["0000:41:00.0"])
    changed = until(watch, "h1", lambda host: [(vm.vcpus, vm.memory_bytes) for vm in host.vms] == [(3, 64 << 20)])
    assert changed.vms[0].uuid == key
    real.virsh("domrename", "plain", "fancy")
    assert until(watch, "h1", lambda host: [vm.name for vm in host.vms] == ["fancy"]).vms[0].uuid == key


@pytest.mark.parametrize(("way", "polls"), [("uri", 5), ("local_uri", 2)], ids=["by ssh", "by its own socket"])
def test_a_vm_whose_qemu_is_stuck_holds_up_nothing_else(
    watched: Watched, real: LabHost, record_property: Callable[[str, object], None], way: str, polls: int
) -> None:
    """Its host stays connected with young data, the VM is shown as libvirt has it, and what others do is seen."""
    for name in (*GUESTS, "stuck"):
        real.define_guest(name, memory_mib=32, boot=Boot.NOTHING, network=None)
        real.start_guest(name)
    watch = watched(POLL, getattr(real, way))
    until(watch, "h1", lambda host: all(vm.cpu_percent is not None for vm in host.vms))
    process = real.run("cat", "/run/libvirt/qemu/stuck.pid").strip()
    with Observer(watch) as observer:
        real.run("kill", "-STOP", process)
        try:
            stopped = time.monotonic()
            watch.wait(lambda _: False, polls * POLL)
            now, oldest = time.monotonic(), observer.oldest("h1", stopped)
            unknown_for = EVERY * sum(not sight.is_connected for sight in observer.sights("h1", stopped))
            assert all(sight.is_connected for sight in observer.sights("h1", now - POLL))
            assert observer.oldest("h1", now - POLL) < 2 * POLL
            real.virsh("suspend", "first")
            seen = until(watch, "h1", lambda host: any(vm.state is VMState.PAUSED for vm in host.vms), POLL + LOAD)
            assert {vm.name: vm.state for vm in seen.vms} == {
                "first": VMState.PAUSED, "second": VMState.RUNNING, "stuck": VMState.RUNNING,
            }  # fmt: skip
            until(watch, "h1", lambda host: all(vm.cpu_percent is not None for vm in host.vms))
        finally:
            real.run("kill", "-CONT", process)
    record_property(
        "table",
        f"one QEMU stopped: data of its host at most {oldest:.1f} s old, unknown for {unknown_for:.1f} s"
        f" (polled each {POLL:g} s; promised: {2 * POLL:g} s)",
    )
    assert oldest < 3 * POLL
    assert unknown_for < LOAD


def test_a_host_that_vanishes_while_it_is_called_is_back_in_time(watched: Watched, real: LabHost) -> None:
    """It hangs, so that opening a connection takes for ever, and then its packets vanish too."""
    put_guests(real)
    watch = watched(1.0)
    HUNG.begin(real)
    try:
        until(watch, "h1", unknown)
        watch.wait(lambda _: False, 3.0)  # by now the lane has called anew, and waits
        BLACK_HOLE.begin(real)
        watch.wait(lambda _: False, 10.0)
    finally:
        HUNG.end(real)
        BLACK_HOLE.end(real)
    ended = time.monotonic()
    until(watch, "h1", connected)
    assert time.monotonic() - ended < BACK_WITHIN + LOAD
