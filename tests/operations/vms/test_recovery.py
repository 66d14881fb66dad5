"""What a program that is killed leaves behind, at every step: any other program tells it and cleans it up."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.driver.storage.volumes import discard_volume
from core.driver.vms.disk_devices import NewDisk, attach_disk
from core.driver.xml.metadata import RealmMark
from core.errors import DriverError
from core.operations.recovery import recover, survey
from core.operations.storage.policy import VolumeInUse
from core.operations.tasks.journal import Journal, StillAtWork
from core.operations.vms.cleanup import LONG_AGO, CleanupAction
from core.operations.vms.restore_disks import RestoredDisk
from core.operations.vms.spec import ExistingDrive
from core.reservations import Reservation
from tests.driver.worlds import LONG, Guest, guest_xml
from tests.operations.vms.sabotage import Rival
from tests.operations.vms.world import MIB, create, define, in_thread, leave, make_volume

if TYPE_CHECKING:
    from core.operations.tasks.task import Control
    from tests.operations.vms.world import World

RACER = Path(__file__).parents[1] / "scheduling" / "racer.py"
STEPS = ("reserve", "volume:1", "volume:2", "define", "start", "register", "finish")


def kill_at(realm: World, step: str) -> None:
    """Have another program create a VM, and be killed once it has written down that it is about to take a step."""
    program = subprocess.Popen(
        [sys.executable, str(RACER), str(realm.folder), "web", "1", "512", step],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert json.loads(program.stdout.readline()) == {"ready": True}
    out, _ = program.communicate("go\n", timeout=120)
    assert program.returncode == -9, out


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_creation_is_told_and_cleaned_up(realm: World, step: str) -> None:
    """Its host has forgotten everything with it, as embedded hosts do: what is left is the registry's and ours."""
    kill_at(realm, step)
    (left,) = survey(realm.session)
    assert (left.record.operation, left.record.vm, left.record.at_work) == ("create", "web", False)
    assert [each["step"] for each in left.record.steps][-1] == step.partition(":")[0]
    assert left.plan is (CleanupAction.FORGET if step == "reserve" else CleanupAction.REMOVE)
    assert len(left.volumes) == {"reserve": 0, "volume:1": 1}.get(step, 2)
    assert len(realm.registry.reservations()) == (step != "reserve")
    realm.task(lambda control: recover(realm.session, control, left))
    assert realm.registry.reservations() == ()
    assert realm.journal() == []
    assert survey(realm.session) == ()


VOLUME = ("volume", {"pool": "ticrypt-vm", "volume": "web-11111111.qcow2"})


def only(realm: World) -> CleanupAction:
    """Clean up the one thing that was left; gives what was done."""
    (left,) = survey(realm.session)
    done = realm.task(lambda control: recover(realm.session, control, left))
    assert realm.journal() == []
    return done


def test_a_half_made_vm_is_removed_with_its_volumes(realm: World) -> None:
    """Defined, but never started; the volumes of others stay."""
    uuid = leave(realm, VOLUME, ("define", {}))
    define(realm, uuid)
    make_volume(realm)
    make_volume(realm, "theirs.qcow2")
    assert only(realm) is CleanupAction.REMOVE
    assert realm.domains("h1") == {}
    assert realm.volumes("h1") == {"ticrypt-vm/theirs.qcow2"}


def test_a_vm_that_has_come_up_meanwhile_is_kept(realm: World) -> None:
    """Its program was killed while it waited."""
    steps = (VOLUME, ("define", {}), ("start", {}), ("register", {}))
    uuid = leave(realm, *steps)
    make_volume(realm)
    create_domain = guest_xml(Guest(name="web", uuid=uuid, network="default"))
    realm.call("h1", lambda connection: (connection.define(create_domain), connection.start(uuid)))
    assert only(realm) is CleanupAction.COMPLETE
    assert " id=" in realm.domains("h1")["web"].partition(">")[0]
    assert realm.volumes("h1") == {"ticrypt-vm/web-11111111.qcow2"}


@pytest.mark.slow
@pytest.mark.parametrize("runs", [True, False])
def test_a_vm_that_was_started_long_ago_is_neither_stopped_nor_removed(realm: World, runs: bool) -> None:
    """It may have been in use ever since, and answers only where nobody here can reach it; or it was shut down."""
    began = realm.session.clock.now() - LONG_AGO - 1
    uuid = leave(realm, VOLUME, ("define", {}), ("start", {"time": began}), ("register", {}))
    make_volume(realm)
    xml = guest_xml(Guest(name="web", uuid=uuid, mark=RealmMark(realm="main", pending="somebody")))
    realm.call("h1", lambda connection: (connection.define(xml), runs and connection.start(uuid)))
    realm.session.connect().wait(lambda fleet: any(vm.active is runs for vm in fleet.vms()), 20)
    assert only(realm) is CleanupAction.COMPLETE
    assert (" id=" in realm.domains("h1")["web"].partition(">")[0]) is runs
    assert "pending" not in realm.domains("h1")["web"]
    assert realm.volumes("h1") == {"ticrypt-vm/web-11111111.qcow2"}


def test_a_vm_that_another_operation_works_on_is_left_for_later(realm: World) -> None:
    """It is being started at this moment: what was left of its creation is not removed from under it."""
    uuid = leave(realm, VOLUME, ("define", {}))
    define(realm, uuid)
    make_volume(realm)
    (left,) = survey(realm.session)
    with realm.registry.transaction() as changes:
        changes.reserve(Reservation(uuid=uuid, vm="web", host="h1", vcpus=2, memory_bytes=MIB, owner="a start"))
    with pytest.raises(StillAtWork, match="locked by a start"):
        realm.task(lambda control: recover(realm.session, control, left))
    assert set(realm.domains("h1")) == {"web"}
    realm.registry.release(uuid, "a start")
    assert only(realm) is CleanupAction.REMOVE


def test_a_deletion_goes_on(realm: World) -> None:
    """The domain was gone, a volume not yet."""
    leave(realm, ("volumes", {}), operation="delete", host="h1",
          volumes=[{"pool": "ticrypt-vm", "volume": "web-11111111.qcow2"}])  # fmt: skip
    make_volume(realm)
    assert only(realm) is CleanupAction.FINISH
    assert realm.volumes("h1") == set()


def test_a_deletion_stops_at_what_another_vm_has_been_given_since(realm: World) -> None:
    """The drive was to be deleted, and is in use again."""
    make_volume(realm, "data.qcow2", "ticrypt-vm-drives")
    leave(realm, ("volumes", {}), operation="delete", host="h1",
          volumes=[{"pool": "ticrypt-vm-drives", "volume": "data.qcow2"}])  # fmt: skip
    create(realm, name="other", host="h1", drives=(ExistingDrive("data.qcow2"),))
    (left,) = survey(realm.session)
    with pytest.raises(VolumeInUse, match=r"data\.qcow2 is in use by VM h1/other"):
        realm.task(lambda control: recover(realm.session, control, left))
    assert "ticrypt-vm-drives/data.qcow2" in realm.volumes("h1")
    assert len(realm.journal()) == 1


def test_a_vm_that_was_started_since_its_deletion_began_stays(realm: World) -> None:
    """Nobody deletes what runs, because of an old journal."""
    uuid = leave(realm, operation="delete", host="h1", volumes=[])
    define(realm, uuid, start=True)
    assert only(realm) is CleanupAction.FORGET
    assert set(realm.domains("h1")) == {"web"}


def test_a_vm_that_is_there_long_after_its_deletion_failed_stays(realm: World) -> None:
    """People have used it since, and have shut it down."""
    volumes = [{"pool": "ticrypt-vm", "volume": "web-11111111.qcow2"}]
    began = realm.session.clock.now() - LONG_AGO - 1
    uuid = leave(realm, operation="delete", host="h1", volumes=volumes, time=began)
    define(realm, uuid)
    make_volume(realm)
    (left,) = survey(realm.session)
    assert "still exists" in left.message
    assert only(realm) is CleanupAction.FORGET
    assert (set(realm.domains("h1")), len(realm.volumes("h1"))) == ({"web"}, 1)


def test_a_host_that_is_silent_leaves_it_for_later(realm: World) -> None:
    """Nothing is forgotten while nobody can tell what is there."""
    leave(realm, VOLUME)
    realm.registry.remove("h1")
    realm.session.connect().wait(lambda fleet: len(fleet.hosts) == 1, 20)
    (left,) = survey(realm.session)
    assert (left.plan, left.domain) == (CleanupAction.UNKNOWN, "unknown")
    with pytest.raises(DriverError, match="what is left there"):
        realm.task(lambda control: recover(realm.session, control, left))
    assert len(realm.journal()) == 1


def test_nobody_cleans_up_after_a_program_that_lives(realm: World) -> None:
    """Its file is locked; two that clean up at once don't meet either."""
    journal = Journal(realm.registry.path, realm.session.clock, lock_patience=0.1)
    entry = journal.begin("create", vm="web", uuid="u", realm="main")
    assert journal.left_behind() == ()
    assert [record.at_work for record in journal.records()] == [True]
    with pytest.raises(StillAtWork), journal.taking_over(entry.id):
        pass
    entry.leave()
    with journal.taking_over(entry.id), pytest.raises(StillAtWork), journal.taking_over(entry.id):
        pass
    assert len(journal.left_behind()) == 1


def test_who_only_looks_at_an_operation_is_not_taken_for_a_worker(realm: World) -> None:
    """A program that lists what was left holds a shared lock while it reads: the one that cleans up waits for that."""
    leave(realm)
    (path,) = realm.journal()
    journal = Journal(realm.registry.path, realm.session.clock, lock_patience=LONG)
    (left,) = journal.left_behind()
    reader = os.open(path, os.O_RDONLY)
    fcntl.flock(reader, fcntl.LOCK_SH)
    taken: Future[str] = Future()

    def take_over() -> None:
        with journal.taking_over(left.id) as entry:
            taken.set_result(entry.id)

    thread = in_thread(take_over)
    with pytest.raises(TimeoutError):
        taken.result(0.1)
    os.close(reader)
    assert taken.result(LONG) == left.id
    thread.join(LONG)


def test_half_a_line_and_rubbish_do_not_hide_an_operation(realm: World) -> None:
    """The disk was full, or someone has put another file there."""
    leave(realm, VOLUME)
    (path,) = realm.journal()
    with path.open("a") as file:
        file.write('{"step": "define", "ho')
    (path.parent / "notes.jsonl").write_text("not ours\n")
    (path.parent / "empty.jsonl").write_text("")
    (record,) = Journal(realm.registry.path, realm.session.clock).records()
    assert [step["step"] for step in record.steps] == ["volume"]


def test_the_claim_of_a_killed_program_is_forgotten(realm: World) -> None:
    """It was about to attach a drive, and holds nothing."""
    leave(realm, ("claim", {"realm": "main", "drives": ["data.qcow2"]}), operation="attach-drive")
    assert only(realm) is CleanupAction.FORGET


def test_an_operation_of_a_newer_program_is_told_and_left_alone(realm: World) -> None:
    """Nobody here knows what it needs."""
    leave(realm, operation="levitate")
    (left,) = survey(realm.session)
    assert (left.plan, left.message) == (CleanupAction.UNKNOWN, "the next levitate of this VM cleans up first")
    with pytest.raises(DriverError, match="web: the next levitate"):
        realm.task(lambda control: recover(realm.session, control, left))
    assert len(realm.journal()) == 1


def test_a_drive_that_is_deleted_while_it_gets_its_name_back_leaves_the_vm_its_copy(realm: World) -> None:
    """The only data that are left are never given up for a name that nothing has."""
    pool = "ticrypt-vm-drives"
    drive = RestoredDisk(target="vdb", pool=pool, former="data", copy="data.new", format="qcow2", is_drive=True)
    uuid = leave(realm, ("switch", {"disks": [drive.as_fact()]}), operation="restore", host="h1")
    define(realm, uuid)
    for name in ("data", "data.new"):
        make_volume(realm, name, pool)
    disk = NewDisk(target="vdb", path=f"/pools/{pool}/data.new", format="qcow2")
    realm.call("h1", lambda connection: attach_disk(connection, uuid, disk))
    (left,) = survey(realm.session)

    def rival() -> None:
        realm.call("h1", lambda connection: discard_volume(connection, pool, "data"))

    with pytest.raises(DriverError, match=r"the VM keeps data\.new"):
        realm.task(lambda control: recover(realm.session, Rival(control, "replace", rival), left))
    assert f"{pool}/data.new" in realm.volumes("h1")
    assert "data.new" in realm.domains("h1")["web"]
    assert only(realm) is CleanupAction.FINISH
    assert realm.volumes("h1") == {f"{pool}/data"}


def test_a_half_made_vm_that_is_started_while_the_hosts_are_asked_stays(realm: World) -> None:
    """It is judged anew the next time."""
    uuid = leave(realm, VOLUME, ("define", {}))
    define(realm, uuid)
    make_volume(realm)
    (left,) = survey(realm.session)

    def job(control: Control) -> CleanupAction:
        rival = Rival(control, "ask all hosts", lambda: realm.call("h1", lambda connection: connection.start(uuid)))
        return recover(realm.session, rival, left)

    with pytest.raises(StillAtWork, match="web was started meanwhile"):
        realm.task(job)
    assert set(realm.domains("h1")) == {"web"}
    assert realm.volumes("h1") == {"ticrypt-vm/web-11111111.qcow2"}
    assert (len(realm.journal()), realm.registry.reservations()) == (1, ())
