"""VMs on their way between real hosts: live and off, to the best host, called off, and with a side dying midway."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.driver.migration import MigrationMode
from core.errors import Cancelled, RealmsError
from core.fleet import Connection
from core.operations.journal import Journal
from core.operations.migrate import MigrationCancelled, MigrationFailed, migrate
from core.operations.migration_plan import Departure, MigrationPlan, MigrationRefused, plan_migration
from core.operations.migration_wish import MigrationWish
from core.operations.recover import Plan, recover, survey
from core.operations.selection import find_vm
from core.operations.tasks import Progress
from core.operations.whereabouts import Place
from core.operations.workplace import Workplace
from core.registry.hosts import HostRegistry

from .guests import Boot
from .host import greeting
from .realm import hosts_of, write_configuration
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.operations.migrate import Migrated
    from core.operations.tasks import Control, Task

    from .host import LabHost
    from .lab import Lab

PATIENCE = 60.0
SLOWLY = 2
"""MiB/s: a guest that has written 60 MiB is half a minute on its way."""


@dataclass(frozen=True, slots=True)
class Place3:
    """A workplace over the lab, and what a test does with it."""

    workplace: Workplace

    def plan(self, wanted: str, **wish: object) -> MigrationPlan:
        """Check a migration, as a task does."""
        wished = MigrationWish(**{"foreign": True, **wish})  # type: ignore[arg-type]

        def check(control: Control) -> MigrationPlan:
            return plan_migration(control, self.workplace, self.departure(wanted), wished)

        return self.workplace.tasks.run("check", wanted, check).outcome.result(PATIENCE)

    def departure(self, wanted: str) -> Departure:
        """Find a VM as soon as the watch shows it on one host alone."""

        def found() -> Departure | None:
            fleet = self.workplace.fleet()
            try:
                snapshot, vm = find_vm(fleet, wanted)
            except RealmsError:
                return None
            return Departure(fleet, snapshot, vm) if snapshot.connection is Connection.CONNECTED else None

        return eventually(found, f"{wanted} on one host")

    def start(self, wanted: str, **wish: object) -> Task[Migrated]:
        """Check, and begin to move."""
        plan = self.plan(wanted, **wish)
        return self.workplace.tasks.run("migrate", wanted, lambda control: migrate(control, self.workplace, plan))

    def move(self, wanted: str, **wish: object) -> Migrated:
        """Check and move."""
        return self.start(wanted, **wish).outcome.result(PATIENCE)

    def reservations(self) -> list[tuple[str, str]]:
        """Give host and VM of what someone holds room for."""
        registry = self.workplace.check_can_change()
        return [(each.host, each.vm) for each in registry.reservations() if each.owner]

    def journal(self) -> list[str]:
        """Name the operations that are under way or left behind."""
        registry = self.workplace.check_can_change()
        return [record.operation for record in Journal(registry.path, self.workplace.clock).records()]


@pytest.fixture
def place(lab: Lab, tmp_path: Path) -> Iterator[Place3]:
    """Give a workplace over the three hosts, polled twice a second."""
    configuration = load(write_configuration(tmp_path))
    realm = replace(configuration.realms["lab"], poll_frequency=0.5)
    configuration = replace(configuration, realms={"lab": realm})
    registry = HostRegistry(tmp_path / "registry.json")
    for host in hosts_of(lab):
        registry.add(host, configuration)
    workplace = Workplace(configuration, registry=registry)
    workplace.settled_fleet(PATIENCE)
    yield Place3(workplace)
    workplace.close()


def guest(host: LabHost, name: str = "mover", *, network: str | None = "lab", boot: Boot = Boot.KERNEL) -> str:
    """Start a guest that has booted, and give its UUID."""
    uuid = host.define_guest(name, network=network, boot=boot)
    host.start_guest(name)
    if boot is Boot.KERNEL and network is not None:
        host.guest_address(name)
    return uuid


def copies(lab: Lab, uuid: str) -> dict[str, str]:
    """Give the state of a domain on every host that knows it, except those that can't be asked."""
    found = {}
    for host in lab.hosts:
        if host.is_on:
            state = host.virsh("domstate", uuid, check=False).strip()
            if state:
                found[host.name] = state
    return found


def under_way(task: Task[Migrated]) -> None:
    """Wait until bytes of the guest have been sent."""
    eventually(lambda: any(step.total and step.done > 1_000_000 for step in task.view.steps), "bytes on their way")


def qemu_of(host: LabHost, name: str) -> None:
    """Kill a guest's QEMU on a host, as the machine's out-of-memory killer does."""
    host.run("sh", "-c", f"kill -KILL $(cat /run/libvirt/qemu/{name}.pid)")


# Where all goes well


@pytest.mark.parametrize("mode", list(MigrationMode))
def test_a_running_vm_moves_and_answers_where_it_answered(place: Place3, lab: Lab, mode: MigrationMode) -> None:
    """Driven by this program, by the source, or through libvirt's own connection; its host forgets it."""
    first, second, _ = lab.hosts
    uuid = guest(first)
    address = first.guest_address("mover")
    first.virsh("autostart", "mover")
    moved = place.move("mover", to="h2", mode=mode)
    assert moved.whereabouts.place is Place.TARGET
    assert copies(lab, uuid) == {"h2": "running"}
    assert "Autostart:      enable" in second.virsh("dominfo", "mover")
    assert "Persistent:     yes" in second.virsh("dominfo", "mover")
    eventually(lambda: greeting(address, 22) == "SSH-2.0-lab", "the guest at its address")
    assert place.reservations() == []
    assert place.journal() == []


def test_without_a_host_it_goes_to_the_best_other_one_and_says_why(place: Place3, lab: Lab) -> None:
    """A host that others use costs more; the VM's own host is no candidate, though it would cost least."""
    first, second, _ = lab.hosts
    second.define_guest("weight", vcpus=4, memory_mib=32, boot=Boot.NOTHING, network=None)
    second.start_guest("weight", paused=True)
    guest(first, network=None)
    eventually(lambda: len([vm for vm in place.workplace.fleet().vms() if vm.active]) == 2, "both guests seen")
    plan = place.plan("mover")
    assert (plan.target.name, plan.ok, plan.live) == ("h3", True, True)
    assert [verdict.host for verdict in plan.verdicts] == ["h3", "h2"]
    assert place.move("mover").whereabouts.message == "mover is running on h3; h1 doesn't run it any more"


def test_a_paused_vm_stays_paused(place: Place3, lab: Lab) -> None:
    """Nobody resumes it but its administrator."""
    uuid = guest(lab.hosts[0], network=None)
    lab.hosts[0].virsh("suspend", "mover")
    place.departure("mover")
    place.move("mover", to="h3")
    assert copies(lab, uuid) == {"h3": "paused"}


def test_a_vm_that_is_off_moves_by_its_definition(place: Place3, lab: Lab) -> None:
    """With its autostart; an offline wish for one that runs is refused with what helps."""
    first, second, _ = lab.hosts
    uuid = guest(first, network=None)
    first.virsh("autostart", "mover")
    with pytest.raises(MigrationRefused, match="only a VM that is off moves offline"):
        place.move("mover", to="h2", offline=True)
    first.stop_guest("mover")
    eventually(lambda: not place.departure("mover").vm.active, "the guest seen off")
    moved = place.move("mover", to="h2", offline=True)
    assert moved.whereabouts.place is Place.OFF_AT_TARGET
    assert copies(lab, uuid) == {"h2": "shut off"}
    assert "Autostart:      enable" in second.virsh("dominfo", "mover")
    second.start_guest("mover")


def test_devices_are_placed_again_offline_and_stop_a_live_migration(place: Place3, lab: Lab) -> None:
    """By their type: the target's first device of it that nobody has."""
    first, second, _ = lab.hosts
    uuid = first.define_guest("gpu", boot=Boot.NOTHING, network=None, hostdevs=("0000:42:00.0",))
    place.move("gpu", to="h2")
    assert copies(lab, uuid) == {"h2": "shut off"}
    assert "bus='0x41'" in second.virsh("dumpxml", "gpu")


def test_a_disk_on_proven_shared_storage_goes_along_without_unsafe(place: Place3, lab: Lab) -> None:
    """Libvirt would refuse it; the proof leaves nothing behind."""
    uuid = guest(lab.hosts[0], network=None, boot=Boot.BRICK)
    plan = place.plan("mover", to="h2")
    assert plan.ok
    assert plan.unsafe
    assert not plan.wish.unsafe
    place.move("mover", to="h2")
    assert copies(lab, uuid) == {"h2": "running"}
    assert "realms-proof" not in lab.hosts[0].run("sh", "-c", f"ls {lab.shared}/*")


def test_a_disk_that_the_target_does_not_see_is_in_the_way_and_can_be_copied(place: Place3, lab: Lab) -> None:
    """A host that has lost its mount has the same folders, and none of the data."""
    first, second, _ = lab.hosts
    uuid = guest(first, network=None, boot=Boot.BRICK)
    second.lose_storage()
    second.run("mount", "-o", "remount,size=256m", str(lab.shared))
    try:
        plan = place.plan("mover", to="h2")
        (blocker,) = plan.blockers
        assert (blocker.check, blocker.overridden_by) == ("disks", "--copy-storage")
        assert "is not seen in pool" in blocker.what
        place.move("mover", to="h2", copy_storage=True)
        assert copies(lab, uuid) == {"h2": "running"}
        assert "mover.qcow2" in second.run("ls", f"{lab.shared}/vm")
    finally:
        second.virsh("destroy", "mover", check=False)
        second.virsh("undefine", "mover", check=False)
        second.regain_storage()
        second.virsh("pool-refresh", "ticrypt-vm")


CERTIFY = """
set -e
cd /etc/libvirt && mkdir -p pki && cd pki
cp {authority}/ca-cert.pem .
openssl req -newkey rsa:2048 -nodes -keyout server-key.pem -out request.pem -subj /CN={name} 2> /dev/null
printf '%s\\n' subjectAltName=IP:{address} keyUsage=digitalSignature,keyEncipherment \\
  extendedKeyUsage=serverAuth,clientAuth > ext
openssl x509 -req -in request.pem -CA ca-cert.pem -CAkey {authority}/ca-key.pem -CAcreateserial -days 2 -extfile ext \
  -out server-cert.pem 2> /dev/null
cp server-cert.pem client-cert.pem; cp server-key.pem client-key.pem
echo 'migrate_tls_x509_cert_dir = "/etc/libvirt/pki"' >> /etc/libvirt/qemu.conf
"""


@pytest.fixture
def certified(lab: Lab) -> Iterator[Lab]:
    """Give the hosts' QEMU certificates for migration, from an authority of their own; taken away afterwards."""
    authority = lab.shared / "authority"
    first = lab.hosts[0]
    first.run("mkdir", "-p", str(authority))
    first.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab authority",
        "-keyout", f"{authority}/ca-key.pem", "-out", f"{authority}/ca-cert.pem",
    )  # fmt: skip
    plain = {host.name: host.run("cat", "/etc/libvirt/qemu.conf") for host in lab.hosts}
    for host in lab.hosts:
        host.run("sh", "-c", CERTIFY.format(authority=authority, name=host.name, address=host.address))
        host.crash_libvirtd()
        host.start_libvirtd()
    yield lab
    for host in lab.hosts:
        host.run("sh", "-c", "cat > /etc/libvirt/qemu.conf; rm -rf /etc/libvirt/pki", stdin=plain[host.name])
        host.crash_libvirtd()
        host.start_libvirtd()
    first.run("rm", "-rf", str(authority))


@pytest.mark.parametrize("mode", [MigrationMode.CLIENT, MigrationMode.P2P])
def test_memory_is_encrypted_where_that_is_asked_for(certified: Lab, place: Place3, mode: MigrationMode) -> None:
    """QEMU talks TLS with the hosts' certificates; the check no longer warns."""
    uuid = guest(certified.hosts[0], network=None)
    plan = place.plan("mover", to="h2", tls=True, mode=mode)
    assert "encryption" not in {obstacle.check for obstacle in plan.warnings}
    place.move("mover", to="h2", tls=True, mode=mode)
    assert copies(certified, uuid) == {"h2": "running"}


def test_without_certificates_an_encrypted_migration_fails_and_changes_nothing(place: Place3, lab: Lab) -> None:
    """It never goes on in plain text."""
    uuid = guest(lab.hosts[0], network=None)
    with pytest.raises(MigrationFailed, match="mover is running on h1; h2 doesn't have it"):
        place.move("mover", to="h2", tls=True)
    assert copies(lab, uuid) == {"h1": "running"}


# What stands in the way


def test_the_check_lists_networks_names_and_definitions(place: Place3, lab: Lab) -> None:
    """Each with what mends it; a NAT network and a stream in plain text are warnings."""
    first, second, _ = lab.hosts
    guest(first, network="default")
    second.define_guest("mover", boot=Boot.NOTHING, network=None)
    second.virsh("net-destroy", "default")
    try:
        plan = place.plan("h1/mover", to="h2")
        assert {obstacle.check for obstacle in plan.blockers} == {"name", "network"}
    finally:
        second.virsh("net-start", "default")
    second.virsh("undefine", "mover")
    plan = place.plan("mover", to="h2")
    assert plan.ok
    assert {obstacle.check for obstacle in plan.warnings} >= {"network", "encryption", "foreign"}


def test_a_snapshot_of_libvirts_stands_in_the_way(place: Place3, lab: Lab) -> None:
    """It would refuse in the midst of it."""
    guest(lab.hosts[0], network=None, boot=Boot.BRICK)
    lab.hosts[0].virsh("snapshot-create-as", "mover", "before")
    assert [obstacle.check for obstacle in place.plan("mover", to="h2").blockers] == ["snapshots"]


def test_a_host_that_refuses_is_taken_by_force_only(place: Place3, lab: Lab) -> None:
    """Placement's own words are told; a disabled host can't be forced."""
    from core.hosts import HostState

    uuid = guest(lab.hosts[0], network=None)
    place.workplace.set_state("h2", HostState.NO_SCHEDULING)
    with pytest.raises(MigrationRefused, match="No Scheduling"):
        place.move("mover", to="h2")
    place.workplace.set_state("h3", HostState.DISABLED)
    with pytest.raises(MigrationRefused, match="disabled"):
        place.move("mover", to="h3", force=True)
    assert copies(lab, uuid) == {"h1": "running"}
    place.move("mover", to="h2", force=True)
    assert copies(lab, uuid) == {"h2": "running"}


def test_two_that_move_one_vm_at_once_are_one_too_many(place: Place3, lab: Lab) -> None:
    """The first has its UUID reserved; the other is told who."""
    uuid = guest(lab.hosts[0], network=None)
    first_plan, second_plan = place.plan("mover", to="h2", bandwidth=SLOWLY * 5), place.plan("mover", to="h3")
    tasks = place.workplace.tasks
    first = tasks.run("migrate", "mover", lambda control: migrate(control, place.workplace, first_plan))
    eventually(place.reservations, "the reservation")
    second = tasks.run("migrate", "mover", lambda control: migrate(control, place.workplace, second_plan))
    with pytest.raises(RealmsError, match="is being placed on h2"):
        second.outcome.result(PATIENCE)
    first.outcome.result(PATIENCE)
    assert copies(lab, uuid) == {"h2": "running"}


# Called off


def test_a_cancelled_migration_leaves_the_vm_where_it_was(place: Place3, lab: Lab) -> None:
    """Running, with its room on the target given back and nothing left there."""
    uuid = guest(lab.hosts[0], network=None)
    task = place.start("mover", to="h2", bandwidth=SLOWLY)
    under_way(task)
    task.cancel()
    with pytest.raises(MigrationCancelled, match="is running on h1; h2 doesn't have it"):
        task.outcome.result(PATIENCE)
    assert issubclass(MigrationCancelled, Cancelled)
    assert task.view.progress is Progress.CANCELLED
    assert copies(lab, uuid) == {"h1": "running"}
    assert place.reservations() == []
    assert place.journal() == []
    place.move("mover", to="h2")


def test_a_migration_past_its_time_is_called_off(place: Place3, lab: Lab) -> None:
    """It says so, and what might help."""
    uuid = guest(lab.hosts[0], network=None)
    with pytest.raises(MigrationFailed, match="did not end within 5 s; mover is running on h1") as caught:
        place.move("mover", to="h2", bandwidth=SLOWLY, timeout=5.0)
    assert caught.value.hint
    assert copies(lab, uuid) == {"h1": "running"}


def test_a_killed_program_takes_nothing_along(place: Place3, lab: Lab, tmp_path: Path) -> None:
    """Libvirt calls the migration off; the journal and the reservation tell what was under way."""
    uuid = guest(lab.hosts[0], network=None)
    command = [sys.executable, "-m", "tui", "vms", "migrate", "mover", "--to", "h2", "--foreign", "--yes",
               "--bandwidth", str(SLOWLY)]  # fmt: skip
    files = {"REALMS_CONFIG": str(tmp_path / "ticrypt-vm.conf"), "REALMS_REGISTRY": str(tmp_path / "registry.json")}
    with subprocess.Popen(command, env=os.environ | files, stderr=subprocess.DEVNULL) as program:
        eventually(lambda: "paused" in copies(lab, uuid).values(), "its copy on h2")
        program.kill()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source", 60.0)
    assert place.reservations() == [("h2", "mover")]
    assert place.journal() == ["migrate"]
    place.move("mover", to="h3")
    assert copies(lab, uuid) == {"h3": "running"}
    assert (place.reservations(), place.journal()) == ([], [])


def test_what_a_program_killed_between_two_definitions_left_is_recovered(place: Place3, lab: Lab) -> None:
    """A VM that is off, defined on both sides: the source keeps it."""
    first, second, _ = lab.hosts
    uuid = first.define_guest("mover", boot=Boot.NOTHING, network=None)
    second.run("virsh", "define", "/dev/stdin", stdin=first.virsh("dumpxml", "mover"))
    registry = place.workplace.check_can_change()
    entry = Journal(registry.path, place.workplace.clock).begin(
        "migrate", vm="mover", uuid=uuid, realm="lab", host="h1", target="h2", state="off"
    )
    entry.leave()
    (left,) = survey(place.workplace)
    assert left.plan is Plan.COMPLETE
    assert "defined on both h1 and h2" in left.message
    task = place.workplace.tasks.run("recover", "mover", lambda control: recover(place.workplace, control, left))
    task.outcome.result(PATIENCE)
    assert copies(lab, uuid) == {"h1": "shut off"}
    assert place.journal() == []


# A side dies midway


@pytest.fixture
def leaving(place: Place3, lab: Lab) -> tuple[Task[Migrated], str]:
    """Give a migration from h1 to h2 with bytes on their way, and the UUID."""
    uuid = guest(lab.hosts[0], network=None)
    task = place.start("mover", to="h2", bandwidth=SLOWLY)
    under_way(task)
    return task, uuid


def failure(task: Task[Migrated]) -> MigrationFailed:
    """Give the failure that a migration ends with."""
    with pytest.raises(MigrationFailed) as caught:
        task.outcome.result(3 * PATIENCE)
    return caught.value


def test_the_targets_qemu_dies(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The VM goes on at its host."""
    task, uuid = leaving
    qemu_of(lab.hosts[1], "mover")
    error = failure(task)
    assert error.whereabouts.place is Place.SOURCE
    assert "mover is running on h1" in error.message
    assert copies(lab, uuid) == {"h1": "running"}


def test_the_targets_libvirtd_dies(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The target can't be asked: nobody claims to know; when it is back, there is one copy, at the source."""
    task, uuid = leaving
    lab.hosts[1].crash_libvirtd()
    error = failure(task)
    assert error.whereabouts.place is Place.UNKNOWN
    assert "h2 can't be asked" in error.message
    assert "on h1 it is running" in error.message
    assert "don't start it anywhere before h2" in error.hint
    assert place.journal() == ["migrate"]
    lab.hosts[1].start_libvirtd()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source")


def test_the_targets_libvirtd_is_back_at_once(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """As a service that its machine starts again: it can be asked, and the VM is known to run at the source."""
    task, uuid = leaving
    lab.hosts[1].crash_libvirtd()
    lab.hosts[1].start_libvirtd()
    assert failure(task).whereabouts.place is Place.SOURCE
    assert copies(lab, uuid) == {"h1": "running"}


def test_the_sources_qemu_dies(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """What it ran is lost; it is off, where it was, and can be started."""
    task, uuid = leaving
    qemu_of(lab.hosts[0], "mover")
    error = failure(task)
    assert error.whereabouts.place is Place.OFF_AT_SOURCE
    assert "mover is off, and defined on h1 alone" in error.message
    assert error.hint == "realms vms start h1/mover"
    assert copies(lab, uuid) == {"h1": "shut off"}


def test_the_sources_libvirtd_dies_and_comes_back(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The guest never noticed."""
    task, uuid = leaving
    lab.hosts[0].crash_libvirtd()
    lab.hosts[0].start_libvirtd()
    error = failure(task)
    assert error.whereabouts.place is Place.SOURCE
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source")


def test_the_target_is_cut_off(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """Nobody knows what it has; when it is back, it has nothing, and the VM runs at its host."""
    task, uuid = leaving
    lab.hosts[1].cut()
    error = failure(task)
    assert error.whereabouts.place is Place.UNKNOWN
    assert "on h1 it is running" in error.message
    lab.hosts[1].join()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source", 90.0)


def test_the_source_is_cut_off(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The target has nothing of it, so it is where nobody can ask; when that is back, it runs there."""
    task, uuid = leaving
    lab.hosts[0].cut()
    error = failure(task)
    assert error.whereabouts.place is Place.UNKNOWN
    assert "h1 can't be asked" in error.message
    assert "h2 doesn't have it" in error.message
    assert "start" in error.hint
    lab.hosts[0].join()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source", 90.0)


def test_the_source_loses_its_power(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """Nothing runs anywhere; its definition is there when the host is."""
    task, uuid = leaving
    lab.hosts[0].power_cut()
    error = failure(task)
    assert error.whereabouts.place is Place.UNKNOWN
    lab.hosts[0].power_on()
    lab.hosts[0].wait_until_ready()
    eventually(lambda: copies(lab, uuid) == {"h1": "shut off"}, "the definition at the source alone")


def test_the_target_loses_its_power(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The VM goes on at its host."""
    task, uuid = leaving
    lab.hosts[1].power_cut()
    error = failure(task)
    assert error.whereabouts.place is Place.UNKNOWN
    assert copies(lab, uuid) == {"h1": "running"}
    lab.hosts[1].power_on()
    lab.hosts[1].wait_until_ready()
    assert copies(lab, uuid) == {"h1": "running"}


@pytest.mark.parametrize("mode", [MigrationMode.CLIENT, MigrationMode.P2P])
def test_a_target_that_hangs_at_the_handover_never_makes_two(place: Place3, lab: Lab, mode: MigrationMode) -> None:
    """It may start the VM as soon as it wakes, so the source keeps it paused; awake, the target has it, alone."""
    first, second, _ = lab.hosts
    uuid = guest(first, network=None)
    task = place.start("mover", to="h2", bandwidth=10, mode=mode)
    eventually(lambda: any(step.done > 20_000_000 for step in task.view.steps), "a third of it")
    second.hang()
    try:
        error = failure(task)
        assert error.whereabouts.place is Place.UNKNOWN
        assert "on h1 it is paused, h2 can't be asked" in error.message
        assert "h2 may run it" in error.hint
        assert first.guest_state("mover") == "paused"
    finally:
        second.wake()
    left = eventually(
        lambda: next((each for each in survey(place.workplace) if each.plan is Plan.COMPLETE), None),
        "both sides settled",
    )
    recovery = place.workplace.tasks.run("recover", "mover", lambda control: recover(place.workplace, control, left))
    recovery.outcome.result(PATIENCE)
    assert list(copies(lab, uuid).values()) == ["running"]
