"""Where VMs go: the hosts as placement judges them, what stands in the way, and what is wished in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.codes import Check
from core.driver.migration.migration import MigrationMode
from core.driver.migration.survey import SourceReport
from core.errors import UsageError
from core.fleet.fleet import Connection
from core.operations.migration.options import MigrationOptions, error, fine, judged, warning
from core.operations.migration.plan import MigrationPlan, Passed
from core.operations.migration.target_room import Demand
from core.operations.tasks.task import Progress
from core.placement.engine.request import Request
from tests.tui import world as standing_world
from tests.tui.driving import dialog_text, ended, settle, text_of
from tests.tui.hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.screens.vms.vms_world import at_vms
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.forms.fields import YES
from tui.render.cells import plain
from tui.render.vms.host_ranking import BEST
from tui.render.vms.migration import migration_choice, plan_lines
from tui.screens.vms.host_table import HostChoice
from tui.screens.vms.migrate import MigrateVMs
from tui.widgets.fields import FieldRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from core.fleet.fleet import VM
    from tests.operations.vms.world import World

CONFIGURATION = standing_world.CONFIGURATION
FLEET = standing_world.saved().fleet()


def vm_of(host: str, number: int = 0) -> VM:
    """Return a VM of the world that stands still."""
    snapshot = FLEET.host(host)
    assert snapshot is not None
    return snapshot.vms[number]


async def in_dialog(pilot: Pilot[int], *keys: str) -> MigrateVMs:
    """Open the dialog and wait until what it asks for is known."""
    await pilot.press(*keys)
    await settle(pilot)
    dialog = pilot.app.screen
    assert isinstance(dialog, MigrateVMs)
    return dialog


def plan(**more: object) -> MigrationPlan:
    """Make a plan of moving a VM from h1 to h2, as checks give it."""
    moved, choice = vm_of("h1"), migration_choice(CONFIGURATION, FLEET, [vm_of("h1")], None)
    hosts = {snapshot.name: snapshot.host for snapshot in FLEET.hosts}
    wish = more.pop("wish", MigrationOptions())
    found = [
        error("storage", "vda is on no storage that h2 shares", "copy it", unless="--copy-storage"),
        error(Check.NAME, "another VM on h2 has the name web-00", "rename one of them"),
        warning(Check.ENCRYPTION, "memory is sent unencrypted over the network"),
        fine(Check.CPU, "the CPU of h2 provides all guest CPU features"),
    ]
    obstacles = judged(more.pop("obstacles", found), wish)  # type: ignore[arg-type]
    sight = type("Sight", (), {"active": True})()
    here = SourceReport.__new__(SourceReport)
    object.__setattr__(here, "sight", sight)
    return MigrationPlan(
        vm=moved, source=hosts["h1"], target=hosts["h2"], wish=wish, demand=Demand(Request(2, 1)),  # type: ignore[arg-type]
        verdict=choice.verdicts[0], verdicts=choice.verdicts, obstacles=obstacles, here=here, migrate_uri="",
        unsafe=False, passed_over=(Passed(host="h4", what="no scheduling"),),
    )  # fmt: skip


def words(found: MigrationPlan) -> str:
    """Return what the dialog says of a plan."""
    return "\n".join("".join(text for text, _ in line) for line in plan_lines(found))


# Judging -------------------------------------------------------------------------------------------------------------


def test_every_other_host_of_the_realm_is_judged() -> None:
    """The cheapest first, then those that refuse, with their reasons."""
    choice = migration_choice(CONFIGURATION, FLEET, [vm_of("h3", 2)], None)
    assert [verdict.host for verdict in choice.verdicts if verdict.feasible] == ["h7", "h1", "h2"]
    assert {verdict.host for verdict in choice.verdicts if not verdict.feasible} == {"h4", "h5", "h6", "h10"}
    assert choice.taken is choice.best is choice.verdicts[0]


def test_a_vm_with_devices_goes_only_where_such_are_free() -> None:
    """The others have none."""
    choice = migration_choice(CONFIGURATION, FLEET, [vm_of("h3")], None)
    assert choice.best is None
    assert {verdict.refusal.why.value for verdict in choice.verdicts if verdict.refusal is not None} >= {
        "no-free-device"
    }


def test_several_vms_are_put_onto_a_host_one_after_another() -> None:
    """It is told how many it takes, those that are there already among them."""
    vms = [vm_of("h1"), vm_of("h2"), vm_of("h7"), vm_of("h3")]
    choice = migration_choice(CONFIGURATION, FLEET, vms, "h1")
    assert choice.takes is not None
    assert (choice.count, choice.takes["h1"], choice.takes["h3"], choice.takes["h4"]) == (4, 3, 4, 0)
    crowd = list(standing_world.vms("h2", 120, 400))
    fleet = replace(FLEET, hosts=(*FLEET.hosts, standing_world.seen(standing_world.host("h9"), crowd)))
    crowded = migration_choice(CONFIGURATION, fleet, [replace(vm, host="h9") for vm in crowd], None)
    assert crowded.takes is not None
    assert 0 < crowded.takes["h1"] < 120


# What was found ------------------------------------------------------------------------------------------------------


def test_what_stands_in_the_way_is_told_with_what_goes_on_all_the_same() -> None:
    """What is well is only counted."""
    told = words(plan())
    assert "h1 → h2, live: 2 checks failed" in told
    assert "h4 skipped: no scheduling" in told
    assert "tick 'copy disks' to override" in told
    assert "→ rename one of them" in told
    assert "1 check passed" in told


def test_an_error_that_an_option_overrides_is_shown_as_ignored() -> None:
    """And counts no more."""
    told = words(plan(wish=MigrationOptions(copy_storage=True)))
    assert "1 check failed" in told
    assert "ignored storage" in told


# The dialog ----------------------------------------------------------------------------------------------------------


async def test_the_cursor_chooses_the_host_and_what_is_found_there_is_shown(realm: World) -> None:
    """The best first; each is asked only once."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        dialog = await in_dialog(pilot, "m")
        hosts = dialog.query_one(HostChoice)
        assert (hosts.cursor_key, dialog.host) == (BEST, None)
        assert "h1 → h2" in dialog_text(app)
        assert "ready to migrate" in dialog_text(app)
        assert not dialog.query_one("#do").disabled
        dialog = await in_dialog(pilot, "j")
        assert dialog.host == "h2"
        assert {wish.to for wish in dialog.plans} == {None, "h2"}
        row = hosts.model.row("h2")
        assert row is not None
        assert "chosen" in plain(row.cells[-1])
        await pilot.press("escape")
        await settle(pilot)
        assert not realm.session.tasks.views()


async def test_what_is_ticked_is_wished(realm: World) -> None:
    """What excludes each other is refused at once."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 3)
        dialog = await in_dialog(pilot, "m", "j")
        for key, value in (("mode", "p2p"), ("tls", YES), ("timeout", "5 minutes"), ("bandwidth", "100")):
            dialog.query_one(f"#field-{key}", FieldRow).write(value)
        await settle(pilot)
        expected = MigrationOptions(
            to="h2", mode=MigrationMode.P2P, tls=True, foreign=True, timeout=300.0, bandwidth=100
        )
        assert dialog.wish() == expected
        assert "Unmanaged: not created by the realm" in dialog_text(app)
        dialog.query_one("#field-offline", FieldRow).write(YES)
        await settle(pilot)
        with pytest.raises(UsageError):
            dialog.wish()
        assert "an offline move sends no memory" in dialog_text(app)
        assert dialog.query_one("#do").disabled
        dialog.query_one("#field-offline", FieldRow).write("")
        dialog.query_one("#field-bandwidth", FieldRow).write("fast")
        await settle(pilot)
        assert "a whole number" in dialog_text(app)


async def test_what_is_wished_is_done_as_a_task(realm: World) -> None:
    """One that fails says why; the VM stays where it was."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await in_dialog(pilot, "space", "space", "m")
        await pilot.press("enter", "enter")
        await ended(pilot)
        view = realm.last_task()
        assert (view.what, view.progress, view.error) == ("migrate", Progress.FAILED, "2 of 2 VMs failed")
        assert {step.what for step in view.steps} >= {"migrate a-runs", "migrate b-paused"}
        assert set(realm.domains("h1")) >= {"a-runs", "b-paused"}


async def test_several_are_checked_when_that_is_asked_for(realm: World) -> None:
    """Each with what was found first."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        dialog = await in_dialog(pilot, "space", "space", "m")
        assert "Each VM is checked before it moves" in dialog_text(app)
        dialog.check()
        await in_dialog(pilot, "k")
        assert "h1/a-runs  " in dialog_text(app)
        assert "h1/b-paused  " in dialog_text(app)


async def test_hostile_names_in_the_dialog_do_nothing() -> None:
    """Of VMs, hosts and realms, alone and all at once."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        assert app.fleet is not None
        vms = tuple(app.fleet.vms())
        for chosen in (*((vm,) for vm in vms), vms):
            await app.push_screen(MigrateVMs(chosen))
            await settle(pilot)
            assert_clean(app)
            await pilot.press("j")
            await settle(pilot)
            assert_clean(app)
            app.pop_screen()
            await settle(pilot)


@SIZES
@pytest.mark.parametrize("state", ["found", "several"])
def test_the_dialog(picture: Callable[..., bool], size: tuple[int, int], state: str) -> None:
    """With what was found for one; of several, one of them foreign. Hosts that refuse say why."""
    app = RealmsApp(standing_world.saved())
    silent = Connection.UNREACHABLE
    assert any(snapshot.connection is silent for snapshot in FLEET.hosts)

    async def prepare(pilot: Pilot[int]) -> None:
        await settle(pilot)
        vms = [vm_of("h1")] if state == "found" else [vm_of("h1"), vm_of("h3", 2), vm_of("h3", 4)]
        dialog = MigrateVMs(vms)
        await app.push_screen(dialog)
        await settle(pilot)
        if state == "found":
            dialog.background.forget("check")
            dialog._learn(dialog.wish(), plan())
        await settle(pilot)

    assert picture(app, size, prepare=prepare)


async def test_the_dialog_is_there_at_once(realm: World) -> None:
    """Whatever its hosts take to answer: they are asked while one reads."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await pilot.press("m")
        await settle(pilot)
        assert len(app.screen.query_one(HostChoice).model.shown) == 2
        assert "Migrate" in text_of(app.screen.query_one("#do"))
