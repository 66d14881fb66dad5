"""Many hosts at once: settings that change, hosts that hang, commands that meet no connection, a quick end."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.driver.lanes.watch import FleetWatch
from core.driver.vms.addresses import AddressBook
from core.errors import HostUnreachable, UnknownHost
from core.fleet.fleet import Connection, Fleet, HostSnapshot, PoolState, VMState
from core.hosts import Host, HostState, StaticAddress
from core.realms import Realm
from tests.driver.silence import refused_port, silent_host
from tests.driver.worlds import LONG, Guest, write_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.driver.connection.connection import HostConnection

ROOT = Path(__file__).parents[2]
REALM = Realm(id="r", name="R", poll_frequency=0.3)
REALMS = {"r": REALM}


@pytest.fixture
def watch() -> Iterator[FleetWatch]:
    """Return a watch that gives up opening after a second."""
    watch = FleetWatch(SystemClock(), randomness=random.Random(1), open_deadline=1.0)
    yield watch
    watch.close(LONG)


def host(name: str, uri: str) -> Host:
    """Describe a host."""
    return Host(name=name, realm="r", uri=uri, profile="p")


def until(watch: FleetWatch, satisfied: Callable[[Fleet], bool]) -> Fleet:
    """Wait for a fleet; a timeout shows the last one."""
    fleet = watch.wait(satisfied, LONG)
    assert satisfied(fleet), fleet
    return fleet


def only(watch: FleetWatch, satisfied: Callable[[HostSnapshot], bool]) -> HostSnapshot:
    """Wait for the only host."""
    return until(watch, lambda fleet: satisfied(fleet.hosts[0])).hosts[0]


def connected(snapshot: HostSnapshot) -> bool:
    """Return whether a host is connected."""
    return snapshot.connection is Connection.CONNECTED


def unreachable(snapshot: HostSnapshot) -> bool:
    """Return whether a host is known to be out of reach."""
    return snapshot.connection is Connection.UNREACHABLE


def lanes() -> list[threading.Thread]:
    """Threads of lanes that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("lane ")]


def test_snapshots_come_in_the_order_of_the_hosts(watch: FleetWatch, tmp_path: Path) -> None:
    """Whatever the order in which they answer."""
    uri = write_node(tmp_path / "node.xml")
    hosts = [host("z", uri), host("a", "test:///nowhere.xml"), host("m", uri)]
    watch.set_hosts(hosts, REALMS)
    until(watch, lambda fleet: all(each.connection is not Connection.CONNECTING for each in fleet.hosts))
    assert [snapshot.name for snapshot in watch.snapshots()] == ["z", "a", "m"]
    watch.set_hosts(hosts[::-1], REALMS)
    assert [snapshot.name for snapshot in watch.snapshots()] == ["m", "a", "z"]
    assert [connected(snapshot) for snapshot in watch.snapshots()] == [True, False, True]


def test_each_connection_to_a_file_is_a_world_of_its_own(watch: FleetWatch, tmp_path: Path) -> None:
    """Two hosts of one file don't see each other's VMs."""
    uri = write_node(tmp_path / "node.xml", [Guest(name="twin", uuid="11111111-1111-4111-8111-111111111111")])
    watch.set_hosts([host("a", uri), host("b", uri)], REALMS)
    until(watch, lambda fleet: all(connected(each) for each in fleet.hosts))
    watch.submit("a", lambda connection: connection.force_off("11111111-1111-4111-8111-111111111111")).result(LONG)
    fleet = until(watch, lambda fleet: fleet.hosts[0].vms[0].state is VMState.OFF)
    assert fleet.hosts[1].vms[0].state is VMState.RUNNING


def test_the_embedded_driver_tells_what_real_hosts_tell(watch: FleetWatch, tmp_path: Path) -> None:
    """Size, state, address, share of CPU: 4 vCPUs, one second of CPU time a second."""
    guests = [
        Guest(name="on", vcpus=4, memory_mib=128, network="default", devices=["41:00.0"]),
        Guest(name="held", state="paused", mac="52:54:00:00:00:02"),
        Guest(name="off", state="shutoff", network="default", mac="52:54:00:00:00:03"),
    ]
    watch.set_hosts([host("h", write_node(tmp_path / "node.xml", guests, pools=["ticrypt-vm"]))], REALMS)
    snapshot = only(watch, lambda each: len(each.vms) == 3 and each.vms[2].cpu_percent is not None)
    held, off, on = snapshot.vms
    assert (on.state, held.state, off.state) == (VMState.RUNNING, VMState.PAUSED, VMState.OFF)
    assert (on.active, held.active, off.active) == (True, True, False)
    assert (on.vcpus, on.memory_bytes, [str(device) for device in on.devices]) == (4, 128 * 1024**2, ["0000:41:00.0"])
    assert str(on.address).startswith("192.168.122.")
    assert on.endpoint == f"{on.address}:22"
    assert off.address is None
    assert on.cpu_percent is not None
    assert 15 < on.cpu_percent < 35
    assert snapshot.pools == {
        "ticrypt-vm": PoolState.ACTIVE,
        "ticrypt-vm-drives": PoolState.MISSING,
        "ticrypt-bricks": PoolState.MISSING,
        "ticrypt-vm-snapshots": PoolState.MISSING,
    }


def test_the_older_name_of_the_snapshots_pool_is_used_where_only_that_exists(watch: FleetWatch, tmp_path: Path) -> None:
    """Specification, section 6."""
    old = write_node(tmp_path / "old.xml", pools=["ticrypt-vm-snapshot"])
    both = write_node(tmp_path / "both.xml", pools=["ticrypt-vm-snapshot", "ticrypt-vm-snapshots"])
    watch.set_hosts([host("old", old), host("both", both)], REALMS)
    fleet = until(watch, lambda fleet: all(connected(each) for each in fleet.hosts))
    assert [list(snapshot.pools or {})[3] for snapshot in fleet.hosts] == [
        "ticrypt-vm-snapshot",
        "ticrypt-vm-snapshots",
    ]


def test_a_changed_setting_needs_no_answer_of_the_host(watch: FleetWatch, tmp_path: Path) -> None:
    """Realm, port and translation are put into what is known, at once and for good."""
    guests = [Guest(name="on", network="default")]
    first = host("h", write_node(tmp_path / "node.xml", guests))
    watch.set_hosts([first], {"r": replace(REALM, poll_frequency=3600.0)})
    address = only(watch, lambda each: bool(each.vms) and each.vms[0].address is not None).vms[0].address
    moved = replace(first, realm="s", static_address=StaticAddress("203.0.113.9", 9000))
    port = 9000 + int(str(address).rpartition(".")[2])
    realms = {**REALMS, "s": Realm(id="s", name="S", poll_frequency=0.3)}
    watch.set_hosts([moved], realms)
    vm = watch.snapshots()[0].vms[0]
    assert (vm.realm, vm.endpoint) == ("s", f"203.0.113.9:{port}")
    seen = watch.snapshots()[0].observed_at
    polled = only(watch, lambda each: each.observed_at != seen)
    assert (polled.vms[0].realm, polled.vms[0].endpoint) == ("s", f"203.0.113.9:{port}")


def test_a_changed_uri_means_another_machine(watch: FleetWatch, tmp_path: Path) -> None:
    """Nothing of the old one is shown under the new one."""
    one = write_node(tmp_path / "one.xml", [Guest(name="one")])
    two = write_node(tmp_path / "two.xml", [Guest(name="two")])
    watch.set_hosts([host("h", one)], REALMS)
    only(watch, lambda each: bool(each.vms))
    watch.set_hosts([host("h", two)], REALMS)
    assert [vm.name for vm in watch.snapshots()[0].vms] in ([], ["two"])  # that may have answered already
    assert [vm.name for vm in only(watch, lambda each: bool(each.vms)).vms] == ["two"]


@pytest.mark.parametrize(
    ("realms", "why"),
    [({}, "realm r is not configured"), ({"r": replace(REALM, disabled=True)}, "realm r is disabled")],
)
def test_a_realm_that_is_not_there_has_no_connections(
    watch: FleetWatch, tmp_path: Path, realms: dict[str, Realm], why: str
) -> None:
    """And says so; a host's commands are refused."""
    watch.set_hosts([host("h", write_node(tmp_path / "node.xml"))], realms)
    assert watch.snapshots()[0].connection is Connection.OFF
    assert watch.snapshots()[0].error == why
    refusal = watch.submit("h", lambda connection: connection.host).exception(LONG)
    assert isinstance(refusal, HostUnreachable)
    assert why in str(refusal)
    assert not lanes()


def test_commands_for_a_host_that_is_not_watched_are_refused(watch: FleetWatch) -> None:
    """By the future, like every other failure."""
    assert isinstance(watch.submit("nobody", lambda connection: connection.host).exception(LONG), UnknownHost)


def test_a_command_without_a_connection_gets_the_reason(watch: FleetWatch) -> None:
    """It causes an attempt at once, and has its outcome with it."""
    watch.set_hosts([host("h", f"qemu+tcp://127.0.0.1:{refused_port()}/system")], REALMS)
    only(watch, unreachable)
    for _ in range(5):  # the fifth would wait for many seconds if the pauses between attempts counted
        error = watch.submit("h", lambda connection: connection.host).exception(LONG)
        assert isinstance(error, HostUnreachable)
        assert "connection refused" in str(error)


def test_a_host_that_appears_is_connected_to(watch: FleetWatch, tmp_path: Path) -> None:
    """Nobody has to ask for it."""
    path = tmp_path / "later.xml"
    watch.set_hosts([host("h", f"test://{path}")], REALMS)
    assert "no such file or directory" in only(watch, unreachable).error
    write_node(tmp_path / "now.xml").removeprefix("test://")
    (tmp_path / "now.xml").rename(path)
    assert only(watch, connected).error == ""


def test_a_uri_that_runs_a_program_is_never_opened(watch: FleetWatch, tmp_path: Path) -> None:
    """Also where the registry was edited by hand."""
    proof = tmp_path / "proof"
    watch.set_hosts([host("h", f"qemu+ssh://localhost/system?command={proof}")], REALMS)
    assert "runs an arbitrary program" in only(watch, unreachable).error
    assert not proof.exists()


def test_a_bug_in_a_command_reaches_its_submitter_and_not_the_lane(watch: FleetWatch, tmp_path: Path) -> None:
    """The host goes on being watched."""
    watch.set_hosts([host("h", write_node(tmp_path / "node.xml"))], REALMS)
    outcome = watch.submit("h", lambda connection: connection.host / 2)  # type: ignore[operator] -- the bug
    assert isinstance(outcome.exception(LONG), TypeError)
    assert watch.submit("h", lambda connection: connection.host).result(LONG) == "h"


def test_a_cancelled_command_is_not_carried_out(watch: FleetWatch, tmp_path: Path) -> None:
    """It stood behind another."""
    watch.set_hosts([host("h", write_node(tmp_path / "node.xml"))], REALMS)
    gate, done = threading.Event(), []
    first = watch.submit("h", lambda _: gate.wait(LONG))
    second = watch.submit("h", lambda _: done.append("second"))
    assert second.cancel()
    gate.set()
    first.result(LONG)
    assert watch.submit("h", lambda _: list(done)).result(LONG) == []


def test_a_command_is_carried_out_although_looking_addresses_up_always_lasts(
    watch: FleetWatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guests' agents that hang keep the host silent for a while after each poll, and nobody waits for them for ever."""
    done = threading.Event()

    def hang(_: AddressBook, __: object, ___: float, go_on: Callable[[], bool]) -> bool:
        go_on()
        if not done.is_set():
            watch.wait(lambda fleet: unreachable(fleet.hosts[0]), LONG)
        return False

    monkeypatch.setattr(AddressBook, "refresh", hang)
    watch.set_hosts([host("h", write_node(tmp_path / "node.xml", [Guest(name="web")]))], REALMS)
    only(watch, unreachable)
    try:
        assert watch.submit("h", lambda connection: connection.host).result(LONG) == "h"
    finally:
        done.set()
    only(watch, connected)


def test_disabling_a_host_during_a_command_doesnt_wait(watch: FleetWatch, tmp_path: Path) -> None:
    """The command's outcome is unknown then, and those behind it never run."""
    described = host("h", write_node(tmp_path / "node.xml"))
    watch.set_hosts([described], REALMS)
    gate, running, behind = threading.Event(), threading.Event(), []

    def hang(_: HostConnection) -> None:
        running.set()
        gate.wait(LONG)

    stuck = watch.submit("h", hang)
    queued = watch.submit("h", lambda _: behind.append(1))
    assert running.wait(LONG)
    watch.set_hosts([replace(described, state=HostState.DISABLED)], REALMS)
    assert watch.snapshots()[0].connection is Connection.OFF
    assert isinstance(stuck.exception(LONG), HostUnreachable)
    assert isinstance(queued.exception(LONG), HostUnreachable)
    gate.set()
    for lane in lanes():
        lane.join(LONG)
    assert behind == []


def test_a_hung_host_is_given_up_and_comes_back(watch: FleetWatch) -> None:
    """With one thread left behind at most, however often it is tried."""
    with silent_host() as silent:
        watch.set_hosts([host("h", silent.uri)], REALMS)
        lost = only(watch, unreachable)
        assert "no answer within 1 s" in lost.error
        assert silent.wait_for_talkers(2, LONG)
        assert len(lanes()) == 2
        watch.set_hosts([], REALMS)
        watch.set_hosts([host("h", silent.uri)], REALMS)
        assert len(lanes()) == 2
        silent.hang_up()
        assert silent.wait_for_talkers(1, LONG)
    only(watch, lambda each: "connection refused" in each.error)


def test_hung_hosts_never_hold_up_the_others(watch: FleetWatch, tmp_path: Path) -> None:
    """Nor setting, reading, commands or closing."""
    with silent_host() as silent:
        hung = [host(f"hung{number}", silent.uri) for number in range(20)]
        good = host("good", write_node(tmp_path / "node.xml", [Guest(name="vm")]))
        started = time.monotonic()
        watch.set_hosts([*hung, good], REALMS)
        assert time.monotonic() - started < 1.0
        until(watch, lambda fleet: connected(fleet.hosts[20]))
        assert silent.wait_for_talkers(20, LONG)
        assert watch.submit("good", lambda connection: connection.host).result(LONG) == "good"
        disabled = [replace(each, state=HostState.DISABLED) for each in hung]
        started = time.monotonic()
        watch.set_hosts([*disabled, good], REALMS)
        assert {snapshot.connection for snapshot in watch.snapshots()[:20]} == {Connection.OFF}
        watch.close(0.5)
        assert time.monotonic() - started < 3.0


PROGRAM = """
import sys, time
from core.clock import SystemClock
from core.driver.lanes.watch import FleetWatch
from core.hosts import Host
from core.realms import Realm
hosts = [Host(name=f"h{n}", realm="r", uri=sys.argv[1], profile="p") for n in range(50)]
watch = FleetWatch(SystemClock())
watch.set_hosts(hosts, {"r": Realm(id="r", name="R")})
sys.stdin.readline()
before = time.monotonic()
watch.close()
print(time.monotonic() - before, flush=True)
"""


def test_fifty_hung_hosts_dont_delay_the_end() -> None:
    """Neither closing nor the interpreter waits for threads that never return."""
    with silent_host() as silent:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, silent.uri], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert silent.wait_for_talkers(50, LONG)
        asked = time.monotonic()
        answer, errors = process.communicate("\n", timeout=LONG)
        assert time.monotonic() - asked < 5.0
    assert (process.returncode, errors) == (0, "")
    assert float(answer) < 1.0


def test_opening_and_closing_leaves_nothing_behind(tmp_path: Path) -> None:
    """Threads, file descriptors and libvirt's own connections."""
    uri = write_node(tmp_path / "node.xml", [Guest(name="vm", network="default")], pools=["ticrypt-vm"])
    described = [host("a", uri), host("b", f"qemu+tcp://127.0.0.1:{refused_port()}/system")]

    def round_trip() -> None:
        watch = FleetWatch(SystemClock())
        for _ in range(3):
            watch.set_hosts(described, REALMS)
            watch.wait(lambda fleet: connected(fleet.hosts[0]) and unreachable(fleet.hosts[1]), LONG)
            watch.set_hosts([], REALMS)
        watch.close(LONG)

    round_trip()  # libvirt's event loop and its pipes come with the first
    threads, descriptors = settled()
    for _ in range(15):
        round_trip()
    assert settled(threads, descriptors) == (threads, descriptors)


def settled(threads: int = 0, descriptors: int = 0) -> tuple[int, int]:
    """Count threads and descriptors, once those that are ending have ended."""
    until = time.monotonic() + LONG
    while True:
        for thread in threading.enumerate():
            if thread.name.startswith(("lane ", "alarms")):
                thread.join(LONG)
        gc.collect()
        now = threading.active_count(), len(os.listdir("/proc/self/fd"))
        if not threads or now <= (threads, descriptors) or time.monotonic() > until:
            return now


def test_nothing_ever_appears_on_the_screen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Libvirt and the XML library below it print errors to standard error unless they are kept from it."""
    (tmp_path / "damaged.xml").write_text("<node><memory>")
    (tmp_path / "wrong.xml").write_text("<node><domain type='test'><name>x</name></domain></node>")
    uris = ["test:///nowhere.xml", f"test://{tmp_path}", f"test://{tmp_path}/damaged.xml", f"test://{tmp_path}/wrong.xml",
            f"qemu+tcp://127.0.0.1:{refused_port()}/system", f"qemu+ssh://127.0.0.1:{refused_port()}/system",
            "qemu+unix:///system?socket=/nowhere"]  # fmt: skip
    watch = FleetWatch(SystemClock())
    watch.set_hosts([host(f"h{number}", uri) for number, uri in enumerate(uris)], REALMS)
    fleet = watch.wait(lambda fleet: all(unreachable(each) for each in fleet.hosts), LONG)
    watch.close(LONG)
    assert all(each.error for each in fleet.hosts)
    assert capfd.readouterr() == ("", "")
