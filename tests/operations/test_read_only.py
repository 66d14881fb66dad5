"""Where nothing may be changed, nothing is: one gate in front of every step that changes something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ReadOnly, RealmsError
from core.operations.session import Session
from core.operations.storage.images import create_drive, upload_brick
from core.operations.storage.orphaned_volumes import delete_volume
from core.operations.storage.pool_removal import remove_pools
from core.operations.storage.pool_report import PoolRole
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control, Progress
from core.operations.vms.create import create_vm
from core.operations.vms.delete import delete_vm
from core.operations.vms.drives import attach_drive, make_drive
from core.operations.vms.lookup import resolve_vm
from core.operations.vms.power import Action, act
from core.operations.vms.start import start_vm
from core.operations.vms.target import Target
from tests.driver.worlds import LONG
from tests.operations.vms.world import MIB, World, order, world

Job = Callable[[Session, Control, Target, Path], object]

OPERATIONS: dict[str, Job] = {
    "create a VM": lambda session, control, *_: create_vm(session, control, order("other", wait=False)),
    "start": lambda session, control, vm, _: start_vm(session, control, vm, wait=False),
    "delete": lambda session, control, vm, _: delete_vm(session, control, vm, volumes=True, force=True),
    "attach a drive": lambda session, control, vm, _: attach_drive(session, control, resolve_vm(session, vm), "d"),
    "make a drive": lambda session, control, vm, _: make_drive(session, control, resolve_vm(session, vm), "e", MIB),
    "create a drive": lambda _, control, vm, __: create_drive(control, vm.realm, [vm.host], "e", size=MIB),
    "upload a brick": lambda _, control, vm, file: upload_brick(control, vm.realm, [vm.host], file, name="e"),
    "delete a drive": lambda session, control, vm, _: delete_volume(
        session, control, vm.realm, [vm.host], name="d", role=PoolRole.DRIVES, force=True
    ),
    "remove pools": lambda session, control, vm, _: remove_pools(
        session, control, vm.realm, [vm.host], [PoolRole.SNAPSHOTS]
    ),
    "remove a host": lambda session, *_: session.remove_host("h1"),
    **{
        f"{action} a VM": lambda session, control, vm, _, action=action: act(session, control, vm, action)
        for action in Action
        if action not in (Action.RESUME, Action.DISCARD_SAVE)  # no changes for a VM that runs, or is off
    },
}


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[World]:
    """Make a realm of one host with a running VM and a drive."""
    with world(tmp_path, hosts=1) as made:
        made.task(lambda control: create_vm(made.session, control, order(wait=False)))
        realm = made.session.configuration.realms["main"]
        made.task(lambda control: create_drive(control, realm, made.hosts, "d", size=MIB))
        yield made


def test_no_operation_changes_anything_where_nothing_may_be_changed(realm: World, tmp_path: Path) -> None:
    """Not the domains, not the volumes, not the registry; each says so."""
    image = tmp_path / "image.raw"
    image.write_bytes(b"\0" * MIB)
    closed = Session(realm.session.configuration, registry=realm.registry, read_only=True)
    closed._watch = realm.session.connect()  # the embedded driver's hosts live in their connection
    host, before = realm.hosts[0], (realm.domains("h1"), realm.volumes("h1"), realm.registry.path.read_bytes())
    (vm,) = realm.session.settled_fleet(LONG).vms()
    target = Target(vm, host, closed.configuration.realms["main"])
    for name, job in OPERATIONS.items():
        task = closed.tasks.run(name, "", lambda control, job=job: job(closed, control, target, image))
        with pytest.raises(RealmsError) as raised:
            task.outcome.result(LONG)
        told = f"{raised.value!r} {getattr(raised.value, 'report', '')}"  # of several hosts each says it
        assert isinstance(raised.value, ReadOnly) or "read-only mode" in told, (name, told)
    assert (realm.domains("h1"), realm.volumes("h1"), realm.registry.path.read_bytes()) == before
    assert realm.journal() == []


@pytest.mark.parametrize("kind", StepKind)
def test_a_step_passes_the_gate_only_where_it_changes_nothing(realm: World, kind: StepKind) -> None:
    """Every kind of step is one or the other; what is undone was allowed before."""
    closed = Session(realm.session.configuration, registry=realm.registry, read_only=True)

    def job(control: Control) -> None:
        with control.step(kind, "x"):
            pass

    task: Any = closed.tasks.run("x", "", job)
    if kind.changes:
        with pytest.raises(ReadOnly):
            task.outcome.result(LONG)
    else:
        task.outcome.result(LONG)
    assert (task.view.progress is Progress.FAILED) is kind.changes
