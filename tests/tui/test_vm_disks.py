"""Deletion, snapshots and drives of VMs from their dialogs, on real hosts of the test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button

from core.driver.disk_devices import Disk, DiskSet
from core.driver.snapshots import CopiedDisk, Snapshot
from core.driver.volumes import NewVolume, Volume, create_volume
from core.errors import HostTimeout
from core.fleet import VMState
from core.operations.create import create_vm
from core.operations.delete import OwnVolumes
from core.operations.tasks import Progress
from core.operations.vm_order import NewDrive
from tests.tui import world as standing_world
from tests.tui.test_app import SIZE, grid_of, settle
from tests.tui.test_host_actions import dialog_text, told
from tests.tui.test_hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.test_tasks_screen import ended
from tests.vms.world import GIB, MIB, open_door, order, world
from tui.app import RealmsApp
from tui.screens.vm_delete import DeleteVMs
from tui.screens.vm_drives import DriveList
from tui.screens.vm_form import VMForm
from tui.screens.vm_listing import VMListing
from tui.screens.vm_picker import Picker
from tui.screens.vm_snapshots import SnapshotList
from tui.screens.vms import VMsScreen
from tui.vm_disk_jobs import Deletion
from tui.vm_inquiries import Doomed, VMDrives
from tui.vm_jobs import find
from tui.widgets.fields import YES, FieldRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from core.driver.connection import HostConnection
    from tests.vms.world import World

DRIVES = "ticrypt-vm-drives"
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[World]:
    """h1 runs the VM web, with a drive of its own; another drive is free."""
    with open_door() as door, world(tmp_path, door=door) as made:
        made.task(
            lambda control: create_vm(made.workplace, control, order("web", drives=(NewDrive(2 * MIB),), host="h1"))
        )

        def free(connection: HostConnection) -> object:
            return create_volume(connection, DRIVES, NewVolume(name="free.qcow2", capacity=MIB))

        made.call("h1", free)
        yield made


async def at_web(pilot: Pilot[int]) -> RealmsApp:
    """Go to the VM, once it is seen."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    for _ in range(1000):
        await pilot.pause(0.02)
        if app.fleet is not None and any(app.fleet.vms()):
            break
    await pilot.press("2")
    await settle(pilot)
    return app


async def turn_off(pilot: Pilot[int], realm: World) -> None:
    """Turn the VM off, and wait until that is seen."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    realm.call("h1", lambda connection: connection.handle.lookupByName("web").destroy())
    for _ in range(1000):
        await pilot.pause(0.02)
        if app.fleet is not None and all(vm.state is VMState.OFF for vm in app.fleet.vms()):
            break
    await settle(pilot)


async def answered(pilot: Pilot[int]) -> None:
    """Wait until the dialog in front knows what it asked for."""
    for _ in range(1500):
        await pilot.pause(0.02)
        dialog = pilot.app.screen
        if isinstance(dialog, DeleteVMs | VMListing) and not dialog._inquiries.pending:
            break
    await settle(pilot)


def tick(app: RealmsApp, *keys: str) -> None:
    """Tick boxes of the dialog in front."""
    for key in keys:
        app.screen.query_one(f"#field-{key}", FieldRow).write(YES)


# Deletion ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ticked", "stay"),
    [((), {"ticrypt-vm", DRIVES}), (("volumes",), {DRIVES}), (("volumes", "drives"), set())],
    ids=["nothing", "boot volume", "all"],
)
async def test_what_goes_with_a_vm_is_listed_and_goes(realm: World, ticked: tuple[str, ...], stay: set[str]) -> None:
    """Volume by volume, before and after it is ticked; what stays is told."""
    own = {volume for volume in realm.volumes("h1") if volume != f"{DRIVES}/free.qcow2"}
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("delete")
        await answered(pilot)
        for volume in own:
            assert f"{volume}" in dialog_text(app)
        assert "goes" not in dialog_text(app)
        tick(app, *ticked)
        await settle(pilot)
        assert dialog_text(app).count("  goes ") == len(ticked)
        focused = app.screen.focused
        assert focused is not None
        assert focused.id == "cancel"
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await ended(pilot)
        assert realm.last_task().progress is Progress.DONE
        assert not realm.domains("h1")
        assert {volume.partition("/")[0] for volume in realm.volumes("h1") & own} == stay
        assert len(realm.last_task().warnings) == len(stay)


async def test_what_another_vm_uses_can_not_go_and_the_button_says_so(realm: World) -> None:
    """Without its drives the VM can be deleted all the same."""
    drive = next(volume for volume in realm.volumes("h1") if volume.startswith(f"{DRIVES}/web"))

    def borrow(connection: HostConnection) -> None:
        xml = connection.handle.lookupByName("web").XMLDesc(0)
        uuid = connection.handle.lookupByName("web").UUIDString()
        connection.handle.defineXML(xml.replace("<name>web<", "<name>other<").replace(uuid, f"{uuid[:-4]}ffff"))

    realm.call("h1", borrow)
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("slash", *"^web$", "enter", "delete")
        await answered(pilot)
        assert "can't go" in dialog_text(app)
        assert "h1/other" in dialog_text(app)
        tick(app, "drives")
        await settle(pilot)
        assert app.screen.query_one("#do", Button).disabled
        await pilot.press("escape")
        await settle(pilot)
        assert drive in realm.volumes("h1")


async def test_an_active_vm_is_not_offered_for_deletion(realm: World) -> None:
    """It has to be shut down first."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await pilot.press("delete")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert any(message.startswith("h1/web is active.") for message in told(app))


# Drives --------------------------------------------------------------------------------------------------------------


async def test_a_free_drive_is_attached_and_detached(realm: World) -> None:
    """Chosen from the list of those that there are, which says whose they are."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("v")
        await answered(pilot)
        assert isinstance(app.screen, DriveList)
        assert [row.key for row in grid_of(app).model.shown] == ["vda", "vdb"]
        assert f"1 of 2 drives of {DRIVES} belong to no VM" in dialog_text(app)
        await pilot.press("a")
        await settle(pilot)
        assert isinstance(app.screen, Picker)
        assert [row.key for row in grid_of(app).model.shown] == ["free.qcow2"]
        await pilot.press("enter")
        await settle(pilot)
        assert "free.qcow2" in dialog_text(app)
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await ended(pilot)
        assert any(message.startswith("h1/web: drive free.qcow2 is vdc") for message in told(app))
        await answered(pilot)
        assert "free.qcow2" in realm.domains("h1")["web"]
        assert [row.key for row in grid_of(app).model.shown] == ["vda", "vdb", "vdc"]
        await pilot.press("G", "delete")
        await settle(pilot)
        assert "The drive and its data stay" in dialog_text(app)
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await ended(pilot)
        assert "free.qcow2" not in realm.domains("h1")["web"]
        assert f"{DRIVES}/free.qcow2" in realm.volumes("h1")


async def test_only_drives_are_detached(realm: World) -> None:
    """The boot volume is none."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await pilot.press("v")
        await answered(pilot)
        await pilot.press("delete")
        await settle(pilot)
        assert isinstance(app.screen, DriveList)
        assert "vda is not in the drives pool: only drives are detached." in told(app)


async def test_the_size_of_a_new_drive_is_checked_while_it_is_written(realm: World) -> None:
    """By the realm's bounds; its name too."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await pilot.press("v")
        await answered(pilot)
        await pilot.press("n")
        await settle(pilot)
        assert isinstance(app.screen, VMForm)
        rows = {key: app.screen.query_one(f"#field-{key}", FieldRow) for key in ("name", "size")}
        assert rows["name"].value == "web-drive1.qcow2"
        for size, said in (("", "a size, such as"), ("2 GiB", "max-size"), ("512 KiB", "min-size"), ("2 MiB", "")):
            rows["size"].write(size)
            await settle(pilot)
            assert said in rows["size"]._told[0]
            assert app.screen.query_one("#do", Button).disabled == bool(said)
        rows["name"].write("free.qcow2")
        await settle(pilot)
        assert rows["name"]._told[0] == "there is a drive of that name"


async def test_a_list_that_was_closed_does_not_mind_the_end_of_its_task(realm: World) -> None:
    """What came of it is told all the same."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("v")
        await answered(pilot)
        await pilot.press("a")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        app.screen.query_one("#do").focus()
        await pilot.press("enter", "escape")
        await settle(pilot)
        assert isinstance(app.screen, VMsScreen)
        await ended(pilot)
        assert any(message.startswith("h1/web: drive free.qcow2 is vdc") for message in told(app))


# Snapshots -----------------------------------------------------------------------------------------------------------


async def test_a_snapshot_that_the_host_refuses_is_told_with_the_reason(realm: World) -> None:
    """The test driver has no disks that could be copied; a name that makes no file name is refused at once."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(app.screen, VMForm)
        name = app.screen.query_one("#field-name", FieldRow)
        name.write("../x")
        await settle(pilot)
        assert "letters, digits" in name._told[0]
        assert app.screen.query_one("#do", Button).disabled
        name.write("monday")
        await settle(pilot)
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await ended(pilot)
        view = realm.last_task()
        assert (view.what, view.target, view.progress) == ("snapshot", "h1/web", Progress.FAILED)
        assert "no disks that could be copied" in view.error


async def test_a_vm_without_snapshots_says_so(realm: World) -> None:
    """And how to take one."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await pilot.press("b")
        await answered(pilot)
        assert isinstance(app.screen, SnapshotList)
        assert not grid_of(app).model.shown
        await pilot.press("r", "delete")
        await settle(pilot)
        assert isinstance(app.screen, SnapshotList)
        await pilot.press("n")
        await settle(pilot)
        assert isinstance(app.screen, VMForm)


async def test_an_incomplete_snapshot_is_only_deleted(realm: World) -> None:
    """A complete one is gone back to; of one that runs the power has to be cut first."""
    app = RealmsApp(realm.workplace)
    async with app.run_test(size=SIZE) as pilot:
        await at_web(pilot)
        await pilot.press("b")
        await answered(pilot)
        dialog = app.screen
        assert isinstance(dialog, SnapshotList)
        dialog.show(SNAPSHOTS)
        await pilot.press("G", "r")
        await settle(pilot)
        assert app.screen is dialog
        assert "torn is incomplete: it can only be deleted." in told(app)
        await pilot.press("g", "enter")
        await settle(pilot)
        assert isinstance(app.screen, VMForm)
        assert "What was written to these disks since is lost" in dialog_text(app)
        tick(app, "cut", "start")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await ended(pilot)
        view = realm.last_task()
        assert (view.what, view.target, view.progress) == ("restore", "h1/web", Progress.FAILED)


SNAPSHOTS = (
    Snapshot(
        name="before-update", uuid="u", vm="web", taken_at=standing_world.NOW - 7200, consistency="crash",
        disks=(CopiedDisk(target="vda", copy="c", pool="p", volume="v", format="qcow2", capacity=8 * GIB),),
        allocation=3 * GIB,
    ),
    Snapshot(name="20261101T120000Z", uuid="u", taken_at=standing_world.NOW - 1_900_000, consistency="filesystem"),
    Snapshot(name="torn", uuid="u", complete=False, problem="its record is missing", allocation=MIB),
)  # fmt: skip


# Hostile names and whole screens -------------------------------------------------------------------------------------


async def test_hostile_names_in_the_dialogs_do_nothing() -> None:
    """Of VMs, hosts, volumes, snapshots, users, and in what hosts say."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await settle(pilot)
        work = app.screen
        assert isinstance(work, VMsScreen)
        assert app.fleet is not None
        for vm in app.fleet.vms():
            name = vm.name
            snapshots = SnapshotList(work, vm)
            await app.push_screen(snapshots)
            await settle(pilot)
            assert_clean(app)
            snapshots.show((Snapshot(name=name, uuid=name, vm=name, problem=name, complete=False),))
            await settle(pilot)
            assert_clean(app)
            app.pop_screen()
            drives = DriveList(work, vm)
            await app.push_screen(drives)
            await settle(pilot)
            drives._inquiries.close()
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


@SIZES
@pytest.mark.parametrize("what", ["snapshots", "no-snapshots", "drives", "silent", "restore", "delete"])
def test_the_dialogs(snap_compare: Callable[..., bool], realm: World, size: tuple[int, int], what: str) -> None:
    """With entries, without, of a host that does not answer."""
    app = RealmsApp(realm.workplace)

    async def prepare(pilot: Pilot[int]) -> None:
        await at_web(pilot)
        if what == "delete":
            await turn_off(pilot, realm)
        await pilot.press({"drives": "v", "delete": "delete"}.get(what, "b"))
        await answered(pilot)
        dialog = app.screen
        if what in ("snapshots", "restore"):
            assert isinstance(dialog, SnapshotList)
            realm.workplace.clock = standing_world.FixedClock()
            dialog.show(SNAPSHOTS)
        if what == "restore":
            await pilot.press("r")
        if what == "silent":
            assert isinstance(dialog, SnapshotList)
            dialog._fail(HostTimeout("h1", "no answer within 20 s", hint="is libvirtd hung?"))
        if what == "drives":
            assert isinstance(dialog, DriveList)
            dialog.show(_standing_drives())
            dialog._inquiries.close()
            dialog._learn_users(_standing_drives())
        if what == "delete":
            assert isinstance(dialog, DeleteVMs)
            dialog._learn(_standing_deletion(realm))
            tick(app, "volumes")
        for behind in app.screen_stack[:-1]:  # a fleet that lives: its figures are other ones in each run
            for part in behind.children:
                part.display = False
        await settle(pilot)
        app.workplace.close()

    assert snap_compare(app, terminal_size=size, run_before=prepare)


def _standing_drives() -> VMDrives:
    boot = Disk(target="vda", format="qcow2", path="/p/web.qcow2")
    drive = Disk(target="vdb", format="qcow2", pool=DRIVES, volume="data.qcow2")
    disks = DiskSet(active=True, persistent=True, present=(boot, drive), stored=(boot,))
    return VMDrives(disks, DRIVES, (), {"data.qcow2": ("h1/web (running)",)}, "h2: no answer within 20 s")


def _standing_deletion(realm: World) -> tuple[Doomed, ...]:
    def volume(pool: str, name: str) -> Volume:
        return Volume(pool=pool, name=name, path=f"/{pool}/{name}", format="qcow2", capacity=8 * GIB, allocation=GIB)

    volumes = OwnVolumes(
        (volume("ticrypt-vm", "web.qcow2"),), (volume(DRIVES, "web-data.qcow2"),), ("/srv/images/debian.iso",)
    )
    target = find(realm.workplace, ["h1/web"])[0]
    return (Doomed(target, volumes, SNAPSHOTS[:1], drives_used="web-data.qcow2 is used by h2/db"),)


def test_a_deletion_says_what_it_takes() -> None:
    """Nothing, unless it is ticked."""
    assert Deletion() == Deletion(volumes=False, drives=False, snapshots=False)
