"""Hostile names in the dialogs about the disks of VMs."""

from __future__ import annotations

from core.driver.vms.disk_devices import Disk, DiskSet
from core.driver.vms.snapshots import Snapshot
from core.errors import HostTimeout
from core.operations.vms.queries import VMDrives
from tests.tui.driving import settle
from tests.tui.hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.screens.vms.area import VMsScreen
from tui.screens.vms.delete import DeleteVMs
from tui.screens.vms.drives import DriveList
from tui.screens.vms.snapshots import SnapshotList


async def test_hostile_names_in_the_dialogs_do_nothing() -> None:
    """Of VMs, hosts, volumes, snapshots, users, and in what hosts say."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2")
        await settle(pilot)
        work = app.screen
        assert isinstance(work, VMsScreen)
        assert app.fleet is not None
        for vm in app.fleet.vms():
            name = vm.name
            snapshots = SnapshotList(work.run_on, vm)
            await app.push_screen(snapshots)
            await settle(pilot)
            assert_clean(app)
            snapshots.show((Snapshot(name=name, uuid=name, vm=name, problem=name, complete=False),))
            await settle(pilot)
            assert_clean(app)
            app.pop_screen()
            drives = DriveList(work.run_on, vm)
            await app.push_screen(drives)
            await settle(pilot)
            drives.background.close()
            drives.show(_drives(name))
            drives._learn_users(_drives(name))
            await pilot.press("a")
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape", "n")
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape", "delete")
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape", "escape")
            deletion = DeleteVMs([vm])
            await app.push_screen(deletion)
            await settle(pilot)
            deletion._fail(HostTimeout(vm.host, name, hint=name))
            await settle(pilot)
            assert_clean(app)
            app.pop_screen()
            await settle(pilot)


def _drives(name: str) -> VMDrives:
    disk = Disk(target=name, format=name, path=f"/x/{name}", pool=name, volume=name)
    disks = DiskSet(active=True, persistent=True, present=(disk,), stored=())
    return VMDrives(disks, name, (), {name: (name,)}, name)
