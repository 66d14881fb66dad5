"""The snapshots of VMs from their dialogs, and going back to one, on real hosts of the test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button

from core.errors import HostTimeout
from core.operations.tasks.task import Progress
from tests.tui import world as standing_world
from tests.tui.driving import dialog_text, ended, grid_of, settle, told
from tests.tui.screens.vms.disks_world import SNAPSHOTS, at_web, furnished, stand_still, tick
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.screens.dialogs.form import VMForm
from tui.screens.vms.snapshots import SnapshotList
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


async def test_a_snapshot_that_the_host_refuses_is_told_with_the_reason(realm: World) -> None:
    """The test driver has no disks that could be copied; a name that makes no file name is refused at once."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
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
        assert "no disks to copy" in view.error


async def test_a_vm_without_snapshots_says_so(realm: World) -> None:
    """And how to take one."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await pilot.press("b")
        await settle(pilot)
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
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await pilot.press("b")
        await settle(pilot)
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
        assert "Changes on these disks since then are lost" in dialog_text(app)
        tick(app, "cut", "start")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await ended(pilot)
        view = realm.last_task()
        assert (view.what, view.target, view.progress) == ("restore", "h1/web", Progress.FAILED)


@SIZES
@pytest.mark.parametrize("what", ["snapshots", "no-snapshots", "silent", "restore"])
def test_the_dialogs(picture: Callable[..., bool], realm: World, size: tuple[int, int], what: str) -> None:
    """With entries, without, of a host that does not answer, and before going back to one."""
    app = RealmsApp(realm.session)

    async def prepare(pilot: Pilot[int]) -> None:
        await at_web(pilot)
        await pilot.press("b")
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, SnapshotList)
        if what in ("snapshots", "restore"):
            realm.session.clock = standing_world.FixedClock()
            dialog.show(SNAPSHOTS)
        if what == "restore":
            await pilot.press("r")
        if what == "silent":
            dialog._fail(HostTimeout("h1", "no answer within 20 s", hint="is libvirtd hung?"))
        await stand_still(pilot)

    assert picture(app, size, prepare=prepare)
