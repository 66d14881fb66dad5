"""VMs in all states on real hosts of the test driver, and the way to their area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.driver.xml.metadata import RealmMark
from tests.tui.driving import app_of, grid_of, settle, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tests.operations.vms.world import World
    from tui.app.app import RealmsApp

OURS = RealmMark(realm="main", devices=())
STATES = (
    ("a-runs", "running", OURS),
    ("b-paused", "paused", OURS),
    ("c-off", "shutoff", OURS),
    ("d-foreign", "running", None),
    ("e-foreign-off", "shutoff", None),
)


async def at_vms(pilot: Pilot[int], realm: World, row: int) -> RealmsApp:
    """Go to the area of VMs, onto a row, once all hosts have answered."""
    app = app_of(pilot)
    await until(pilot, lambda: app.fleet is not None and sum(1 for _ in app.fleet.vms()) == len(STATES))
    await pilot.press("2", "N", *["j"] * row)
    await settle(pilot)
    if grid_of(app).model.shown[0].cells[0] != "a-runs":
        await pilot.press("N", "g", *["j"] * row)
        await settle(pilot)
    return app
