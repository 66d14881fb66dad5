"""Volumes on storage that another realm may share, and files that may be reached by another path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.driver.storage import volumes
from core.driver.storage.volumes import NewVolume, create_volume, require_volume
from core.hosts import Host, HostState
from core.operations.storage.orphaned_volumes import delete_volume, is_orphaned, look_at_volumes
from core.operations.storage.policy import VolumeInUse, VolumeUseUnknown
from core.operations.storage.pool_report import PoolRole
from core.operations.vms.delete import delete_vm
from core.operations.vms.drives import attach_drive
from core.operations.vms.lookup import vm_at_hand
from tests.driver.worlds import LONG, Guest, guest_xml, write_node
from tests.operations.vms.world import MIB, POOLS, create, target

if TYPE_CHECKING:
    from core.driver.connection.connection import HostConnection
    from core.operations.storage.usage import ImagesReport
    from tests.operations.vms.world import World

LEFT = "left.qcow2"
DRIVES = "ticrypt-vm-drives"
SAME = f"/pools/ticrypt-vm/{LEFT}"


def add_far(realm: World, *, pools: tuple[str, ...] = POOLS, name: str = "far", **facts: object) -> Host:
    """Register a host of another realm."""
    uri = write_node(realm.folder / f"{name}.xml", pools=pools)
    host = Host(name=name, realm="other", uri=uri, profile="node", **facts)  # type: ignore[arg-type]
    realm.session.add_host(host)
    return host


def make(realm: World, host: str, name: str = LEFT, pool: str = "ticrypt-vm", *, size: int = MIB) -> None:
    """Make a volume on a host."""
    realm.call(host, lambda connection: create_volume(connection, pool, NewVolume(name=name, capacity=size)))


def define(realm: World, host: str, path: str, *, start: bool = False) -> None:
    """Define a VM that has a file as its disk."""
    disk = f"<disk type='file'><source file='{path}'/><target dev='vda'/></disk>"
    xml = guest_xml(Guest(name="db")).replace("<devices />", f"<devices>{disk}</devices>")

    def work(connection: HostConnection) -> None:
        connection.define(xml)
        if start:
            connection.handle.lookupByName("db").create()

    realm.call(host, work)


def mount(realm: World, host: str, pool: str, path: str) -> None:
    """Have a pool mounted from a file server, at a path."""

    def work(connection: HostConnection) -> None:
        old = connection.handle.storagePoolLookupByName(pool)
        old.destroy()
        old.undefine()
        connection.handle.storagePoolDefineXML(
            f"<pool type='netfs'><name>{pool}</name><source><host name='nas'/><dir path='/export'/></source>"
            f"<target><path>{path}</path></target></pool>",
            0,
        ).create(0)

    realm.call(host, work)


def look(realm: World, role: PoolRole = PoolRole.VOLUMES) -> ImagesReport:
    """Ask for the volumes."""
    main = realm.session.configuration.realms["main"]
    return realm.task(lambda control: look_at_volumes(realm.session, control, main, realm.hosts, role=role))


def delete(realm: World, *, force: bool = False) -> None:
    """Delete the volume."""
    main = realm.session.configuration.realms["main"]
    realm.task(lambda control: delete_volume(realm.session, control, main, realm.hosts, name=LEFT, force=force))


def test_a_volume_that_another_realms_vm_may_have_is_deleted_only_by_force(realm: World) -> None:
    """Its pool lies at the same path and has one of the same name and size: nobody can tell whether it is the same."""
    add_far(realm)
    for host in ("h1", "far"):
        make(realm, host)
    define(realm, "far", SAME)
    report = look(realm)
    (use,) = report.images[0].uses
    assert str(use) == f"VM far/db (off, realm other, possibly: it has {SAME})"
    assert is_orphaned(report, report.images[0]) is None
    with pytest.raises(VolumeUseUnknown, match="may be in use by VM far/db") as caught:
        delete(realm)
    assert "--force" in caught.value.hint
    delete(realm, force=True)
    assert realm.volumes("h1") == set()


def test_who_was_asked_about_other_doubts_has_not_agreed_to_this_one(realm: World) -> None:
    """The screen asks before it deletes, and knows the realm's own hosts only."""
    add_far(realm)
    for host in ("h1", "far"):
        make(realm, host)
    define(realm, "far", SAME)
    main = realm.session.configuration.realms["main"]

    def go(*agreed: str) -> None:
        realm.task(
            lambda control: delete_volume(
                realm.session, control, main, realm.hosts, name=LEFT, force=True, agreed=agreed
            )
        )

    with pytest.raises(VolumeUseUnknown, match="may be in use by VM far/db") as caught:
        go("VM h2/db (off)")
    assert caught.value.hint == "override with realms volumes delete --force"
    (use,) = look(realm).images[0].uses
    go(str(use))
    assert realm.volumes("h1") == set()


@pytest.mark.parametrize("size", [None, 2 * MIB])
def test_other_storage_at_the_same_path_is_told_by_what_lies_there(realm: World, size: int | None) -> None:
    """It has no volume of that name, or one of another size: its VMs have nothing to do with this one."""
    add_far(realm)
    make(realm, "h1")
    if size is not None:
        make(realm, "far", size=size)
    define(realm, "far", SAME)
    assert look(realm).images[0].uses == ()
    delete(realm)


def test_what_was_not_looked_at_again_proves_nothing(realm: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a volume is written there libvirt can't look: the list may be older than the volume."""
    add_far(realm)
    make(realm, "h1")
    define(realm, "far", SAME)
    monkeypatch.setattr(volumes, "BUSY_PATIENCE", 0.0)
    monkeypatch.setattr(volumes, "_refresh", lambda _: False)
    report = look(realm)
    assert [str(use) for use in report.images[0].uses] == [f"VM far/db (off, realm other, possibly: it has {SAME})"]
    with pytest.raises(VolumeUseUnknown, match="may be in use by VM far/db"):
        delete(realm)


def test_a_volume_on_an_export_that_another_realm_mounts_too_is_never_deleted_from_under_its_vms(realm: World) -> None:
    """Wherever it is mounted there, and whatever anyone says."""
    add_far(realm)
    mount(realm, "h1", "ticrypt-vm", "/pools/ticrypt-vm")
    mount(realm, "far", "ticrypt-bricks", "/elsewhere")
    make(realm, "h1")
    define(realm, "far", f"/elsewhere/{LEFT}", start=True)
    with pytest.raises(VolumeInUse, match=r"is in use by VM far/db \(running, realm other\)"):
        delete(realm, force=True)
    assert f"ticrypt-vm/{LEFT}" in realm.volumes("h1")


def test_an_overlay_in_another_realm_keeps_a_volume(realm: World) -> None:
    """No VM names the volume itself."""
    add_far(realm)
    for host, path in (("h1", "/pools/ticrypt-vm"), ("far", "/elsewhere")):
        mount(realm, host, "ticrypt-vm", path)
        make(realm, host)

    def overlay(connection: HostConnection) -> None:
        xml = (
            f"<volume><name>over.qcow2</name><capacity>{MIB}</capacity><target><format type='qcow2'/></target>"
            f"<backingStore><path>/elsewhere/{LEFT}</path><format type='qcow2'/></backingStore></volume>"
        )
        connection.handle.storagePoolLookupByName("ticrypt-bricks").createXML(xml, 0)

    realm.call("far", overlay)
    with pytest.raises(VolumeInUse, match=r"overlay ticrypt-bricks/over\.qcow2 \(realm other\)"):
        delete(realm, force=True)


def test_silent_hosts_of_a_realm_count_where_another_of_it_sees_the_volume(realm: World) -> None:
    """Where none of a realm can be asked, that is only told: most realms have storage of their own."""
    make(realm, "h1")
    add_far(realm, name="gone", state=HostState.DISABLED)
    report = look(realm)
    assert report.unasked == {}
    assert report.remark.startswith("no host of realm other answers")
    add_far(realm)
    assert look(realm).unasked == {}
    make(realm, "far")
    assert look(realm).unasked == {"gone": "the host is disabled"}
    with pytest.raises(VolumeUseUnknown, match="not asked: gone: the host is disabled"):
        delete(realm)


def test_the_volume_of_a_vm_that_another_realm_may_use_stays_unless_that_is_said(realm: World) -> None:
    """The same question before a VM is deleted with its volumes."""
    made = create(realm, host="h1")
    add_far(realm)
    boot = made.boot_volume
    volume = realm.call("h1", lambda connection: require_volume(connection, "ticrypt-vm", boot))
    make(realm, "far", boot, size=volume.capacity)
    define(realm, "far", f"/pools/ticrypt-vm/{boot}")
    found = target(realm, "web")
    with pytest.raises(VolumeUseUnknown, match="may be in use by VM far/db"):
        realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True))
    for host, path in (("h1", "/pools/ticrypt-vm"), ("far", "/pools/ticrypt-vm")):
        mount(realm, host, "ticrypt-vm", path)
        make(realm, host, boot)
    with pytest.raises(VolumeInUse, match=r"is in use by VM far/db \(off, realm other\)"):
        realm.task(lambda control: delete_vm(realm.session, control, found, volumes=True, force=True, unasked=True))
    assert set(realm.domains("h1")) == {"web"}


@pytest.mark.parametrize("mounted", [True, False])
def test_a_drive_is_not_given_to_two_vms_of_two_realms(realm: World, mounted: bool) -> None:
    """Where that is certain it is refused; where it only may be so it is told."""
    create(realm, host="h1")
    add_far(realm)
    for host in ("h1", "far"):
        if mounted:
            mount(realm, host, DRIVES, f"/pools/{DRIVES}")
        make(realm, host, "data.qcow2", DRIVES)
    define(realm, "far", f"/pools/{DRIVES}/data.qcow2", start=True)
    found = vm_at_hand(realm.session, "web", timeout=LONG)

    def attach() -> object:
        return realm.task(lambda control: attach_drive(realm.session, control, found, "data.qcow2"))

    if mounted:
        with pytest.raises(VolumeInUse, match=r"data\.qcow2 is in use by VM far/db"):
            attach()
    else:
        attach()
        assert any("data.qcow2 may be in use by VM far/db" in each for each in realm.last_task().warnings)


def test_a_vm_that_may_have_a_volume_by_a_symbolic_link_makes_it_uncertain(realm: World) -> None:
    """Libvirt compares paths: a file of the same name in no pool may be the very volume."""
    make(realm, "h1")
    define(realm, "h2", f"/srv/link/{LEFT}")
    report = look(realm)
    assert is_orphaned(report, report.images[0]) is None
    assert str(report.images[0].uses[0]) == f"VM h2/db (off, possibly: it has /srv/link/{LEFT})"
    with pytest.raises(VolumeUseUnknown, match="may be in use by VM h2/db"):
        delete(realm)
    delete(realm, force=True)


def test_a_file_of_the_same_name_in_another_pool_is_another_file(realm: World) -> None:
    """There is no doubt about it."""
    make(realm, "h1")
    define(realm, "h2", f"/pools/{DRIVES}/{LEFT}")
    assert look(realm).images[0].uses == ()
    delete(realm)
