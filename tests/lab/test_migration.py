"""VMs on their way between real hosts: live and off, to the best host, and what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.driver.migration.migration import MigrationMode
from core.errors import RealmsError
from core.operations.migration.location import LocationState
from core.operations.migration.migrate import migrate
from core.operations.migration.outcome import MigrationFailed
from core.operations.migration.plan import MigrationRefused

from .parts.guests import Boot
from .parts.host import greeting
from .parts.migrations import PATIENCE, SLOWLY, Place3, copies, guest
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts.lab import Lab


@pytest.mark.parametrize("mode", list(MigrationMode))
def test_a_running_vm_moves_and_answers_where_it_answered(place: Place3, lab: Lab, mode: MigrationMode) -> None:
    """Driven by this program, by the source, or through libvirt's own connection; its host forgets it."""
    first, second, _ = lab.hosts
    uuid = guest(first)
    address = first.guest_address("mover")
    first.virsh("autostart", "mover")
    moved = place.move("mover", to="h2", mode=mode)
    assert moved.whereabouts.place is LocationState.TARGET
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
    eventually(lambda: len([vm for vm in place.session.fleet().vms() if vm.active]) == 2, "both guests seen")
    plan = place.plan("mover")
    assert (plan.target.name, plan.ok, plan.live) == ("h3", True, True)
    assert [verdict.host for verdict in plan.verdicts] == ["h3", "h2"]
    assert place.move("mover").whereabouts.message == "mover is running on h3; h1 no longer runs it"


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
    with pytest.raises(MigrationRefused, match="offline migration needs a VM that is off"):
        place.move("mover", to="h2", offline=True)
    first.stop_guest("mover")
    eventually(lambda: not place.departure("mover").vm.active, "the guest seen off")
    moved = place.move("mover", to="h2", offline=True)
    assert moved.whereabouts.place is LocationState.OFF_AT_TARGET
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
    """Return the hosts' QEMU certificates for migration, from an authority of their own; taken away afterwards."""
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
    place.session.set_state("h2", HostState.NO_SCHEDULING)
    with pytest.raises(MigrationRefused, match="No Scheduling"):
        place.move("mover", to="h2")
    place.session.set_state("h3", HostState.DISABLED)
    with pytest.raises(MigrationRefused, match="disabled"):
        place.move("mover", to="h3", force=True)
    assert copies(lab, uuid) == {"h1": "running"}
    place.move("mover", to="h2", force=True)
    assert copies(lab, uuid) == {"h2": "running"}


def test_two_that_move_one_vm_at_once_are_one_too_many(place: Place3, lab: Lab) -> None:
    """The first has its UUID reserved; the other is told who."""
    uuid = guest(lab.hosts[0], network=None)
    first_plan, second_plan = place.plan("mover", to="h2", bandwidth=SLOWLY * 5), place.plan("mover", to="h3")
    tasks = place.session.tasks
    first = tasks.run("migrate", "mover", lambda control: migrate(control, place.session, first_plan))
    eventually(place.reservations, "the reservation")
    second = tasks.run("migrate", "mover", lambda control: migrate(control, place.session, second_plan))
    with pytest.raises(RealmsError, match="is being placed on h2"):
        second.outcome.result(PATIENCE)
    first.outcome.result(PATIENCE)
    assert copies(lab, uuid) == {"h2": "running"}
