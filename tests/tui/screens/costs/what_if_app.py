"""Waiting for the cost explorer in a what-if: until the newest question is answered in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tui.driving import settle, until
from tui.screens.costs.area import CostsScreen

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tests.tui.screens.costs.costs_app import CostsApp


def is_answered(app: CostsApp) -> bool:
    """Whether what is shown is the whole answer to what is asked."""
    costs = app.screen_stack[0]
    if not isinstance(costs, CostsScreen) or costs.evaluation.judging.is_busy:
        return False
    session, exploration = costs.session, costs.session.exploration
    if not session.changes:
        return exploration is not None and not exploration.changes
    if session.trouble:
        return True
    return exploration is not None and exploration.changes == session.changes and session.answer.counted is not None


async def press(app: CostsApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys one by one, each once the one before has been answered in full."""
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: is_answered(app))
    await settle(pilot)
