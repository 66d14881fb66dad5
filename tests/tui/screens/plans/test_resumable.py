"""Plans that were stopped, or whose program was killed: offered, resumed, given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.operations.plans.order import MovesKind, PlanOrder
from core.operations.plans.run import MoveState, in_journal, left_runs
from tests.tui import world
from tests.tui.driving import ended, left_waiting, screen_text, screen_words, settle, told, until
from tests.tui.hostile import HOSTILE, assert_clean
from tests.tui.screens.plans.plans_world import (
    Held,
    be_stopped,
    be_under_way,
    follow,
    full_host,
    leave_behind,
    left_line,
    planned,
    pressed,
    run_of,
    small_fleet,
    states,
    table,
)
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.screens.dialogs.form import VMForm
from tui.screens.plans.dialogs import ApplyPlan, ResumePlan

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_a_killed_program_left_is_offered_and_given_up(tmp_path: Path) -> None:
    """In whatever plan one is; what has moved stays where it is."""
    session = world.standing(tmp_path, small_fleet())
    leave_behind(session, MoveState.DONE, MoveState.FAILED)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5")
        await until(pilot, lambda: left_line(screen))
        assert left_line(screen).startswith("The drain of h2 was stopped after 1 of 5 moves")
        await pressed(pilot, "u", ResumePlan)
        assert app.focused is app.screen.query_one("#cancel")
        assert "1 moved, 1 failed, 3 not started" in screen_words(app)
        assert "not retried: the target is full" in screen_words(app)
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.screen is screen)
        await ended(pilot)
        await until(pilot, lambda: not left_line(screen))
        assert left_runs(session) == ()


async def test_what_a_killed_program_left_is_resumed(tmp_path: Path) -> None:
    """Only what it had not ended: from the plan that it is of, also where a new one is asked for there."""
    with full_host(tmp_path, "one", "two", "three") as made:
        order = PlanOrder(kind=MovesKind.DRAIN, host="h1")
        leave_behind(made.session, MoveState.FAILED, order=order)
        app = RealmsApp(made.session)
        async with app.run_test(size=MIDDLE) as pilot:
            app.tick()
            screen = await planned(pilot, "5", "d")
            await until(pilot, lambda: left_line(screen))
            await pressed(pilot, "a", ResumePlan)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: app.screen is screen)
            await ended(pilot)
            app.tick()
            await until(pilot, lambda: states(screen) == ["failed"] * 3)
            assert sum(step.what.startswith("move ") for step in app.session.tasks.views()[-1].steps) == 2
            assert left_runs(made.session) == ()


async def test_a_stopped_course_says_how_it_goes_on(tmp_path: Path) -> None:
    """What is left is in its journal; the line above is for others."""
    session = world.standing(tmp_path, small_fleet())
    run = leave_behind(session, MoveState.DONE)
    app = RealmsApp(session)
    with left_waiting("tasks"):
        async with app.run_test(size=MIDDLE) as pilot:
            screen = await planned(pilot, "5")
            held = Held()
            identity = run.view.id
            follow(screen, run, held)
            be_stopped(run)
            run.change(id=identity)
            held.go_on.set()
            await ended(pilot)
            await until(pilot, lambda: table(screen).heading == "Drain h2: stopped")
            assert states(screen) == ["moved", *["not started"] * 4]
            assert "u resume or discard" in screen_text(app)
            assert left_line(screen) == ""
            await pressed(pilot, "u", ResumePlan)


async def test_what_another_program_carries_out_is_not_begun_twice(tmp_path: Path) -> None:
    """It is told who does it, and how far that is; nothing is moved."""
    session = world.standing(tmp_path, small_fleet())
    app = RealmsApp(session)
    with in_journal(session, run_of(session)):
        async with app.run_test(size=MIDDLE) as pilot:
            await planned(pilot, "5")
            screen = await planned(pilot, "j", "d")
            await until(pilot, lambda: left_line(screen))
            assert left_line(screen).startswith("The drain of h2 is run by ")
            assert left_line(screen).endswith(": 0 of 5 moved")
            await pressed(pilot, "a", ApplyPlan)
            await pilot.press(*"h2", "enter")
            await until(pilot, lambda: app.screen is screen)
            await ended(pilot)
            app.tick()
            await until(pilot, lambda: states(screen) == ["not started"] * 5)
            assert table(screen).heading == "Drain h2: not started"
            assert "drain h2 is already being applied by " in screen_text(app)
            screen = await planned(pilot, "r")
            assert table(screen).heading == "Drain h2"


async def test_nothing_is_left_and_nothing_runs(tmp_path: Path) -> None:
    """The keys say so."""
    app = RealmsApp(world.standing(tmp_path, small_fleet()))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5")
        for key in ("u", "x"):
            await pilot.press(key)
            await settle(pilot)
        assert app.screen is screen
        assert told(app) == ["No plan to resume.", "No plan is running."]


async def test_no_name_harms_what_is_asked(tmp_path: Path) -> None:
    """VMs with names that would act on a terminal, in the dialogs and in the rows of a course."""
    strangers = [world.vm(name, "h2", number) for number, name in enumerate(HOSTILE)]
    given = (world.seen(world.host("h1")), world.seen(world.host("h2"), strangers), world.seen(world.host("h3")))
    session = world.standing(tmp_path, given)
    leave_behind(session, MoveState.FAILED)
    app = RealmsApp(session)
    held, run = Held(), run_of(session)
    with left_waiting("tasks"):
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await planned(pilot, "5")
            screen = await planned(pilot, "j", "d")
            await until(pilot, lambda: left_line(screen))
            await pressed(pilot, "u", ResumePlan)
            assert_clean(app)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen)
            screen.actions.ask_to_apply()  # the key would offer what was left
            await until(pilot, lambda: isinstance(app.screen, ApplyPlan))
            assert_clean(app)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen)
            follow(screen, run, held)
            be_under_way(run)
            await until(pilot, lambda: "failed" in states(screen))
            for _ in range(len(HOSTILE)):
                assert_clean(app)
                await pilot.press("j")
            await pressed(pilot, "x", VMForm)
            assert_clean(app)
            await pilot.press("escape")
            held.go_on.set()
            await ended(pilot)
            assert_clean(app)
