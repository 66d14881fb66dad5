"""What is done to VMs from the screens, on real hosts of the test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.fleet.fleet import VMState
from core.operations.tasks.task import Progress
from core.operations.vms.power import NotShutDown, act
from core.operations.vms.target import targets_now
from tests.tui import world as standing_world
from tests.tui.driving import dialog_text, ended, grid_of, settle, told, until
from tests.tui.hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.screens.vms.vms_world import STATES, at_vms
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.jobs.vms import shutdown_job
from tui.render.vms.actions import VMAction
from tui.render.vms.questions import ask_action
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.form import VMForm
from tui.screens.vms.actions import offer_to_cut_power
from tui.screens.vms.delete import DeleteVMs
from tui.screens.vms.keys import VM_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from core.operations.session import Session
    from core.operations.tasks.task import Control
    from core.operations.vms.power import Done
    from core.operations.vms.target import Target
    from tests.operations.vms.world import World


def state(realm: World, name: str) -> VMState | None:
    """Return a VM's state as last seen; None where it is gone."""
    return next((vm.state for vm in realm.session.fleet().vms() if vm.name == name), None)


@pytest.mark.parametrize(
    ("key", "row", "after", "said"),
    [
        ("u", 2, VMState.RUNNING, "h1/c-off: started"),
        ("d", 0, VMState.OFF, "h1/a-runs: shut off"),
        ("r", 0, VMState.RUNNING, "h1/a-runs: asked to reboot"),
        ("p", 0, VMState.PAUSED, "h1/a-runs: paused"),
        ("P", 1, VMState.RUNNING, "h1/b-paused: running"),
        ("x", 1, VMState.OFF, "h1/b-paused: shut off"),
        ("x", 3, VMState.OFF, "h1/d-foreign: shut off"),
        ("delete", 2, None, "h1/c-off: deleted"),
    ],
)
async def test_what_a_key_asks_for_is_done(realm: World, key: str, row: int, after: VMState | None, said: str) -> None:
    """Once it is confirmed; the outcome is told, and stands among the tasks."""
    name = STATES[row][0]
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, row)
        before = state(realm, name)
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, (Confirm, VMForm, DeleteVMs))
        assert f"h1/{name}" in dialog_text(app)
        assert ("unmanaged" in dialog_text(app)) == ("foreign" in name)
        focused = app.screen.focused
        safe = key in {"u", "p", "P"}
        assert focused is not None
        assert focused.id == ("do" if safe else "cancel")
        if not safe:
            await pilot.press("enter")
            await settle(pilot)
            assert state(realm, name) is before
            assert not realm.session.tasks.views()
            await pilot.press(key)
            await settle(pilot)
            app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await ended(pilot)
        assert said in told(app)
        view = realm.last_task()
        assert (view.progress, view.target) == (Progress.DONE, f"h1/{name}")
        await until(pilot, lambda: state(realm, name) is after)


async def test_a_reset_that_the_host_refuses_is_told_with_its_reason(realm: World) -> None:
    """The test driver can't reset."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await pilot.press("R")
        await settle(pilot)
        assert "unsaved data is lost" in dialog_text(app)
        await pilot.press("tab", "enter")
        await ended(pilot)
        view = realm.last_task()
        assert view.progress in (Progress.DONE, Progress.FAILED)
        assert any(message.startswith(("reset h1/a-runs: failed", "h1/a-runs: reset")) for message in told(app))


async def test_who_does_not_shut_down_in_time_is_asked_about(realm: World) -> None:
    """Something has to be typed before the power is cut: the question comes uncalled for."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        target = targets_now(realm.session, ["h1/a-runs"])[0]
        await pilot.press("r")
        await settle(pilot)
        offer_to_cut_power(app, [target], 5.0)
        await settle(pilot)
        assert "asked to reboot" in dialog_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "off" in app.screen.question.to_type)
        assert "Still running 5 s after the shutdown request" in dialog_text(app)
        await pilot.press("enter")
        await settle(pilot)
        assert state(realm, "a-runs") is VMState.RUNNING
        await pilot.press(*"off", "enter")
        await ended(pilot)
        assert "h1/a-runs: shut off" in told(app)


async def test_who_has_shut_down_by_then_is_not_asked_about(realm: World) -> None:
    """Nor one that is gone."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        offer_to_cut_power(app, [targets_now(realm.session, ["h1/c-off"])[0]], 5.0)
        await settle(pilot)
        assert len(app.screen_stack) == 1


def test_a_shutdown_that_takes_too_long_names_who_goes_on(realm: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no failure: the task ends, and says so. Guests of the test driver always obey: here one does not."""
    realm.session.settled_fleet(30.0)

    def ignored(session: Session, control: Control, target: Target, *rest: object, **more: object) -> Done:
        if target.vm.active:
            raise NotShutDown(f"{target.name} was asked to shut down")
        return act(session, control, target, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("core.operations.vms.power.act", ignored)
    holdouts: list[Target] = []
    said = realm.task(shutdown_job(realm.session, ["h1/a-runs", "h1/c-off"], 5.0, holdouts))
    assert [target.name for target in holdouts] == ["h1/a-runs"]
    assert said == "h1/c-off: already in that state; h1/a-runs is still running 5 s after the shutdown request"
    assert realm.last_task().progress is Progress.DONE


async def test_the_patience_with_guests_is_typed(realm: World) -> None:
    """A bare number is seconds; what is no duration is said at once."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await pilot.press("d")
        await settle(pilot)
        await pilot.press("shift+tab", *["backspace"] * 12, *"soon")
        await settle(pilot)
        assert app.screen.query_one("#do").disabled
        await pilot.press(*["backspace"] * 4, *"30", "enter", "tab", "enter")
        await ended(pilot)
        assert "h1/a-runs: shut off" in told(app)


async def test_the_marked_vms_are_named_and_their_number_is_typed(realm: World) -> None:
    """Those that are off already are left out of turning off."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await pilot.press("space", "space", "space", "space", "x")
        await settle(pilot)
        shown = dialog_text(app)
        for part in ("h1/a-runs", "h1/b-paused", "h1/d-foreign", "1 other skipped", "1 VM of these is unmanaged"):
            assert part in shown
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press(*"3 VMs", "enter")
        await ended(pilot)
        assert "3 VMs: shut off" in told(app)
        assert not grid_of(app).model.marks


async def test_of_several_the_failed_are_named_with_their_reasons(realm: World) -> None:
    """One that someone has turned on meanwhile is not deleted; the other is."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 2)
        await pilot.press("space", "j", "space", "delete")
        await settle(pilot)
        realm.call("h1", lambda connection: connection.handle.lookupByName("c-off").create())
        app.screen.query_one("#typed").focus()
        await pilot.press(*"2 VMs", "enter")
        await ended(pilot)
        view = realm.last_task()
        assert (view.progress, view.error) == (Progress.FAILED, "1 of 2 VMs failed")
        assert any("h1/c-off" in warning and "active" in warning for warning in view.warnings)
        assert set(realm.domains("h1")) == {"a-runs", "b-paused", "c-off", "d-foreign"}


async def test_what_makes_no_sense_is_said_and_not_asked(realm: World) -> None:
    """Nothing to start, nothing to delete."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await pilot.press("u", "delete")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert "Cannot start: h1/a-runs is running." in told(app)
        assert any(message.startswith("h1/a-runs is not shut off.") for message in told(app))


async def test_a_console_that_a_vm_has_not_is_refused_with_the_reason(realm: World) -> None:
    """The test driver has none."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await pilot.press("c")
        await ended(pilot)
        assert any("the embedded test driver has no consoles" in message for message in told(app))


async def test_a_vm_is_acted_on_from_its_own_screen_too(realm: World) -> None:
    """It alone, whatever is marked in the table."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_vms(pilot, realm, 0)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("p", "enter")
        await ended(pilot)
        assert "h1/a-runs: paused" in told(app)


@pytest.mark.parametrize("how", ["read-only", "saved"])
async def test_nothing_is_done_where_nothing_may_be_changed(tmp_path: Path, how: str) -> None:
    """The keys say why, and open no dialog."""
    session = standing_world.saved() if how == "saved" else standing_world.standing(tmp_path, read_only=True)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2")
        await settle(pilot)
        await pilot.press(*(command.keys for command in VM_KEYS))
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert len(told(app)) == len(VM_KEYS)
        assert all(message.startswith("Nothing can be changed") for message in told(app))
        assert not session.tasks.views()


async def test_vms_of_a_host_that_does_not_answer_are_left_alone(tmp_path: Path) -> None:
    """What they do is unknown."""
    app = RealmsApp(standing_world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2", "slash", *"host:^h5$", "enter")
        await settle(pilot)
        await pilot.press("x")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert any(message.startswith("h5 does not answer.") for message in told(app))


async def test_hostile_names_in_the_dialogs_do_nothing() -> None:
    """Of one VM, and of all at once."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        assert app.fleet is not None
        vms = tuple(app.fleet.vms())
        for chosen in (*((vm,) for vm in vms), vms):
            await app.push_screen(Confirm(ask_action(VMAction.OFF, chosen)))
            await settle(pilot)
            assert_clean(app)
            app.pop_screen()


@SIZES
def test_the_question_about_several_vms(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """It names host and VMs, and warns of the foreign one; Cancel has the focus."""
    app = RealmsApp(standing_world.standing(tmp_path))

    async def prepare(pilot: Pilot[int]) -> None:
        await pilot.press("2", "slash", *"host:^h3$", "enter", "ctrl+a", "x")
        await settle(pilot)

    assert picture(app, size, prepare=prepare)
