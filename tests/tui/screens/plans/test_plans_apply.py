"""Plans carried out from their area: agreed to, watched, stopped, resumed, and what keeps one from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, Input

from core.hosts import HostState
from core.operations.plans.run import left_runs
from core.operations.tasks.task import Progress
from core.placement.engine.request import Request
from tests.tui import world
from tests.tui.driving import ended, left_waiting, screen_text, screen_words, settle, text_of, told, until
from tests.tui.screens.plans.plans_world import (
    GIB,
    Held,
    be_under_way,
    below,
    cells,
    follow,
    foreign,
    full_host,
    planned,
    pressed,
    run_of,
    small_fleet,
    states,
    table,
)
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.forms.fields import YES
from tui.screens.dialogs.form import VMForm
from tui.screens.plans.dialogs import ApplyPlan
from tui.widgets.bars import HeaderLine
from tui.widgets.fields import FieldRow

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_hasty_enter_moves_nothing(tmp_path: Path) -> None:
    """The dialog names each move and what stays, and wants the host's name typed."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5")
        screen = await planned(pilot, "j", "j", "d")
        await pressed(pilot, "a", ApplyPlan)
        shown = screen_words(app)
        assert "Drain h3: move 1 VM?" in shown
        assert "web-sandbox h3 → " in shown
        assert "3 VMs can't move and stay: ml-train-04, ml-train-07, notebook-1" in shown
        assert app.screen.query_one("#do", Button).disabled
        await pilot.press("enter", "ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, ApplyPlan)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert app.session.tasks.views() == ()


async def test_where_nothing_is_typed_the_focus_is_on_cancel(tmp_path: Path) -> None:
    """One move of a rebalance."""
    three = world.seen(world.host("h1"), world.vms("h1", 2, 0))
    app = RealmsApp(world.standing(tmp_path, (three, world.seen(world.host("h2")))))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "b")
        assert len(cells(screen)) == 1
        await pressed(pilot, "a", ApplyPlan)
        assert app.focused is app.screen.query_one("#cancel")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert app.session.tasks.views() == ()


async def test_a_drain_is_carried_out_and_watched(tmp_path: Path) -> None:
    """Where libvirt can't migrate that is said before; each row then says what came of it, and nothing breaks."""
    with full_host(tmp_path) as made:
        app = RealmsApp(made.session)
        async with app.run_test(size=MIDDLE, notifications=True) as pilot:
            app.tick()
            screen = await planned(pilot, "5", "d")
            assert [row[1] for row in cells(screen)] == ["one", "two"]
            await pressed(pilot, "a", ApplyPlan)
            assert "libvirt's test driver can't migrate" in screen_words(app)
            await pilot.press(*"h1", "enter")
            await until(pilot, lambda: app.screen is screen)
            await ended(pilot)
            app.tick()
            await until(pilot, lambda: states(screen) == ["failed", "failed"])
            assert table(screen).heading == "Drain h1: partly done"
            assert "not supported" in below(screen)
            assert made.registry.host("h1").state is HostState.NO_SCHEDULING
            view = app.session.tasks.views()[-1]
            assert (view.what, view.target, view.progress) == ("drain", "h1", Progress.DONE)
            steps = [step.what.partition(" to h")[0] for step in view.steps]
            assert steps[0] == "set to No Scheduling"
            assert {"move one", "move two"} < set(steps)
            assert any(message.startswith("Drain h1: 0 moved, 2 failed") for message in told(app))
            assert left_runs(made.session) == ()
            screen = await planned(pilot, "r")
            assert table(screen).heading == "Drain h1"


async def test_a_host_keeps_its_state_where_that_is_wished(tmp_path: Path) -> None:
    """The tick is taken off; how many moves go at once is chosen."""
    with full_host(tmp_path) as made:
        app = RealmsApp(made.session)
        async with app.run_test(size=MIDDLE) as pilot:
            app.tick()
            screen = await planned(pilot, "5", "d")
            await pressed(pilot, "a", ApplyPlan)
            rows = {row.field.key: row for row in app.screen.query(FieldRow)}
            rows["cordon"].write("")
            rows["parallel"].write("5")
            app.screen.query_one("#typed", Input).focus()
            await pilot.press(*"h1", "enter")
            await until(pilot, lambda: app.screen is screen)
            await ended(pilot)
            assert made.registry.host("h1").state is HostState.ENABLED
            assert screen.course is not None
            assert screen.course.run.view.order.parallel == 5


async def test_a_read_only_program_applies_nothing(tmp_path: Path) -> None:
    """The keys are dimmed, and say why."""
    app = RealmsApp(world.standing(tmp_path, small_fleet(), read_only=True))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "d")
        for key in ("a", "u"):
            await pilot.press(key)
            await settle(pilot)
        assert app.screen is screen
        assert told(app) == ["Nothing can be changed: read-only mode."] * 2
        dimmed = {command.label for command in screen.KEYS if not screen.allows(command)}
        assert {"Apply", "Stop", "Resume"} <= dimmed


async def test_a_saved_fleet_is_not_moved() -> None:
    """Its plans are only looked at."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5", "d")
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert told(app) == ["Nothing can be changed: a saved fleet can't be changed."]


@pytest.mark.parametrize("key", ["c", "m", "f"])
async def test_an_answer_is_no_plan_of_moves(tmp_path: Path, key: str) -> None:
    """Nothing of capacity, mix and failure could be carried out."""
    app = RealmsApp(world.standing(tmp_path, small_fleet()))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", key)
        await pilot.press("a")
        await settle(pilot)
        assert app.screen is screen
        words = "Only drain (d), rebalance (b) and make room (o) can be applied."
        assert told(app) == [words]


async def test_foreign_vms_move_only_on_demand_and_after_a_warning(tmp_path: Path) -> None:
    """They stay in the plan until they are taken along."""
    h1, h2, h3 = small_fleet()
    app = RealmsApp(world.standing(tmp_path, (h1, foreign(h2), h3)))
    stranger = h2.vms[0].name
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5")
        screen = await planned(pilot, "j", "d")
        assert {row[1]: row[3] for row in cells(screen)}[stranger] == "stays"
        await pressed(pilot, "t", VMForm)
        await pilot.press("space", "ctrl+s")
        await until(pilot, lambda: app.screen is screen)
        await planned(pilot)
        assert {row[1]: row[3] for row in cells(screen)}[stranger] != "stays"
        await pressed(pilot, "a", ApplyPlan)
        shown = screen_words(app)
        assert "Includes unmanaged VMs" in shown
        assert f"{stranger} h2 → h" in shown
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pressed(pilot, "t", VMForm)
        assert [row.value for row in app.screen.query(FieldRow)] == [YES, ""]


async def test_several_vms_want_their_number_typed(tmp_path: Path) -> None:
    """A rebalance has no host whose name could be typed."""
    uneven = (world.seen(world.host("h1"), world.vms("h1", 12, 0)), world.seen(world.host("h2")))
    app = RealmsApp(world.standing(tmp_path, uneven))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "b")
        count = len([row for row in cells(screen) if row[3] != "stays"])
        assert count > 1
        await pressed(pilot, "a", ApplyPlan)
        assert f"Type {count} VMs to confirm" in screen_words(app)
        assert "Highest cost" in screen_words(app)


async def test_the_moves_that_make_room_are_asked_about(tmp_path: Path) -> None:
    """With what they are good for."""
    full = [world.vm(f"a-{i}", "h1", i, vcpus=2, memory_bytes=100 * GIB) for i in range(8)]
    other = [world.vm(f"b-{i}", "h2", 50 + i, vcpus=2, memory_bytes=100 * GIB) for i in range(7)]
    given = (world.seen(world.host("h1"), full), world.seen(world.host("h2"), other))
    app = RealmsApp(world.standing(tmp_path, given))
    app.request = Request(2, 250 * GIB)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "o")
        moves = len(cells(screen))
        assert moves >= 1
        await pressed(pilot, "a", ApplyPlan)
        shown = screen_words(app)
        assert f"Make room for 2 vCPUs, 250 GiB: move {moves} VM" in shown
        assert "takes 2 vCPUs, 250 GiB." in shown


async def test_a_course_goes_on_while_one_is_elsewhere(tmp_path: Path) -> None:
    """Every move has a row of its own; the header of each area counts, and the area shows it again on return."""
    session = world.standing(tmp_path, small_fleet())
    app = RealmsApp(session)
    held, run = Held(), run_of(session)
    with left_waiting("tasks"):
        async with app.run_test(size=MIDDLE) as pilot:
            screen = await planned(pilot, "5")
            follow(screen, run, held)
            await until(pilot, lambda: states(screen) == ["waiting"] * 5)
            be_under_way(run)
            app.tick()
            await until(pilot, lambda: states(screen) == ["moved", "failed", "moving 43 %", "moving", "waiting"])
            assert "1 of 5 VMs moved, 1 failed, 2 moving, 1 waiting" in screen_text(app)
            assert "49 %" in screen_text(app)
            await pilot.press("j", "j", "j")
            assert "it now goes to h3, not as confirmed" in below(screen)
            await pilot.press("1")
            await until(pilot, lambda: app.current_mode == "hosts")
            assert "1 task: drain h2" in text_of(app.screen.query_one(HeaderLine))
            await pilot.press("5")
            await until(pilot, lambda: app.screen is screen)
            assert table(screen).heading == "Drain h2: running"
            await pilot.press("a")
            await settle(pilot)
            assert told(app) == ["The drain of h2 is running."]
            held.go_on.set()
            await ended(pilot)


async def test_one_plan_after_the_other_but_hosts_are_drained_beside_each_other(tmp_path: Path) -> None:
    """Two drains don't undo each other's work, a rebalance would."""
    session = world.standing(tmp_path, small_fleet())
    app = RealmsApp(session)
    held, run = Held(), run_of(session)
    with left_waiting("tasks"):
        async with app.run_test(size=MIDDLE) as pilot:
            screen = await planned(pilot, "5")
            follow(screen, run, held)
            await planned(pilot, "b")
            await pilot.press("a")
            await settle(pilot)
            assert told(app) == ["The drain of h2 is running: wait for it to finish."]
            screen.drain("h1")
            await planned(pilot)
            await pressed(pilot, "a", ApplyPlan)
            await pilot.press("escape")
            held.go_on.set()
            await ended(pilot)


@pytest.mark.parametrize("calls_off", [False, True], ids=["gently", "at-once"])
async def test_a_course_is_stopped_after_asking(tmp_path: Path, calls_off: bool) -> None:
    """Gently what is under way comes to its end; else it is called off too."""
    session = world.standing(tmp_path, small_fleet())
    app = RealmsApp(session)
    held, run = Held(), run_of(session)
    with left_waiting("tasks"):
        async with app.run_test(size=MIDDLE) as pilot:
            screen = await planned(pilot, "5")
            number = follow(screen, run, held)
            be_under_way(run)
            await pressed(pilot, "x", VMForm)
            assert app.focused is app.screen.query_one("#cancel")
            assert "1 VM not moved yet" in screen_words(app)
            await pilot.press("enter")
            await until(pilot, lambda: app.screen is screen)
            assert not run.stop_asked
            await pressed(pilot, "x", VMForm)
            if calls_off:
                app.screen.query_one(FieldRow).write(YES)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: app.screen is screen)
            assert run.stop_asked
            view = app.task_view(number)
            assert view is not None
            assert view.cancelling is calls_off
            assert table(screen).heading == "Drain h2: stopping"
            held.go_on.set()
            await ended(pilot)
