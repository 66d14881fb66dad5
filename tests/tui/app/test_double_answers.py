"""Keys that arrive twice at once: a dialog is answered once, and what lies below it gets nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.screen import ModalScreen

from tests.tui import world
from tests.tui.driving import settle
from tui.app.app import RealmsApp
from tui.screens.area import AreaScreen
from tui.widgets.modal import AnsweredOnce

if TYPE_CHECKING:
    from pathlib import Path

OPENED = [
    "2 n", "2 s", "2 d", "2 m", "2 x", "2 v", "2 i", "2 delete", "2 colon", "2 question_mark",
    "1 a", "1 e", "1 x", "1 c", "1 s", "1 t", "1 delete", "3 h", "3 e", "3 s", "4 S", "4 c", "4 p", "4 s",
    "5 d", "5 e", "5 m", "5 a", "6 s",
]  # fmt: skip
"""Keys of every area that open a dialog, a form, a menu or a wizard."""
CHARACTERS = {"enter": "\r"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # nothing is done to such hosts
@pytest.mark.parametrize(
    ("opened", "key"),
    [(opened, key) for opened in OPENED for key in ("enter", "ctrl+s")]
    + [(opened, "escape") for opened in OPENED[::5]],
)
async def test_a_dialog_is_answered_once(tmp_path: Path, opened: str, key: str) -> None:
    """Twice the key in one go begins one task at the most, and leaves the area where it is."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        area, *keys = opened.split()
        for pressed in (area, *keys):
            await pilot.press(pressed)
            await settle(pilot)
        below = app.screen_stack[0]
        for _ in range(2):
            app.post_message(events.Key(key, CHARACTERS.get(key)))
        await settle(pilot)
        assert isinstance(below, AreaScreen)
        assert below in app.screen_stack or key == "enter"  # a place that was chosen may be in another area
        assert len(app.session.tasks.views()) <= 1


def test_whatever_lies_above_an_area_can_be_answered_once() -> None:
    """Every dialog, form, menu and wizard is `AnsweredOnce`."""

    def all_of(kind: type) -> set[type]:
        return {kind}.union(*map(all_of, kind.__subclasses__()))

    ours = {kind for kind in all_of(ModalScreen) if kind.__module__.startswith("tui.")}
    assert ours
    assert all(issubclass(kind, AnsweredOnce) for kind in ours)
