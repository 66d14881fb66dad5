"""VMs deleted: their volumes and snapshots go only where that is asked for, and no one else uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.driver.storage.volumes import NewVolume, create_volume
from core.driver.vms.disk_devices import NewDisk, attach_disk
from core.operations.storage.policy import VolumeInUse
from core.operations.vms.delete import VMActive, delete_vm
from core.operations.vms.spec import NewDrive
from tests.operations.vms.sabotage import Rival
from tests.operations.vms.world import MIB, UUID, create, target

if TYPE_CHECKING:
    from core.operations.tasks.task import Control
    from tests.operations.vms.world import World


def test_a_deleted_vm_leaves_its_volumes_unless_they_are_asked_for(realm: World) -> None:
    """What stays is told; drives only go where that is said too."""
    for name, how in (("a", {}), ("b", {"volumes": True}), ("c", {"volumes": True, "drives": True})):
        create(realm, name=name, host="h1", drives=(NewDrive(MIB),))
        found = target(realm, name)
        with pytest.raises(VMActive, match=f"h1/{name} is active"):
            realm.task(lambda control, found=found: delete_vm(realm.session, control, found))
        before = (realm.domains("h1"), realm.volumes("h1"))
        tried = realm.task(
            lambda control, found=found, how=how: delete_vm(
                realm.session, control, found, force=True, dry_run=True, **how
            )
        )
        assert (realm.domains("h1"), realm.volumes("h1"), realm.journal()) == (*before, [])
        gone = realm.task(
            lambda control, found=found, how=how: delete_vm(realm.session, control, found, force=True, **how)
        )
        assert gone == tried
        assert len(gone.volumes) == len(how)
        assert len(gone.kept) == 2 - len(how)
    assert realm.domains("h1") == {}
    assert sorted(each.split("-")[0] + each.split("/")[1][0] for each in realm.volumes("h1")) == [
        "ticrypta", "ticrypta", "ticryptb",
    ]  # fmt: skip
    assert realm.journal() == []


COPIES = ("first.vda.qcow2", "first.vdb.qcow2", "second.vda.qcow2")


@pytest.mark.parametrize(
    ("how", "go"),
    [
        ({"volumes": True}, True),
        ({}, False),
        ({"volumes": True, "snapshots": False}, False),
        ({"snapshots": True}, True),
    ],
)
def test_the_snapshots_of_a_deleted_vm_go_with_its_volumes_or_are_told(
    realm: World, how: dict[str, bool], go: bool
) -> None:
    """Unless it is said otherwise. Those of other VMs stay, and what is in their pool otherwise."""
    uuid = create(realm, name="web", host="h1").uuid
    others = ("11111111-2222-4333-8444-555555555555.first.vda.qcow2", "notes")
    for name in (*(f"{uuid}.{copy}" for copy in COPIES), *others):
        new = NewVolume(name=name, capacity=MIB)
        realm.call("h1", lambda connection, new=new: create_volume(connection, "ticrypt-vm-snapshots", new))
    found = target(realm, "web")
    gone = realm.task(lambda control: delete_vm(realm.session, control, found, force=True, **how))
    names = ("first", "second")
    assert (gone.snapshots, gone.kept_snapshots) == ((names, ()) if go else ((), names))
    assert sum("snapshot" in each for each in gone.stays) == (0 if go else 2)
    left = {each.partition("/")[2] for each in realm.volumes("h1") if each.startswith("ticrypt-vm-snapshots/")}
    assert left == set(others) | (set() if go else {f"{uuid}.{copy}" for copy in COPIES})
    assert realm.journal() == []


def test_a_copy_in_a_snapshot_that_another_vm_uses_is_not_deleted(realm: World) -> None:
    """Somebody has given it away by hand: nothing at all is deleted then."""
    made = create(realm, name="web", host="h1")
    copy = NewVolume(name=f"{made.uuid}.first.vda.qcow2", capacity=MIB)
    path = realm.call("h1", lambda connection: create_volume(connection, "ticrypt-vm-snapshots", copy)).path
    thief = (
        realm.domains("h1")["web"]
        .replace("<name>web<", "<name>thief<")
        .replace(f"<uuid>{made.uuid}<", f"<uuid>{UUID}<")
    )
    thief = thief.replace(f"/pools/ticrypt-vm/{made.boot_volume}", path)
    realm.call("h1", lambda connection: connection.define(thief))
    found = target(realm, "web")
    with pytest.raises(VolumeInUse, match=r"first\.vda\.qcow2 is in use by VM h1/thief"):
        realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True))
    assert "web" in realm.domains("h1")


def test_a_vm_is_deleted_where_its_snapshots_can_not_be_looked_for(realm: World) -> None:
    """It is told: the pool may only be stopped."""
    create(realm, name="web", host="h1")
    realm.call("h1", lambda c: c.handle.storagePoolLookupByName("ticrypt-vm-snapshots").destroy())
    found = target(realm, "web")
    realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True))
    assert realm.domains("h1") == {}
    assert any("cannot list the snapshots of h1/web" in each for each in realm.last_task().warnings)


def test_a_volume_that_another_vm_uses_is_not_deleted(realm: World) -> None:
    """Whether that one runs or not; nothing at all is deleted then."""
    created = create(realm, host="h1")
    xml = realm.domains("h1")["web"].replace("<name>web<", "<name>clone<").replace(created.uuid, UUID)
    realm.call("h1", lambda connection: connection.define(xml))
    found = target(realm, "web")
    with pytest.raises(VolumeInUse, match="is in use by VM h1/clone"):
        realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True))
    assert set(realm.domains("h1")) == {"web", "clone"}


def test_the_volume_of_a_vm_that_was_moved_is_not_deleted_with_the_definition_that_it_left(realm: World) -> None:
    """Only what stands on the host that was named is to go: the VM of the same UUID on another host may run."""
    create(realm, host="h1")
    xml = realm.domains("h1")["web"]
    realm.call("h2", lambda connection: connection.define(xml))
    found = target(realm, "h1/web")
    with pytest.raises(VolumeInUse, match="is in use by VM h2/web"):
        realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True))
    assert set(realm.domains("h1")) == {"web"}
    realm.task(lambda control: delete_vm(realm.session, control, found, force=True))
    assert (realm.domains("h1"), len(realm.volumes("h1"))) == ({}, 1)


def test_a_volume_that_another_host_has_at_another_path_is_not_deleted(realm: World) -> None:
    """The pool is the same storage, mounted elsewhere there."""
    created = create(realm, host="h1")
    xml = realm.domains("h1")["web"].replace("<name>web<", "<name>clone<").replace(created.uuid, UUID)

    def mount_elsewhere(connection) -> None:
        pool = connection.handle.storagePoolLookupByName("ticrypt-vm")
        pool_xml = pool.XMLDesc(0).replace("/pools/ticrypt-vm<", "/mnt/vm<")
        pool.destroy()
        pool.undefine()
        connection.handle.storagePoolDefineXML(pool_xml, 0).create(0)
        connection.define(xml.replace("/pools/ticrypt-vm/", "/mnt/vm/"))

    realm.call("h2", mount_elsewhere)
    found = target(realm, "web")
    with pytest.raises(VolumeInUse, match="is in use by VM h2/clone"):
        realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True))


def test_a_volume_that_a_vm_has_by_another_pool_over_the_same_folder_is_not_deleted(realm: World) -> None:
    """The pool has another name on its host."""
    created = create(realm, host="h1")
    xml = realm.domains("h1")["web"].replace("<name>web<", "<name>clone<").replace(created.uuid, UUID)
    xml = xml.replace("<disk type='file'", "<disk type='volume'")
    xml = xml.replace(
        f"<source file='/pools/ticrypt-vm/{created.boot_volume}'",
        f"<source pool='by-hand' volume='{created.boot_volume}'",
    )
    assert "by-hand" in xml

    def rename(connection) -> None:
        pool = connection.handle.storagePoolLookupByName("ticrypt-vm")
        pool.destroy()
        pool.undefine()
        pool_xml = "<pool type='dir'><name>by-hand</name><target><path>/pools/ticrypt-vm</path></target></pool>"
        connection.handle.storagePoolDefineXML(pool_xml, 0)
        connection.define(xml)

    realm.call("h2", rename)
    found = target(realm, "web")
    with pytest.raises(VolumeInUse, match="is in use by VM h2/clone"):
        realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True))


def test_a_vm_that_is_started_while_its_deletion_asks_the_hosts_stays(stopped: World) -> None:
    """Nothing that runs is turned off but by force."""
    found = target(stopped, "mine")
    boot = NewVolume(name="boot.qcow2", capacity=MIB)
    path = stopped.call("h1", lambda connection: create_volume(connection, "ticrypt-vm", boot)).path
    uuid = found.vm.uuid
    disk = NewDisk(target="vda", path=path, format="qcow2")
    stopped.call("h1", lambda connection: attach_disk(connection, uuid, disk))

    def job(control: Control) -> None:
        rival = Rival(control, "ask all hosts", lambda: stopped.call("h1", lambda c: c.start(uuid)))
        delete_vm(stopped.session, rival, found, volumes=True)

    with pytest.raises(VMActive, match="h1/mine was started meanwhile"):
        stopped.task(job)
    assert " id=" in stopped.domains("h1")["mine"].partition(">")[0]
    assert stopped.volumes("h1") == {"ticrypt-vm/boot.qcow2"}
    assert (stopped.journal(), stopped.registry.reservations()) == ([], ())
