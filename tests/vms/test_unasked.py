"""Volumes that are to be deleted while a host can't be asked who uses them: they stay, unless that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.hosts import HostState
from core.operations.delete import VolumeInUse, VolumeUseUnknown, delete_vm
from core.operations.recover import Plan, recover, survey
from tests.vms.test_create import create
from tests.vms.test_lifecycle import UUID, target
from tests.vms.test_recover import leave, make

if TYPE_CHECKING:
    from core.driver.connection import HostConnection
    from core.operations.delete import Deleted
    from tests.vms.world import World


def delete(realm: World, **how: bool) -> Deleted:
    """Delete the VM web with its boot volume."""
    found = target(realm, "web")
    return realm.task(lambda control: delete_vm(realm.workplace, control, found, volumes=True, force=True, **how))


def test_a_disabled_host_keeps_the_volumes_of_a_vm_unless_it_may_go_unasked(realm: World) -> None:
    """Its VMs go on running; that one may be turned off by force says nothing about its volumes."""
    create(realm, host="h1")
    realm.workplace.set_state("h2", HostState.DISABLED)
    with pytest.raises(VolumeUseUnknown, match="not asked: h2") as caught:
        delete(realm)
    assert "--unasked" in caught.value.hint
    assert set(realm.domains("h1")) == {"web"}
    assert realm.journal() == []
    gone = delete(realm, unasked=True)
    assert len(gone.volumes) == 1
    assert (realm.domains("h1"), realm.volumes("h1")) == ({}, set())
    assert any("deleted without asking: h2" in each for each in realm.last_task().warnings)


def test_a_vm_is_deleted_alone_whatever_hosts_are_disabled(realm: World) -> None:
    """Nobody has to be asked about volumes that stay."""
    create(realm, host="h1")
    realm.workplace.set_state("h2", HostState.DISABLED)
    found = target(realm, "web")
    realm.task(lambda control: delete_vm(realm.workplace, control, found, force=True))
    assert (realm.domains("h1"), len(realm.volumes("h1"))) == ({}, 1)


def test_what_is_known_to_be_used_is_never_deleted_unasked(realm: World) -> None:
    """Another VM of a host that did answer has it."""
    made = create(realm, host="h1")
    xml = realm.domains("h1")["web"].replace("<name>web<", "<name>clone<").replace(made.uuid, UUID)

    def borrow(connection: HostConnection) -> None:
        connection.define(xml)

    realm.call("h1", borrow)
    realm.workplace.set_state("h2", HostState.DISABLED)
    with pytest.raises(VolumeInUse, match="is used by h1/clone"):
        delete(realm, unasked=True)
    assert set(realm.domains("h1")) == {"web", "clone"}


def test_recovery_deletes_nothing_either_where_a_host_is_disabled(realm: World) -> None:
    """It stays in the journal, and is told how it can be finished."""
    volumes = [{"pool": "ticrypt-vm", "volume": "web-11111111.qcow2"}]
    leave(realm, ("volumes", {}), operation="delete", host="h1", volumes=volumes)
    make(realm)
    realm.workplace.set_state("h2", HostState.DISABLED)
    (left,) = survey(realm.workplace)
    with pytest.raises(VolumeUseUnknown, match="not asked: h2") as caught:
        realm.task(lambda control: recover(realm.workplace, control, left))
    assert "realms vms recover --unasked" in caught.value.hint
    assert len(realm.volumes("h1")) == 1
    assert realm.task(lambda control: recover(realm.workplace, control, left, unasked=True)) is Plan.FINISH
    assert (realm.volumes("h1"), realm.journal()) == (set(), [])
