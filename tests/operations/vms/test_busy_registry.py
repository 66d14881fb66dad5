"""Work that is done while the registry can't be changed any more: it is no failure, and its reservation runs out."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from core.locks import exclusive
from core.operations.recovery import recover, survey
from core.operations.vms.cleanup import CleanupAction
from core.operations.vms.delete import delete_vm
from core.registry.hosts import HostRegistry
from tests.operations.vms.sabotage import Rival
from tests.operations.vms.world import create, leave, make_volume, target

if TYPE_CHECKING:
    from core.operations.tasks.task import Control
    from core.operations.vms.delete import Deleted
    from tests.operations.vms.world import World


def test_a_deletion_is_done_although_its_reservation_can_not_be_given_back(realm: World) -> None:
    """Another program holds the registry while the volumes are deleted, and goes on holding it."""
    create(realm, host="h1")
    found = target(realm, "web")
    realm.session.registry = HostRegistry(realm.registry.path, realm.session.clock, lock_deadline=0.2)

    def job(control: Control) -> Deleted:
        with ExitStack() as held:
            rival = Rival(control, "delete ticrypt-vm/", lambda: held.enter_context(exclusive(realm.registry.path)))
            return delete_vm(realm.session, rival, found, volumes=True, force=True)

    assert len(realm.task(job).volumes) == 1
    assert (realm.domains("h1"), realm.volumes("h1"), realm.journal()) == ({}, set(), [])
    (mine,) = realm.registry.reservations()
    assert mine.vm == "web"


def test_a_recovery_is_done_although_a_reservation_can_not_be_given_back(realm: World) -> None:
    """The journal forgets it: there is nothing left to do."""
    volumes = [{"pool": "ticrypt-vm", "volume": "web-11111111.qcow2"}]
    leave(realm, ("volumes", {}), operation="delete", host="h1", volumes=volumes)
    make_volume(realm)
    (left,) = survey(realm.session)
    realm.session.registry = HostRegistry(realm.registry.path, realm.session.clock, lock_deadline=0.2)

    def job(control: Control) -> CleanupAction:
        with ExitStack() as held:
            rival = Rival(control, "delete ticrypt-vm/", lambda: held.enter_context(exclusive(realm.registry.path)))
            return recover(realm.session, rival, left)

    assert realm.task(job) is CleanupAction.FINISH
    assert (realm.volumes("h1"), realm.journal()) == (set(), [])
