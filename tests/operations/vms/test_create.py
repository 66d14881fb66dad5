"""VMs created on hosts of the test driver: all of it, or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from core.codes import Why
from core.driver.storage.volumes import NewVolume, create_volume
from core.errors import Cancelled, DriverError, RealmsError, ReservationRefused, UsageError
from core.hosts import HostState
from core.operations.scheduling.reserve import NoRoom
from core.operations.storage.policy import VolumeInUse, VolumeUseUnknown
from core.operations.tasks.task import Progress
from core.operations.vms.create import NameTaken, create_vm
from core.operations.vms.guest_registration import NotRegistered, RegisteredBy
from core.operations.vms.spec import ExistingDrive, NewDrive
from tests.driver.worlds import Guest, guest_xml
from tests.operations.vms.sabotage import Saboteur
from tests.operations.vms.world import GIB, GPUS, MIB, create, order, world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.operations.tasks.task import Control
    from tests.operations.vms.world import World


def assert_nothing_is_left(realm: World, *, domains: tuple[str, ...] = ()) -> None:
    """No domain, no volume, no reservation, no journal."""
    for host in ("h1", "h2"):
        assert set(realm.domains(host)) <= set(domains)
        assert realm.volumes(host) == set()
    assert realm.registry.reservations() == ()
    assert realm.registry.abandoned() == ()
    assert realm.journal() == []


def test_a_vm_is_placed_made_started_and_registered(realm: World) -> None:
    """With its boot volume, its drives, its device and its mark, on the cheaper host; what was reserved is settled."""
    created = create(realm, devices={"gpu": 1}, drives=(NewDrive(16 * MIB),), network_filter="clean-traffic")
    assert created.placement.host == "h1"
    assert created.registered is not None
    assert created.registered.by is RegisteredBy.TCP
    domain = ET.fromstring(realm.domains("h1")["web"])  # noqa: S314 - libvirt's own
    disks = domain.findall("devices/disk")
    paths = [disk.find("source").get("file") for disk in disks]
    assert paths == [f"/pools/ticrypt-vm/{created.boot_volume}", f"/pools/ticrypt-vm-drives/{created.drives[0]}"]
    assert [disk.find("driver").get("cache") for disk in disks] == [None, "writeback"]
    assert domain.find("devices/interface/source").get("network") == "default"
    assert domain.find("devices/interface/filterref").get("filter") == "clean-traffic"
    address = domain.find("devices/hostdev/source/address")
    assert [address.get(part) for part in ("domain", "bus", "slot", "function")] == ["0x0000", "0x41", "0x00", "0x0"]
    (mark,) = domain.find("metadata")
    assert (mark.get("realm"), mark.get("brick"), mark.get("pending")) == ("main", "debian.qcow2", None)
    assert [(each.get("type"), each.get("address")) for each in mark] == [("gpu", GPUS[0])]
    (reservation,) = realm.registry.reservations()
    assert (reservation.uuid, reservation.owner) == (created.uuid, "")
    assert realm.journal() == []
    vm = next(vm for vm in realm.session.fleet().vms() if vm.name == "web")
    assert (vm.active, vm.managed, vm.endpoint) == (True, True, created.registered.endpoint)


def test_vms_go_to_the_cheaper_host_one_after_the_other_and_share_no_device(realm: World) -> None:
    """What was just started counts at once."""
    hosts = [create(realm, name=f"vm{number}", devices={"gpu": 1}).placement for number in range(4)]
    assert [placement.host for placement in hosts] == ["h1", "h2", "h1", "h2"]
    assert [str(placement.devices[0]) for placement in hosts] == [GPUS[0], GPUS[0], GPUS[1], GPUS[1]]
    with pytest.raises(NoRoom) as refused:
        create(realm, name="fifth", devices={"gpu": 1})
    whys = {verdict.host: verdict.refusal and verdict.refusal.why for verdict in refused.value.placements.verdicts}
    assert whys == {"h1": Why.NO_FREE_DEVICE, "h2": Why.NO_FREE_DEVICE}
    assert realm.journal() == []


def test_a_host_that_is_named_is_judged_all_the_same(realm: World) -> None:
    """It is taken though it is dearer, and refused where it can't take the VM."""
    create(realm, name="first", host="h2")
    assert create(realm, name="second", host="h2").placement.host == "h2"
    realm.registry.set_state("h2", HostState.NO_SCHEDULING)
    with pytest.raises(NoRoom, match="h2 can't take third: h2: the host is set to No Scheduling"):
        create(realm, name="third", host="h2")
    assert set(realm.domains("h2")) == {"first", "second"}


def test_the_realm_s_network_filter_is_used_unless_none_is_asked_for(realm: World) -> None:
    """`none` is another choice than none given."""
    session = realm.session
    main = replace(session.configuration.realms["main"], network_filter="realm-filter")
    session.configuration = replace(session.configuration, realms={"main": main})
    for name, more in (("a", {}), ("b", {"network_filter": None})):
        create(realm, name=name, host="h1", **more)
    domains = realm.domains("h1")
    assert "filter='realm-filter'" in domains["a"]
    assert "filterref" not in domains["b"]


@pytest.mark.parametrize(
    ("at", "deed", "error"),
    [
        ("place", "set both hosts to No Scheduling", NoRoom),
        ("find brick", "stop the bricks pool", DriverError),
        ("make overlay", "make the boot volume first", DriverError),
        ("make drive", "make the drive first", DriverError),
        ("define", "define another of that name", DriverError),
        ("start", "remove the domain", DriverError),
        ("wait", "cut its power", NotRegistered),
        ("define", "lose the reservation", ReservationRefused),
    ],
)
def test_a_step_that_fails_undoes_those_before_it(realm: World, at: str, deed: str, error: type[RealmsError]) -> None:
    """Whatever step it is, libvirt itself makes it fail, and nothing stays: the message is that of the failure."""
    struck = sabotage(realm, at, DEEDS[deed], error, drives=(NewDrive(16 * MIB),), host=None)
    assert struck
    mend(realm)
    assert_nothing_is_left(realm, domains=("web",) if deed == "define another of that name" else ())
    assert realm.last_task().progress is Progress.FAILED


@pytest.mark.parametrize("at", ["place", "find brick", "make overlay", "make drive", "define", "start", "wait"])
def test_a_cancelled_creation_leaves_nothing(realm: World, at: str) -> None:
    """At whatever step the administrator changes his mind."""

    def cancel(realm: World) -> None:
        realm.session.tasks.cancel(realm.last_task().id)

    assert sabotage(realm, at, cancel, Cancelled, drives=(NewDrive(16 * MIB),))
    assert_nothing_is_left(realm)
    assert realm.last_task().progress is Progress.CANCELLED


def sabotage(
    realm: World, at: str, deed: Callable[[World], object], error: type[RealmsError], **more: object
) -> list[str]:
    """Create a VM while something is done at a step; it must fail so. Gives the step that was struck."""
    struck: list[str] = []

    def job(control: Control) -> object:
        saboteur = Saboteur(control, at, lambda: deed(realm))
        saboteur.struck = struck
        return create_vm(realm.session, saboteur, order(**more))

    with pytest.raises(error):
        realm.task(job)
    return struck


def stop_pool(name: str) -> Callable[[World], None]:
    """Return a deed that stops a pool on both hosts."""

    def deed(realm: World) -> None:
        for host in ("h1", "h2"):
            realm.call(host, lambda connection: connection.handle.storagePoolLookupByName(name).destroy())

    return deed


def take_name(pool: str, name: str) -> Callable[[World], None]:
    """Return a deed that makes a volume of the very name that the VM's is about to have."""

    def deed(realm: World) -> None:
        (reservation,) = realm.registry.reservations()
        taken = NewVolume(name=name.format(reservation.uuid[:8]), capacity=MIB)
        realm.call(reservation.host, lambda connection: create_volume(connection, pool, taken))

    return deed


def refuse_all(realm: World) -> None:
    """Set both hosts to No Scheduling; the registry knows at once."""
    for host in ("h1", "h2"):
        realm.registry.set_state(host, HostState.NO_SCHEDULING)


def cut_power(realm: World) -> None:
    """End the VM, and wait until that is seen: before, what is known of it says that it runs."""
    realm.call("h1", lambda connection: connection.handle.lookupByName("web").destroy())
    realm.session.connect().wait(lambda fleet: not any(vm.active for vm in fleet.vms()), 20)


def lose_reservation(realm: World) -> None:
    """Take the room away, as if this process had been stopped for long."""
    for reservation in realm.registry.reservations():
        realm.registry.release(reservation.uuid)


DEEDS: dict[str, Callable[[World], object]] = {
    "set both hosts to No Scheduling": refuse_all,
    "stop the bricks pool": stop_pool("ticrypt-bricks"),
    "make the boot volume first": take_name("ticrypt-vm", "web-{}.qcow2"),
    "make the drive first": take_name("ticrypt-vm-drives", "web-drive1-{}.qcow2"),
    "define another of that name": lambda realm: realm.call("h1", lambda c: c.define(guest_xml(Guest(name="web")))),
    "remove the domain": lambda realm: realm.call(
        "h1", lambda connection: connection.handle.lookupByName("web").undefine()
    ),
    "cut its power": cut_power,
    "lose the reservation": lose_reservation,
}


def mend(realm: World) -> None:
    """Start the pools that were stopped; what can't be undone while they are is not what these tests are about."""
    for host in ("h1", "h2"):
        for pool in realm.call(host, lambda connection: connection.handle.listAllStoragePools(0)):
            if not pool.isActive():
                pool.create()


def test_what_cannot_be_undone_stays_in_the_journal(realm: World) -> None:
    """The drives pool fails, and the volumes pool before the boot volume can be deleted again."""

    def deed(realm: World) -> None:
        stop_pool("ticrypt-vm-drives")(realm)
        stop_pool("ticrypt-vm")(realm)

    assert sabotage(realm, "make drive", deed, DriverError, drives=(NewDrive(16 * MIB),))
    assert any("left behind" in warning for warning in realm.last_task().warnings)
    mend(realm)
    assert len(realm.volumes("h1")) == 1
    (left,) = realm.journal()
    assert '"step": "volume"' in left.read_text()
    assert realm.registry.reservations() == ()


def test_a_vm_that_does_not_register_is_removed_with_all_that_was_made(silent: World) -> None:
    """The message says how long, and what was missing."""
    with pytest.raises(NotRegistered, match=r"web on h1 has not registered within 2 seconds: nothing accepts") as gone:
        create(silent, drives=(NewDrive(16 * MIB),))
    assert gone.value.hint.startswith("use --no-wait")  # it has no console any more
    assert_nothing_is_left(silent)


def test_a_vm_that_is_kept_is_stopped_and_whole(silent: World) -> None:
    """Its volumes stay, its mark is complete, its room is given back."""
    with pytest.raises(NotRegistered, match="it was stopped and kept") as kept:
        create(silent, keep=True)
    assert kept.value.hint.startswith("run realms vms start web --no-wait")
    domain = silent.domains("h1")["web"]
    assert "pending" not in domain
    assert " id=" not in domain.partition(">")[0]
    assert len(silent.volumes("h1")) == 1
    assert silent.registry.reservations() == ()
    assert silent.journal() == []


def test_a_vm_that_is_not_waited_for_is_there_when_the_command_ends(silent: World) -> None:
    """Running, and no longer pending."""
    assert create(silent, wait=False).registered is None
    assert "pending" not in silent.domains("h1")["web"]


def test_a_name_of_the_realm_is_refused_wherever_it_is(realm: World) -> None:
    """Also on the other host, and also where the VM is off or foreign."""
    create(realm, host="h2")
    with pytest.raises(NameTaken, match="realm main has a VM web on h2"):
        create(realm, host="h1")
    realm.call("h1", lambda connection: connection.define(guest_xml(Guest(name="theirs"))))
    realm.session.connect().wait(lambda fleet: any(vm.name == "theirs" for vm in fleet.vms()), 20)
    with pytest.raises(NameTaken, match="foreign VM theirs on h1"):
        create(realm, name="theirs", host="h2")


def test_two_that_create_one_name_at_once_make_one_vm(realm: World) -> None:
    """The second is told who has the name, though no host shows it yet."""
    refusals: list[RealmsError] = []

    def deed(realm: World) -> None:
        try:
            realm.task(lambda control: create_vm(realm.session, control, order(host="h2")))
        except NameTaken as error:
            refusals.append(error)

    realm.task(
        lambda control: create_vm(realm.session, Saboteur(control, "define", lambda: deed(realm)), order(host="h1"))
    )
    assert "a VM web is being created on h1 by" in refusals[0].message
    assert realm.domains("h2") == {}


def test_drives_are_within_the_realm_s_bounds(realm: World) -> None:
    """Before any host is asked."""
    for size in (512 * 1024, 2 * GIB, MIB + 1):
        with pytest.raises(UsageError):
            create(realm, drives=(NewDrive(size),))
    assert len(realm.last_task().steps) == 0


@pytest.mark.parametrize("name", ["", "a/b", "-v", "x\x1b[31m", "a b", "é", "a" * 65, "web\n"])
def test_names_that_would_harm_someone_are_refused(realm: World, name: str) -> None:
    """They become names of files, and are typed on command lines."""
    with pytest.raises(UsageError, match="is not a valid VM"):
        create(realm, name=name)


def test_a_brick_that_is_not_there_is_told_with_the_one_that_was_meant(realm: World) -> None:
    """Whatever extension was left out."""
    with pytest.raises(UsageError) as refused:
        create(realm, brick="debain")
    assert "debian.qcow2" in refused.value.hint
    assert_nothing_is_left(realm)


def test_a_drive_that_another_active_vm_has_is_refused_even_by_force(realm: World) -> None:
    """Two that write to it destroy it for certain; it is free again when that VM is off."""
    for host in ("h1", "h2"):  # shared storage: both see it
        realm.call(host, lambda c: create_volume(c, "ticrypt-vm-drives", NewVolume(name="data.qcow2", capacity=MIB)))
    first = create(realm, name="first", drives=(ExistingDrive("data.qcow2"),))
    for force in (False, True):
        with pytest.raises(VolumeInUse, match=r"drive data\.qcow2 is in use by VM h1/first \(running\)"):
            create(realm, name="second", drives=(ExistingDrive("data.qcow2"),), force=force)
    assert_only(realm, "first")
    realm.call("h1", lambda connection: connection.force_off(first.uuid))
    realm.session.connect().wait(lambda fleet: not any(vm.active for vm in fleet.vms()), 20)
    create(realm, name="second", drives=(ExistingDrive("data.qcow2"),))
    assert any("data.qcow2 also belongs to VM h1/first (off)" in warning for warning in realm.last_task().warnings)


def assert_only(realm: World, name: str) -> None:
    """Nothing is left of any other VM."""
    assert {name for host in ("h1", "h2") for name in realm.domains(host)} == {name}
    assert {reservation.vm for reservation in realm.registry.reservations()} == {name}
    assert realm.journal() == []


def test_a_drive_that_is_being_given_to_another_vm_is_refused(realm: World) -> None:
    """Both have asked the hosts before either VM runs: the journal knows."""
    for host in ("h1", "h2"):
        realm.call(host, lambda c: create_volume(c, "ticrypt-vm-drives", NewVolume(name="data.qcow2", capacity=MIB)))
    refusals: list[VolumeInUse] = []

    def deed(realm: World) -> None:
        try:
            create(realm, name="second", drives=(ExistingDrive("data.qcow2"),))
        except VolumeInUse as error:
            refusals.append(error)

    first = order("first", drives=(ExistingDrive("data.qcow2"),))
    realm.task(lambda control: create_vm(realm.session, Saboteur(control, "make", lambda: deed(realm)), first))
    assert "drive data.qcow2 is being attached to first by" in refusals[0].message


def test_a_drive_of_a_host_that_can_not_be_asked_is_refused(realm: World) -> None:
    """A VM there might have it."""
    for host in ("h1", "h2"):
        realm.call(host, lambda c: create_volume(c, "ticrypt-vm-drives", NewVolume(name="data.qcow2", capacity=MIB)))
    lost = realm.registry.host("h2")
    realm.registry.replace(lost, replace(lost, uri="test:///nowhere/node.xml"), realm.session.configuration)
    realm.session.connect().wait(lambda fleet: fleet.hosts[1].connection == "unreachable", 20)
    with pytest.raises(VolumeUseUnknown, match=r"can't verify that drive data\.qcow2 is not in use; not asked: h2"):
        create(realm, drives=(ExistingDrive("data.qcow2"),))
    create(realm, drives=(ExistingDrive("data.qcow2"),), force=True)


def test_a_drive_is_refused_while_a_host_is_disabled(realm: World) -> None:
    """Its VMs go on running unwatched, and one might have it."""
    for host in ("h1", "h2"):
        realm.call(host, lambda c: create_volume(c, "ticrypt-vm-drives", NewVolume(name="data.qcow2", capacity=MIB)))
    realm.session.set_state("h2", HostState.DISABLED)
    with pytest.raises(VolumeUseUnknown, match=r"can't verify that drive data\.qcow2 is not in use; not asked: h2"):
        create(realm, drives=(ExistingDrive("data.qcow2"),))
    create(realm, name="without", wait=False)
    create(realm, drives=(ExistingDrive("data.qcow2"),), force=True, wait=False)
    assert any("not asked: h2" in each for each in realm.last_task().warnings)


def test_every_decision_is_logged_with_what_it_was_made_by(tmp_path: Path, door: int) -> None:
    """Refusals too; the configuration stands beside once, by its digest, and can be read again."""
    with world(tmp_path, door=door, log="on") as realm:
        created = create(realm, devices={"gpu": 1})
        with pytest.raises(NoRoom):
            create(realm, name="big", memory_bytes=64 * GIB)
        first, second = (json.loads(line) for line in (tmp_path / "scheduling.jsonl").read_text().splitlines())
    assert (first["operation"], first["vm"], first["uuid"]) == ("create", "web", created.uuid)
    assert first["placements"] == [
        {"vm": 1, "host": "h1", "realm": "main", "cost": created.placement.cost, "devices": [GPUS[0]]}
    ]
    assert [host["free_devices"] for host in first["hosts"]] == [{"gpu": list(GPUS)}, {"gpu": list(GPUS)}]
    assert [host["use"]["vms"] for host in second["hosts"]] == [1, 0]
    assert second["placements"] == []
    assert {verdict["refusal"]["why"] for verdict in second["verdicts"]} == {"cost-infinite"}
    assert first["id"] != second["id"]
    (stored,) = (tmp_path / "scheduling-configurations").iterdir()
    assert stored.stem == first["configuration"] == second["configuration"]
    assert "cost-functions" in stored.read_text()
