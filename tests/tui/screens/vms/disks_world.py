"""A VM with disks for its dialogs, on real hosts of the test driver, and steps that tests of them have in common."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from core.driver.storage.volumes import NewVolume, create_volume
from core.driver.vms.snapshots import CopiedDisk, Snapshot
from core.fleet.fleet import VMState
from core.operations.vms.create import create_vm
from core.operations.vms.spec import NewDrive
from tests.operations.vms.world import GIB, MIB, open_door, order, world
from tests.tui import world as standing_world
from tests.tui.driving import settle, until
from tui.app.app import RealmsApp
from tui.forms.fields import YES
from tui.widgets.fields import FieldRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from core.driver.connection.connection import HostConnection
    from tests.operations.vms.world import World

DRIVES = "ticrypt-vm-drives"
SNAPSHOTS = (
    Snapshot(
        name="before-update", uuid="u", vm="web", taken_at=standing_world.NOW - 7200, consistency="crash",
        disks=(CopiedDisk(target="vda", copy="c", pool="p", volume="v", format="qcow2", capacity=8 * GIB),),
        allocation=3 * GIB,
    ),
    Snapshot(name="20261101T120000Z", uuid="u", taken_at=standing_world.NOW - 1_900_000, consistency="filesystem"),
    Snapshot(name="torn", uuid="u", complete=False, problem="its record is missing", allocation=MIB),
)  # fmt: skip


@contextlib.contextmanager
def furnished(folder: Path) -> Iterator[World]:
    """Make a realm where h1 runs the VM web, with a drive of its own; another drive is free."""
    with open_door() as door, world(folder, door=door) as made:
        made.task(
            lambda control: create_vm(made.session, control, order("web", drives=(NewDrive(2 * MIB),), host="h1"))
        )

        def free(connection: HostConnection) -> object:
            return create_volume(connection, DRIVES, NewVolume(name="free.qcow2", capacity=MIB))

        made.call("h1", free)
        yield made


async def at_web(pilot: Pilot[int]) -> RealmsApp:
    """Go to the VM, once it is seen."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    await until(pilot, lambda: app.fleet is not None and any(app.fleet.vms()))
    await pilot.press("2")
    await settle(pilot)
    return app


async def turn_off(pilot: Pilot[int], realm: World) -> None:
    """Turn the VM off, and wait until that is seen."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    realm.call("h1", lambda connection: connection.handle.lookupByName("web").destroy())
    await until(pilot, lambda: app.fleet is not None and all(vm.state is VMState.OFF for vm in app.fleet.vms()))


def tick(app: RealmsApp, *keys: str) -> None:
    """Tick boxes of the dialog in front."""
    for key in keys:
        app.screen.query_one(f"#field-{key}", FieldRow).write(YES)


async def stand_still(pilot: Pilot[int]) -> None:
    """Hide what lives behind the dialogs, and let go of the hosts: a picture has no figures that differ in each run."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    for behind in app.screen_stack[:-1]:
        for part in behind.children:
            part.display = False
    await settle(pilot)
    app.session.close()
