"""The deletion of VMs from its dialog, on real hosts of the test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button

from core.driver.storage.volumes import Volume
from core.hosts import HostState
from core.operations.tasks.task import Progress
from core.operations.vms.delete import Deletion, OwnVolumes
from core.operations.vms.queries import DeletionPreview
from core.operations.vms.target import targets_now
from tests.operations.vms.world import GIB
from tests.tui.driving import dialog_text, ended, settle, told
from tests.tui.screens.vms.disks_world import (
    DRIVES,
    SNAPSHOTS,
    at_web,
    furnished,
    stand_still,
    tick,
    turn_off,
)
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.screens.vms.delete import DeleteVMs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from core.driver.connection.connection import HostConnection
    from tests.operations.vms.world import World


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[World]:
    """h1 runs the VM web, with a drive of its own; another drive is free."""
    with furnished(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("ticked", "stay"),
    [((), {"ticrypt-vm", DRIVES}), (("volumes",), {DRIVES}), (("volumes", "drives"), set())],
    ids=["nothing", "boot volume", "all"],
)
async def test_what_goes_with_a_vm_is_listed_and_goes(realm: World, ticked: tuple[str, ...], stay: set[str]) -> None:
    """Volume by volume, before and after it is ticked; what stays is told."""
    own = {volume for volume in realm.volumes("h1") if volume != f"{DRIVES}/free.qcow2"}
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("delete")
        await settle(pilot)
        for volume in own:
            assert f"{volume}" in dialog_text(app)
        assert "  delete " not in dialog_text(app)
        tick(app, *ticked)
        await settle(pilot)
        assert dialog_text(app).count("  delete ") == len(ticked)
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
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("slash", *"^web$", "enter", "delete")
        await settle(pilot)
        assert "cannot delete" in dialog_text(app)
        assert "h1/other" in dialog_text(app)
        tick(app, "drives")
        await settle(pilot)
        assert app.screen.query_one("#do", Button).disabled
        await pilot.press("escape")
        await settle(pilot)
        assert drive in realm.volumes("h1")


async def test_an_active_vm_is_not_offered_for_deletion(realm: World) -> None:
    """It has to be shut down first."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await pilot.press("delete")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert any(message.startswith("h1/web is not shut off.") for message in told(app))


async def test_volumes_go_although_a_host_is_disabled_only_where_that_is_ticked(realm: World) -> None:
    """A VM there goes on running, and may have them; the definition alone can go in any case."""
    realm.session.set_state("h2", HostState.DISABLED)
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("delete")
        await settle(pilot)
        button = app.screen.query_one("#do", Button)
        assert not button.disabled
        assert "Cannot verify that no other VM uses it; not asked: h2" in dialog_text(app)
        tick(app, "volumes")
        await settle(pilot)
        assert button.disabled
        tick(app, "unasked")
        await settle(pilot)
        assert not button.disabled
        button.focus()
        await pilot.press("enter")
        await ended(pilot)
        assert realm.last_task().progress is Progress.DONE
        assert any("not asked: h2" in each for each in realm.last_task().warnings)
        assert not realm.domains("h1")
        assert not any(volume.startswith("ticrypt-vm/") for volume in realm.volumes("h1"))


@SIZES
@pytest.mark.parametrize("what", ["delete", "unasked"])
def test_the_dialogs(picture: Callable[..., bool], realm: World, size: tuple[int, int], what: str) -> None:
    """With what goes and what can't, and where a host could not be asked."""
    app = RealmsApp(realm.session)

    async def prepare(pilot: Pilot[int]) -> None:
        await at_web(pilot)
        await turn_off(pilot, realm)
        await pilot.press("delete")
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, DeleteVMs)
        dialog._learn(_standing_deletion(realm, "not asked: h2: the host is disabled" if what == "unasked" else ""))
        tick(app, "volumes")
        await stand_still(pilot)

    assert picture(app, size, prepare=prepare)


def _standing_deletion(realm: World, doubt: str) -> tuple[DeletionPreview, ...]:
    def volume(pool: str, name: str) -> Volume:
        return Volume(pool=pool, name=name, path=f"/{pool}/{name}", format="qcow2", capacity=8 * GIB, allocation=GIB)

    volumes = OwnVolumes(
        (volume("ticrypt-vm", "web.qcow2"),), (volume(DRIVES, "web-data.qcow2"),), ("/srv/images/debian.iso",)
    )
    target = targets_now(realm.session, ["h1/web"])[0]
    return (
        DeletionPreview(target, volumes, SNAPSHOTS[:1], drives_used="web-data.qcow2 is used by h2/db", doubt=doubt),
    )


def test_a_deletion_says_what_it_takes() -> None:
    """Nothing, unless it is ticked."""
    assert Deletion() == Deletion(volumes=False, drives=False, snapshots=False)
