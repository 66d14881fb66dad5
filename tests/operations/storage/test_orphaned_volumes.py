"""Volumes that no VM has: told from those in use, and deleted only where nobody can miss them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.driver.storage.volumes import NewVolume, create_volume, require_volume
from core.errors import UsageError
from core.hosts import HostState
from core.operations.storage.orphaned_volumes import delete_volume, is_orphaned, look_at_volumes
from core.operations.storage.policy import VolumeInUse, VolumeUseUnknown
from core.operations.storage.pool_report import PoolRole
from core.operations.tasks.journal import Journal
from tests.driver.worlds import Guest, guest_xml
from tests.operations.vms.world import MIB, create, make_volume

if TYPE_CHECKING:
    from core.operations.storage.usage import ImagesReport
    from core.operations.tasks.journal import JournalEntry
    from core.operations.tasks.task import Control
    from tests.operations.vms.world import World

LEFT = "left.qcow2"


def look(realm: World) -> ImagesReport:
    """Ask for the volumes."""
    main = realm.session.configuration.realms["main"]
    return realm.task(lambda control: look_at_volumes(realm.session, control, main, realm.hosts))


def delete(realm: World, name: str = LEFT, *, hosts: Any = None, **options: Any) -> None:
    """Delete one."""
    main, asked = realm.session.configuration.realms["main"], hosts or realm.hosts
    realm.task(lambda control: delete_volume(realm.session, control, main, asked, name=name, **options))


def begin(realm: World, name: str) -> JournalEntry:
    """Begin an operation that is about to make a volume."""
    entry = Journal(realm.registry.path, realm.session.clock).begin("create", vm="web", uuid="u", realm="main")
    entry.step("volume", pool="ticrypt-vm", volume=name)
    return entry


def test_a_volume_that_a_vm_has_is_told_from_one_that_nobody_has(realm: World) -> None:
    """The first stays, whatever anyone says; the second goes."""
    vm = create(realm)
    host = next(each for each in ("h1", "h2") if realm.domains(each))
    realm.call(host, lambda connection: create_volume(connection, "ticrypt-vm", NewVolume(name=LEFT, capacity=MIB)))
    report = look(realm)
    boot = next(image for image in report.images if image.name != LEFT)
    assert {image.name: is_orphaned(report, image) for image in report.images} == {boot.name: False, LEFT: True}
    assert boot.uses[0].name == vm.name
    with pytest.raises(VolumeInUse, match=r"VM .*/web") as caught:
        delete(realm, boot.name, force=True)
    assert "vms delete --volumes" in caught.value.hint
    delete(realm)
    assert f"ticrypt-vm/{LEFT}" not in realm.volumes(host)
    with pytest.raises(UsageError, match="no volume"):
        delete(realm)


def test_where_a_host_can_t_be_asked_nobody_knows_and_only_force_deletes(realm: World) -> None:
    """A VM there may have it."""
    make_volume(realm, LEFT)
    hosts = (realm.hosts[0], replace(realm.hosts[1], state=HostState.DISABLED))
    main = realm.session.configuration.realms["main"]
    report = realm.task(lambda control: look_at_volumes(realm.session, control, main, hosts))
    assert is_orphaned(report, report.images[0]) is None
    with pytest.raises(VolumeUseUnknown, match="not asked: h2"):
        delete(realm, hosts=hosts)
    delete(realm, hosts=hosts, force=True)
    assert any("not asked: h2" in warning for warning in realm.last_task().warnings)
    assert f"ticrypt-vm/{LEFT}" not in realm.volumes("h1")


def test_a_volume_is_in_use_by_its_path_on_a_host_that_does_not_list_it(realm: World) -> None:
    """Its libvirt has not looked into the pool since, and has that at another path."""
    make_volume(realm, LEFT)

    def use(connection) -> None:
        pool = connection.handle.storagePoolLookupByName("ticrypt-vm")
        pool_xml = pool.XMLDesc(0).replace("/pools/ticrypt-vm<", "/mnt/vm<")
        pool.destroy()
        pool.undefine()
        connection.handle.storagePoolDefineXML(pool_xml, 0).create(0)
        disk = f"<disk type='file'><source file='/mnt/vm/{LEFT}'/><target dev='vda'/></disk>"
        connection.define(guest_xml(Guest(name="web")).replace("<devices />", f"<devices>{disk}</devices>"))

    realm.call("h2", use)
    with pytest.raises(VolumeInUse, match="VM h2/web"):
        delete(realm, force=True)


def test_a_volume_that_is_being_made_stays_and_one_that_was_left_behind_needs_force(realm: World) -> None:
    """No VM has either, and the journal tells."""
    make_volume(realm, LEFT)
    entry = begin(realm, LEFT)
    with pytest.raises(VolumeInUse, match="create of VM web, in progress"):
        delete(realm, force=True)
    assert is_orphaned(look(realm), look(realm).images[0]) is False
    entry.leave()
    with pytest.raises(VolumeUseUnknown, match="interrupted") as caught:
        delete(realm)
    assert "realms vms recover" in caught.value.hint
    delete(realm, force=True)
    assert any("interrupted" in warning for warning in realm.last_task().warnings)


@pytest.mark.parametrize(
    ("operation", "step"),
    [("attach", {"realm": "main", "drives": ["data"]}), ("restore", {"pool": "ticrypt-vm-drives", "volume": "data"})],
)
def test_a_drive_that_is_about_to_be_given_to_a_vm_stays(realm: World, operation: str, step: dict[str, object]) -> None:
    """No VM has it yet: one is made with it, or it is copied to its own name, and the VM gets it then."""
    main = realm.session.configuration.realms["main"]
    drive = NewVolume(name="data", capacity=MIB)
    realm.call("h1", lambda connection: create_volume(connection, "ticrypt-vm-drives", drive))
    entry = Journal(realm.registry.path, realm.session.clock).begin(operation, vm="web", uuid="u", realm="main")
    entry.step("about to", **step)

    def go(control: Control) -> None:
        delete_volume(realm.session, control, main, realm.hosts, name="data", role=PoolRole.DRIVES, force=True)

    with pytest.raises(VolumeInUse, match=f"{operation} of VM web, in progress"):
        realm.task(go)
    entry.close()
    realm.task(go)
    assert realm.volumes("h1") == set()


def test_a_brick_with_an_overlay_that_no_vm_has_says_how_to_delete_that(realm: World) -> None:
    """The command as it can be pasted."""

    def overlay(connection) -> None:
        brick = require_volume(connection, "ticrypt-bricks", "debian.qcow2")
        create_volume(connection, "ticrypt-vm", NewVolume(name="an old one.qcow2", capacity=MIB, backing=brick))

    realm.call("h1", overlay)
    with pytest.raises(VolumeInUse) as caught:
        delete(realm, "debian.qcow2", role=PoolRole.BRICKS)
    assert "realms volumes delete 'an old one.qcow2'" in caught.value.hint
