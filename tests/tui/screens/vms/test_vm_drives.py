"""The drives of VMs from their dialog, on real hosts of the test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button

from core.driver.vms.disk_devices import Disk, DiskSet
from core.operations.vms.queries import VMDrives
from tests.tui.driving import dialog_text, ended, grid_of, settle, told
from tests.tui.screens.vms.disks_world import DRIVES, at_web, furnished, stand_still, turn_off
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.screens.dialogs.form import VMForm
from tui.screens.dialogs.picker import Picker
from tui.screens.vms.area import VMsScreen
from tui.screens.vms.drives import DriveList
from tui.widgets.fields import FieldRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.operations.vms.world import World


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[World]:
    """h1 runs the VM web, with a drive of its own; another drive is free."""
    with furnished(tmp_path) as made:
        yield made


async def test_a_free_drive_is_attached_and_detached(realm: World) -> None:
    """Chosen from the list of those that there are, which says whose they are."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("v")
        await settle(pilot)
        assert isinstance(app.screen, DriveList)
        assert [row.key for row in grid_of(app).model.shown] == ["vda", "vdb"]
        assert f"1 of 2 drives in {DRIVES} unattached" in dialog_text(app)
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
        assert any(message.startswith("h1/web: drive free.qcow2 attached as vdc") for message in told(app))
        await settle(pilot)
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
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await pilot.press("v")
        await settle(pilot)
        await pilot.press("delete")
        await settle(pilot)
        assert isinstance(app.screen, DriveList)
        assert "vda is not in the drives pool: only drives can be detached." in told(app)


async def test_the_size_of_a_new_drive_is_checked_while_it_is_written(realm: World) -> None:
    """By the realm's bounds; its name too."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await pilot.press("v")
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        assert isinstance(app.screen, VMForm)
        rows = {key: app.screen.query_one(f"#field-{key}", FieldRow) for key in ("name", "size")}
        assert rows["name"].value == "web-drive1.qcow2"
        for size, said in (("", "a size, e.g."), ("2 GiB", "max-size"), ("512 KiB", "min-size"), ("2 MiB", "")):
            rows["size"].write(size)
            await settle(pilot)
            assert said in rows["size"]._told[0]
            assert app.screen.query_one("#do", Button).disabled == bool(said)
        rows["name"].write("free.qcow2")
        await settle(pilot)
        assert rows["name"]._told[0] == "a drive of that name exists"


async def test_a_list_that_was_closed_does_not_mind_the_end_of_its_task(realm: World) -> None:
    """What came of it is told all the same."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("v")
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        app.screen.query_one("#do").focus()
        await pilot.press("enter", "escape")
        await settle(pilot)
        assert isinstance(app.screen, VMsScreen)
        await ended(pilot)
        assert any(message.startswith("h1/web: drive free.qcow2 attached as vdc") for message in told(app))


@SIZES
@pytest.mark.parametrize("what", ["drives"])
def test_the_dialogs(picture: Callable[..., bool], realm: World, size: tuple[int, int], what: str) -> None:
    """With drives that the VM has, and a host that could not be asked who has them."""
    app = RealmsApp(realm.session)

    async def prepare(pilot: Pilot[int]) -> None:
        await at_web(pilot)
        await pilot.press("v")
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, DriveList), what
        dialog.show(_standing_drives())
        dialog.background.close()
        dialog._learn_users(_standing_drives())
        await stand_still(pilot)

    assert picture(app, size, prepare=prepare)


def _standing_drives() -> VMDrives:
    boot = Disk(target="vda", format="qcow2", path="/p/web.qcow2")
    drive = Disk(target="vdb", format="qcow2", pool=DRIVES, volume="data.qcow2")
    disks = DiskSet(active=True, persistent=True, present=(boot, drive), stored=(boot,))
    return VMDrives(disks, DRIVES, (), {"data.qcow2": ("h1/web (running)",)}, "h2: no answer within 20 s")
