"""What is done to hosts: each dialog says what will happen, and a real registry takes the change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, Input, Select

from core.fleet.fleet import IO_ERROR, Connection, HostSnapshot, VMState
from core.hosts import HostState, StaticAddress
from core.reservations import Reservation
from tests.tui import world
from tests.tui.driving import dialog_text, grid_of, names_registered, registered, settle, told
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.render.cells import Tone
from tui.render.hosts.questions import ask_removal, ask_state, names
from tui.render.vms.table import state_tone, state_words
from tui.screens.dialogs.confirm import Confirm
from tui.screens.hosts.connection_test import ProbeDialog
from tui.screens.hosts.edit_form import HostForm
from tui.screens.pools.setup.wizard import PoolsWizard

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("key", "host", "state", "said"),
    [
        ("c", 0, HostState.NO_SCHEDULING, "31 VMs running"),
        ("u", 3, HostState.ENABLED, "It accepts new VMs"),
        ("x", 0, HostState.DISABLED, "31 VMs keep running, unmonitored"),
        ("x", 4, HostState.DISABLED, "22 VMs keep running, unmonitored (last seen 48 s ago)"),
        ("u", 5, HostState.ENABLED, "connects to qemu+ssh://root@h6/system"),
    ],
)
async def test_a_change_of_state_says_what_it_does_and_is_done(
    tmp_path: Path, key: str, host: int, state: HostState, said: str
) -> None:
    """To the host under the cursor."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press(*"j" * host)
        name = str(grid_of(app).cursor_key)
        before = registered(session, name).state
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        assert said in " ".join(dialog_text(app).split())
        assert registered(session, name).state is before
        await pilot.press("tab", "enter") if state is HostState.DISABLED else await pilot.press("enter")
        await settle(pilot)
        assert registered(session, name).state is state
        assert told(app) == [f"{name}: {state.label}"]


async def test_pools_are_set_up_on_the_marked_hosts(tmp_path: Path) -> None:
    """By the wizard of their area."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("space", "space", "p")
        await settle(pilot)
        assert isinstance(app.screen, PoolsWizard)
        assert app.screen.draft.chosen == ("h1", "h2")


def test_a_state_that_nobody_asked_for_tells_its_reason() -> None:
    """A disk that is full pauses a guest."""
    stuck = replace(world.vm("web", "h1", 1), state=VMState.PAUSED, state_reason=IO_ERROR)
    assert (state_words(stuck), state_tone(stuck)) == ("paused (I/O error)", Tone.BAD)
    paused = replace(stuck, state_reason="")
    assert (state_words(paused), state_tone(paused)) == ("paused", Tone.WARN)


async def test_a_destructive_dialog_begins_on_cancel(tmp_path: Path) -> None:
    """A hasty Enter does no harm."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("x", "enter")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert registered(session, "h1").state is HostState.ENABLED


async def test_an_action_applies_to_all_marked_hosts_that_it_changes(tmp_path: Path) -> None:
    """The dialog names them; one that has the state already is left alone."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+a", "c")
        await settle(pilot)
        shown = dialog_text(app)
        assert all(name in shown for name in ("h1", "h2", "h3", "h5", "h6", "h7", "h10"))
        assert isinstance(app.screen, Confirm)
        assert app.screen.question.title == "Set h1, h2, h3 and 4 more to No Scheduling?"
        await pilot.press("enter")
        await settle(pilot)
        assert {registered(session, name).state for name in names_registered(session)} == {HostState.NO_SCHEDULING}
        assert not grid_of(app).model.marks


async def test_a_state_that_a_host_has_already_is_not_asked_for(tmp_path: Path) -> None:
    """Nothing to confirm."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("u")
        await settle(pilot)
        assert told(app) == ["h1 is already Enabled."]


async def test_removing_a_host_wants_its_name_typed(tmp_path: Path) -> None:
    """Exactly."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("j", "j", "delete")
        await settle(pilot)
        assert "4 VMs running, 1 shut off" in dialog_text(app)
        await pilot.press(*"h33", "enter")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("backspace", "enter")
        await settle(pilot)
        assert "h3" not in names_registered(session)
        assert grid_of(app).cursor_key == "h4"
        assert told(app) == ["h3: removed"]


async def test_removing_several_hosts_wants_their_number_typed(tmp_path: Path) -> None:
    """So that nobody removes more than meant."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("space", "space", "r", *"2 hosts", "enter")
        await settle(pilot)
        assert not names_registered(session) & {"h1", "h2"}


async def test_one_refusal_does_not_stop_the_others(tmp_path: Path) -> None:
    """A host that someone else has removed meanwhile is told as such."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("space", "space", "c")
        await settle(pilot)
        assert session.registry is not None
        session.registry.remove("h1")
        await pilot.press("enter")
        await settle(pilot)
        assert registered(session, "h2").state is HostState.NO_SCHEDULING
        assert any("h1: no host named 'h1'" in message for message in told(app))


async def test_the_form_says_what_is_wrong_with_each_field(tmp_path: Path) -> None:
    """At once, and it isn't saved."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("e")
        await settle(pilot)
        form = app.screen
        assert isinstance(form, HostForm)
        form.query_one("#name", Input).value = "h2"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "a host named h2 exists already" in dialog_text(app)
        form.query_one("#name", Input).value = "h9"
        form.query_one("#uri", Input).value = "qemu+ssh://root@h9/system?command=/bin/sh"
        form.query_one("#static", Input).value = "203.0.113.7:7100"
        await pilot.press("ctrl+s")
        await settle(pilot)
        shown = " ".join(dialog_text(app).split())
        assert "runs an arbitrary program" in shown
        assert "clashes with h2" in shown
        assert "h9" not in names_registered(session)


async def test_editing_changes_only_what_was_changed(tmp_path: Path) -> None:
    """A profile that is gone stays on offer for the host that has it."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("G", "e")
        await settle(pilot)
        form = app.screen
        assert isinstance(form, HostForm)
        assert form.query_one("#profile", Select).value == "l40s-node"
        form.query_one("#static", Input).value = "203.0.113.9:7000"
        await pilot.press("ctrl+s")
        await settle(pilot)
        changed = registered(session, "h10")
        assert (changed.profile, changed.static_address) == ("l40s-node", StaticAddress("203.0.113.9", 7000))
        assert any("not configured" in message for message in told(app))


async def test_a_host_that_was_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """The form stays open and says so."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("e")
        await settle(pilot)
        assert session.registry is not None
        session.registry.set_state("h1", HostState.DISABLED)
        app.screen.query_one("#static", Input).value = "203.0.113.9:7000"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, HostForm)
        assert "changed by someone else" in dialog_text(app)
        assert registered(session, "h1").static_address is None
        assert not app.screen.query_one("#save", Button).disabled


async def test_a_test_reports_for_each_host_why_it_does_not_answer(tmp_path: Path) -> None:
    """With what to do."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("space", "space", "t")
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, ProbeDialog)
        assert len(dialog.outcomes) == 2
        assert "connection refused at qemu+ssh://root@h2/system" in dialog_text(app)
        await pilot.press("escape")
        await settle(pilot)
        assert len(app.screen_stack) == 1


async def test_actions_on_a_host_s_own_screen_are_for_that_host(tmp_path: Path) -> None:
    """Its VMs have the cursor there."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("j", "enter")
        await settle(pilot)
        await pilot.press("j", "c", "enter")
        await settle(pilot)
        assert registered(session, "h2").state is HostState.NO_SCHEDULING


async def test_nothing_can_be_changed_read_only(tmp_path: Path) -> None:
    """No dialog is opened for what can't be done."""
    app = RealmsApp(world.standing(tmp_path, read_only=True))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        for key in ("a", "e", "c", "x", "r"):
            await pilot.press(key)
            await settle(pilot)
            assert len(app.screen_stack) == 1
        assert set(told(app)) == {"Nothing can be changed: read-only mode."}


# The words -----------------------------------------------------------------------------------------------------------


def words(lines: object) -> str:
    """Return the text of a question's lines."""
    return " ".join(text for line in lines for text, _ in line)  # type: ignore[attr-defined]


def test_a_vm_that_is_being_started_is_mentioned() -> None:
    """The host is about to get it."""
    reservation = Reservation(uuid="u", vm="new", host="h1", vcpus=1, memory_bytes=1, taken_at=world.NOW)
    snapshot = replace(world.seen(world.host("h1")), reservations=(reservation,))
    asked = ask_state([snapshot], HostState.DISABLED, world.NOW)
    assert "no running VMs" in words(asked.lines)
    assert "1 VM is starting there" in words(ask_removal([snapshot], world.NOW).lines)


def test_vms_of_a_host_that_never_answered_are_unknown_not_none() -> None:
    """Nobody can say what becomes of them."""
    snapshot = HostSnapshot(host=world.host("h1"), connection=Connection.CONNECTING)
    for asked in (ask_state([snapshot], HostState.DISABLED, world.NOW), ask_removal([snapshot], world.NOW)):
        assert "VMs unknown: no answer yet" in words(asked.lines)


def test_many_hosts_are_counted_rather_than_listed() -> None:
    """A dialog has an end."""
    many = [world.seen(world.host(f"n{i}"), world.vms(f"n{i}", 2, i)) for i in range(40)]
    asked = ask_removal(many, world.NOW)
    assert (names(many), asked.to_type) == ("n0, n1, n2 and 37 more", "40 hosts")
    assert "and 32 more hosts, with 64 running VMs" in words(asked.lines)
