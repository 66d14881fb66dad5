"""Keys that arrive in one write: each does what it would have done had the screen been drawn before it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.command import CommandPalette
from textual.keys import _character_to_key
from textual.widgets import Input

from tests.tui import world
from tests.tui.driving import grid_of, has_ended, hold, settle, until
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.app.areas import AREAS
from tui.app.keys import KEYS
from tui.screens.area import AreaScreen
from tui.screens.dialogs.confirm import Asking, Confirm
from tui.terminal import keyboard
from tui.widgets.grid import Grid
from tui.widgets.grid_keys import GRID_KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app.areas import Area

NAMED = {"enter": "\r", "escape": None, "tab": "\t", "space": " "}


def key(name: str) -> events.Key:
    """Return a key that is typed now: one character, or a name of Textual's."""
    if len(name) == 1:
        return events.Key(_character_to_key(name), name)
    return events.Key(name, NAMED.get(name))


async def in_one_write(pilot: Pilot[int], *names: str, held: float = 0.0) -> None:
    """Type keys at once, with the screen's thread held for so many seconds after the first."""
    for number, name in enumerate(names):
        if number == 1 and held:
            pilot.app.call_later(hold, held)
        pilot.app.post_message(key(name))
    await settle(pilot)


@pytest.mark.parametrize(("word", "held"), [("db", 0.0), ("x", 0.0), ("train", 1.0)])
async def test_letters_after_a_slash_go_into_the_filter(tmp_path: Path, word: str, held: float) -> None:
    """None of them is a command."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await in_one_write(pilot, "2", "/", *word, held=held)
        assert isinstance(app.screen, AreaScreen)
        assert grid_of(app).model.filter.text == word


@pytest.mark.parametrize("held", [0.0, 1.0])
async def test_letters_after_a_colon_go_into_the_box_that_it_opens(tmp_path: Path, held: float) -> None:
    """Also while it is being mounted."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await in_one_write(pilot, "2", ":", *"train", held=held)
        assert isinstance(app.screen, CommandPalette)
        assert app.screen.query_one(Input).value == "train"


async def test_an_area_gets_what_is_typed_on_the_way_to_it(tmp_path: Path) -> None:
    """The first visit of Costs builds fields; a number goes on to the next area, not into one of them."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        before = app.request
        await in_one_write(pilot, "3", "5")
        assert (app.current_mode, app.request) == ("plans", before)


async def test_a_destructive_dialog_drops_what_was_typed_before_it_was_drawn(tmp_path: Path) -> None:
    """And says so; what is typed afterwards counts."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await in_one_write(pilot, "2", "x", "tab", "enter", "ctrl+s")
        assert isinstance(app.screen, Confirm)
        assert not app.session.tasks.views()
        dialog = app.screen.query_one(".dialog")
        assert str(dialog.border_subtitle) == "3 keys typed before this was drawn: ignored"
        await in_one_write(pilot, "escape")
        assert isinstance(app.screen, AreaScreen)


def look(app: RealmsApp) -> tuple[object, ...]:
    """Return what keys have changed: the screens, the focus, and what was written and marked."""
    grids = [(grid.model.filter.text, grid.cursor_key, len(grid.model.marks)) for grid in app.screen.query(Grid)]
    written = [field.value for field in app.screen.query(Input)]
    focused = app.focused and (type(app.focused).__name__, app.focused.id)
    return app.current_mode, [type(screen).__name__ for screen in app.screen_stack], focused, grids, written


BEHIND = ("a", "down", "2")
"""What is typed behind a key: text for a field, a move, and what leads elsewhere from an area."""
LEFT_OUT = {"ctrl+z", "ctrl+t", "q"} | {command.keys.split(",")[0] for command in GRID_KEYS if not command.palette}
"""What stops or recolours the program, and moves of a cursor."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # nothing is done to such hosts
@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.id)
async def test_all_keys_of_an_area_do_at_once_what_they_do_one_by_one(tmp_path: Path, area: Area) -> None:
    """Each key, and others behind it, in one write and with the screen drawn between them."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)

        async def typed(name: str, *, at_once: bool) -> tuple[object, ...]:
            while not isinstance(app.screen, AreaScreen) or any(grid.clear() for grid in app.screen.query(Grid)):
                await pilot.press("escape")
                await settle(pilot)
            for pressed in ("2", "home", "1", "home", area.key, "home"):
                await pilot.press(pressed)
                await settle(pilot)
            if at_once:
                await in_one_write(pilot, name, *BEHIND)
            else:
                for each in (name, *BEHIND):
                    await in_one_write(pilot, each)
            return look(app)[: 3 if app.current_mode == "costs" else None]  # what its fields hold stays from key to key

        await in_one_write(pilot, area.key)
        names = {command.keys.split(",")[0] for command in (*app.screen.KEYS, *grid_of(app).KEYS, *KEYS)}
        for name in sorted(names - LEFT_OUT):
            one_by_one = await typed(name, at_once=False)
            at_once = await typed(name, at_once=True)
            if not (isinstance(app.screen, Asking) and app.screen.is_cautious):
                assert at_once == one_by_one, name


async def test_a_widget_that_is_stuck_keeps_nobody_from_quitting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is locked out of the program by one that never comes back."""
    monkeypatch.setattr(keyboard, "PATIENCE", 0.1)
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        released = asyncio.Event()
        grid_of(app).call_later(released.wait)
        for name in ("2", "ctrl+q"):
            app.post_message(key(name))
        await until(pilot, lambda: has_ended(app))
        released.set()
