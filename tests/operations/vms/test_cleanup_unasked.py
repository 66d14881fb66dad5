"""Volumes that are to be deleted while a host can't be asked who uses them: they stay, unless that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.driver.vms.disk_devices import NewDisk, attach_disk
from core.errors import DriverError
from core.hosts import HostState
from core.operations.recovery import recover, survey
from core.operations.storage.policy import VolumeInUse, VolumeUseUnknown
from core.operations.vms.cleanup import CleanupAction
from core.operations.vms.delete import delete_vm
from core.operations.vms.restore_disks import RestoredDisk
from tests.driver.worlds import Guest, guest_xml
from tests.operations.vms.world import UUID, create, define, leave, make_volume, target

if TYPE_CHECKING:
    from core.driver.connection.connection import HostConnection
    from core.operations.vms.delete import Deleted
    from tests.operations.vms.world import World


def delete(realm: World, **how: bool) -> Deleted:
    """Delete the VM web with its boot volume."""
    found = target(realm, "web")
    return realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True, **how))


def test_a_disabled_host_keeps_the_volumes_of_a_vm_unless_it_may_go_unasked(realm: World) -> None:
    """Its VMs go on running; that one may be turned off by force says nothing about its volumes."""
    create(realm, host="h1")
    realm.session.set_state("h2", HostState.DISABLED)
    with pytest.raises(VolumeUseUnknown, match="not asked: h2") as caught:
        delete(realm)
    assert "--unasked" in caught.value.hint
    assert set(realm.domains("h1")) == {"web"}
    assert realm.journal() == []
    gone = delete(realm, unasked=True)
    assert len(gone.volumes) == 1
    assert (realm.domains("h1"), realm.volumes("h1")) == ({}, set())
    assert any("not asked: h2" in each for each in realm.last_task().warnings)


def test_a_vm_is_deleted_alone_whatever_hosts_are_disabled(realm: World) -> None:
    """Nobody has to be asked about volumes that stay."""
    create(realm, host="h1")
    realm.session.set_state("h2", HostState.DISABLED)
    found = target(realm, "web")
    realm.task(lambda control: delete_vm(realm.session, control, found, force=True))
    assert (realm.domains("h1"), len(realm.volumes("h1"))) == ({}, 1)


def test_what_is_known_to_be_used_is_never_deleted_unasked(realm: World) -> None:
    """Another VM of a host that did answer has it."""
    made = create(realm, host="h1")
    xml = realm.domains("h1")["web"].replace("<name>web<", "<name>clone<").replace(made.uuid, UUID)

    def borrow(connection: HostConnection) -> None:
        connection.define(xml)

    realm.call("h1", borrow)
    realm.session.set_state("h2", HostState.DISABLED)
    with pytest.raises(VolumeInUse, match="is in use by VM h1/clone"):
        delete(realm, unasked=True)
    assert set(realm.domains("h1")) == {"web", "clone"}


def test_recovery_deletes_nothing_either_where_a_host_is_disabled(realm: World) -> None:
    """It stays in the journal, and is told how it can be finished."""
    volumes = [{"pool": "ticrypt-vm", "volume": "web-11111111.qcow2"}]
    leave(realm, ("volumes", {}), operation="delete", host="h1", volumes=volumes)
    make_volume(realm)
    realm.session.set_state("h2", HostState.DISABLED)
    (left,) = survey(realm.session)
    with pytest.raises(VolumeUseUnknown, match="not asked: h2") as caught:
        realm.task(lambda control: recover(realm.session, control, left))
    assert "realms vms recover --unasked" in caught.value.hint
    assert len(realm.volumes("h1")) == 1
    assert realm.task(lambda control: recover(realm.session, control, left, unasked=True)) is CleanupAction.FINISH
    assert (realm.volumes("h1"), realm.journal()) == (set(), [])


def unnamed_drive(realm: World) -> None:
    """Leave a restore whose program was killed on h2 while it gave a drive its name back; the VM is on h1 by now."""
    pool = "ticrypt-vm-drives"
    drive = RestoredDisk(target="vdb", pool=pool, former="data", copy="data.new", format="qcow2", is_drive=True)
    steps = (("switch", {"disks": [drive.as_fact()]}), ("name-back", {"pool": pool, "volume": "data"}))
    uuid = leave(realm, *steps, operation="restore", host="h2")
    define(realm, uuid)
    for name in ("data", "data.incomplete", "data.new"):
        make_volume(realm, name, pool)
    disk = NewDisk(target="vdb", path=f"/pools/{pool}/data.new", format="qcow2")
    realm.call("h1", lambda connection: attach_disk(connection, uuid, disk))


@pytest.mark.parametrize(
    ("what", "why"), [("removed", "h2 is no longer registered"), ("disabled", "the host is disabled")]
)
def test_a_restore_whose_host_can_not_be_asked_any_more_is_put_in_order_on_request(
    realm: World, what: str, why: str
) -> None:
    """It might copy still, and would spoil what is written now: whoever knows that it does not says so."""
    unnamed_drive(realm)
    if what == "removed":
        realm.session.remove_host("h2")
    else:
        realm.session.set_state("h2", HostState.DISABLED)
    (left,) = survey(realm.session)
    assert left.plan is CleanupAction.FINISH
    with pytest.raises(DriverError, match=f"cannot check whether h2 still copies .* {why}") as caught:
        realm.task(lambda control: recover(realm.session, control, left))
    assert "realms vms recover --unasked" in caught.value.hint
    assert realm.task(lambda control: recover(realm.session, control, left, unasked=True)) is CleanupAction.FINISH
    assert realm.volumes("h1") == {"ticrypt-vm-drives/data"}
    assert "/data'" in realm.domains("h1")["web"]
    assert realm.journal() == []


def test_what_a_realm_left_that_was_renamed_since_is_not_deleted_from_under_a_vm(realm: World) -> None:
    """The hosts of the realm that its host belongs to now are asked."""
    volumes = [{"pool": "ticrypt-vm", "volume": "web-11111111.qcow2"}]
    leave(realm, ("volumes", {}), operation="delete", host="h1", volumes=volumes)
    (path,) = realm.registry.path.with_name("registry.journal").iterdir()
    path.write_text(path.read_text().replace('"realm": "main"', '"realm": "former"'))
    make_volume(realm)
    clone = Guest(name="clone", uuid="99999999-2222-4333-8444-555555555555")
    disk = NewDisk(target="vdb", path="/pools/ticrypt-vm/web-11111111.qcow2", format="qcow2")

    def borrow(connection: HostConnection) -> None:
        connection.define(guest_xml(clone))
        attach_disk(connection, clone.uuid, disk)

    realm.call("h1", borrow)
    (left,) = survey(realm.session)
    assert left.record.realm == "former"
    with pytest.raises(VolumeInUse, match=r"web-11111111\.qcow2 is in use by VM h1/clone"):
        realm.task(lambda control: recover(realm.session, control, left, unasked=True))
    assert len(realm.volumes("h1")) == 1
