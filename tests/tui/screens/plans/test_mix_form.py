"""Capacity for a mix of sizes: as it is typed, and what is shown of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.placement.engine.request import Request
from core.placement.plans.batch import compare_orders
from core.placement.plans.make_room import DEFAULT_MOST_MOVES, RoomPlan
from core.placement.plans.mix import capacity_of_mix
from tests.tui import world
from tests.tui.driving import screen_text, settle, until
from tests.tui.screens.plans.plans_world import cells, planned, pressed, question, small_fleet, table
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.forms.mix import read_mix, typed_devices
from tui.forms.request import FieldRefused, fields_for
from tui.render.cells import plain
from tui.render.plans.mix import mix_sheet
from tui.render.plans.moves import room_sheet
from tui.render.plans.sheet import PlanKind
from tui.screens.plans.area import PLANNING, PlansScreen
from tui.screens.plans.mix_form import MixForm
from tui.widgets.fields import FieldRow

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30
TIMES = "\N{MULTIPLICATION SIGN}"
FIELDS = {field.key: field for field in fields_for(world.CONFIGURATION)}
MIX = ((Request(4, 8 * GIB), 3), (Request(16, 128 * GIB), 1))


def typed(*lines: tuple[str, str, str, str]) -> dict[str, str]:
    """Type lines of the form: VMs, vCPUs, memory, devices."""
    keys = ("count", "vcpus", "memory", "devices")
    return {
        f"{key}-{number}": text for number, line in enumerate(lines) for key, text in zip(keys, line, strict=True)
    }  # fmt: skip


def test_a_mix_is_read_line_by_line() -> None:
    """A line without a number of VMs is left out; a type alone is one device; what was read is written the same."""
    lines = typed(("3", "4", "8", ""), ("", "16", "64 GiB", ""), ("1", "16", "128 GiB", "a100, a100=1"))
    mix = read_mix(FIELDS, lines)
    assert mix == ((Request(4, 8 * GIB), 3), (Request(16, 128 * GIB, {"a100": 2}), 1))
    assert typed_devices(mix[1][0].devices) == "a100=2"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (("", "4", "8 GiB", ""), "A mix needs at least 1 VM"),
        (("2", "", "8 GiB", ""), "Line 1: vCPUs: a number is required"),
        (("2", "4", "8 Gib", ""), "Line 1: Memory: "),
        (("2", "4", "8 GiB", "a1000=1"), "Line 1: unknown device type 'a1000'; known: a100"),
        (("2", "4", "8 GiB", "a100=x"), "Line 1: a100: must be a whole number"),
        (("10000000", "4", "8 GiB", ""), "Line 1: Count: must be at most 10000"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(line: tuple[str, str, str, str], complaint: str) -> None:
    """In words that say what would be right."""
    with pytest.raises(FieldRefused) as refused:
        read_mix(FIELDS, typed(line))
    assert str(refused.value).startswith(complaint)


def test_all_lines_together_are_no_more_than_can_be_placed() -> None:
    """Each of them alone could be."""
    with pytest.raises(FieldRefused, match="at most 10000 VMs"):
        read_mix(FIELDS, typed(("9999", "1", "1 GiB", ""), ("2", "1", "1 GiB", "")))


async def test_a_mix_is_typed_and_counted(tmp_path: Path) -> None:
    """As the plan has it; the sizes stay as they were typed."""
    app = RealmsApp(world.standing(tmp_path, small_fleet()))
    expected = capacity_of_mix(world.CONFIGURATION, app.session.fleet(), MIX)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "m")
        assert table(screen).heading == f"Capacity for 1 {TIMES} 4 vCPUs, 8 GiB"
        await pressed(pilot, "e", MixForm)
        for key, text in {"count-0": "3", "count-1": "1", "vcpus-1": "16", "memory-1": "128 GiB"}.items():
            next(row for row in app.screen.query(FieldRow) if row.field.key == key).write(text)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen)
        await planned(pilot)
        assert table(screen).heading == f"Capacity for 3 {TIMES} 4 vCPUs, 8 GiB + 1 {TIMES} 16 vCPUs, 128 GiB"
        assert {row[0]: row[2] for row in cells(screen)} == {
            name: str(expected.by_host.get(name, 0)) for name in ("h1", "h2", "h3")
        }
        assert f"{expected.fits} mixes fit" in screen_text(app)
        await pressed(pilot, "e", MixForm)
        assert [row.value for row in app.screen.query(FieldRow)][:2] == ["3", "4"]
        await pilot.press(*"x")
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, MixForm)
        assert "Line 1: Count: must be a whole number" in screen_text(app)


def test_a_mix_that_does_not_fit_says_how_much_of_it_does() -> None:
    """In the order given, and the largest first."""
    fleet = world.saved(small_fleet()).fleet()
    mix = ((Request(64, 400 * GIB), 7),)
    capacity = capacity_of_mix(world.CONFIGURATION, fleet, mix)
    assert capacity.fits == 0
    once = compare_orders(world.CONFIGURATION, fleet, [mix[0][0]] * 7)
    sheet = mix_sheet(capacity, once, fleet)
    told = [text for text, _ in sheet.said]
    assert told[0] == "The mix does not fit"
    assert told[-1] == f"Next mix: {once.arrival.placed} of 7 VMs placed in the given order, 6 largest first"
    assert sum(int(plain(row.cells[3])) for row in sheet.rows) == once.arrival.placed == 6


def test_a_mix_without_hosts_is_a_sentence() -> None:
    """And no row."""
    fleet = world.saved(()).fleet()
    capacity = capacity_of_mix(world.CONFIGURATION, fleet, MIX)
    sheet = mix_sheet(capacity, compare_orders(world.CONFIGURATION, fleet, [MIX[0][0]]), fleet)
    assert (sheet.rows, sheet.said[0][0]) == ((), "No hosts")


def test_the_search_for_room_says_how_far_it_went() -> None:
    """By the limit that it has, whatever that is."""
    plan = RoomPlan(
        request=MIX[0][0], host=None, cost=0.0, devices=(), moves=(), smallest=False, exhausted=True, asked=1
    )  # fmt: skip
    assert room_sheet(plan).said[1][0] == f"All sets of up to {DEFAULT_MOST_MOVES} moves tried"


async def test_a_plan_that_takes_long_says_that_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that an answer of the hosts is waited for."""
    app = RealmsApp(world.standing(tmp_path, small_fleet()))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5")
        assert isinstance(screen, PlansScreen)
        screen.planner.kind = PlanKind.FAILURE
        screen.desk.asked = question(kind=PlanKind.FAILURE)
        monkeypatch.setattr(PlansScreen, "is_planning", True)
        screen.show_plan()
        await settle(pilot)
        assert PLANNING in screen_text(app)
        assert "Waiting" not in screen_text(app)
