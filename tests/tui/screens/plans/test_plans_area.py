"""The area of plans: what is asked when, what is shown of it, and the ways in and out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.fleet.fleet import Connection
from core.placement.engine.request import Request
from core.placement.plans.capacity import capacity
from core.placement.plans.drain import drain
from core.placement.plans.failure import failure
from core.placement.plans.make_room import make_room
from core.placement.plans.rebalance import Level, RebalancePlan, rebalance
from tests.tui import world
from tests.tui.driving import screen_text, settle
from tests.tui.hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.screens.plans.plans_world import FLEET, GIB, REQUEST, below, cells, planned, table
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.render.cells import Tone, plain, width_of
from tui.render.plans.hosts import capacity_sheet, failure_sheet, left_text
from tui.render.plans.moves import drain_sheet, rebalance_sheet, room_sheet
from tui.render.plans.sheet import LIVE_SECONDS, PlanKind, age_note, drawing_of
from tui.screens.hosts.detail import HostScreen
from tui.screens.plans import area as plans
from tui.screens.plans.host_picker import HostPicker
from tui.screens.plans.request_form import RequestForm
from tui.widgets.fields import FieldRow
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from pathlib import Path


CONFIGURATION = world.CONFIGURATION


async def test_capacity_says_what_fits_and_what_stops_the_next() -> None:
    """As the plan has it, host by host; the cursor's row is explained below."""
    app = RealmsApp(world.saved())
    app.request = REQUEST
    expected = capacity(CONFIGURATION, FLEET, REQUEST)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5")
        assert {row[0]: row[2] for row in cells(screen)} == {host.host: str(host.fits) for host in expected.hosts}
        assert f"{expected.total} more VMs of 4 vCPUs, 20 GiB fit" in screen_text(app)
        assert "memory infinite: 908 GiB after placing is past the limit of 900 GiB" in below(screen)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, HostScreen)
        assert app.screen.place == ("h1",)


async def test_another_request_is_typed_in_a_form_and_counts_everywhere() -> None:
    """The program's present request is what was typed; the plan is that of the new one."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5", "f")
        await pilot.press("e")
        await settle(pilot)
        assert isinstance(app.screen, RequestForm)
        assert [row.value for row in app.screen.query(FieldRow)] == ["4", "8 GiB", "0"]
        await pilot.press("1", "6", "tab", *"128", "tab", "+", "enter")
        screen = await planned(pilot)
        assert app.request == Request(16, 128 * GIB, {"a100": 1})
        assert screen.planner.kind is PlanKind.CAPACITY
        assert table(screen).heading == "Capacity for 16 vCPUs, 128 GiB, 1 a100"
        assert {row[0]: row[2] for row in cells(screen)}["h3"] == "1"


async def test_a_request_that_makes_no_sense_is_not_taken() -> None:
    """The field says why, and the form stays."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5", "c")
        before = app.request
        await pilot.press("e")
        await settle(pilot)
        await pilot.press("0", "enter")
        await settle(pilot)
        assert isinstance(app.screen, RequestForm)
        assert "vCPUs: must be 1 or more" in screen_text(app)
        await pilot.press("escape")
        await settle(pilot)
        assert app.request == before


async def test_what_costs_asked_for_last_is_planned_for() -> None:
    """A request changed elsewhere is followed at once on return."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5")
        await pilot.press("3")
        await settle(pilot)
        await pilot.press("m", *"64", "enter")
        await settle(pilot)
        screen = await planned(pilot, "5")
        assert table(screen).heading == "Capacity for 4 vCPUs, 64 GiB"


async def test_the_homeless_are_named() -> None:
    """The worst loss comes first; the panel names its VMs and says why."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "f")
        assert cells(screen)[0][:3] == ["h3", "at risk", "3"]
        assert "ml-train-04 (16 vCPU 128 GiB), ml-train-07 (8 vCPU 64 GiB), notebook-1" in below(screen)
        assert "no host can take it: h1: asked for 1 a100" in below(screen)
        assert cells(screen)[1][:2] == ["h6", "unknown"]


async def test_the_host_under_the_cursor_is_drained() -> None:
    """Its VMs in the order of the plan; Enter goes to the VM, which hasn't moved."""
    app = RealmsApp(world.saved())
    expected = drain(CONFIGURATION, FLEET, "h2")
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5")
        screen = await planned(pilot, "j", "d")
        assert table(screen).heading == "Drain h2"
        moves = [(move.vm.name, move.target) for move in expected.moves]
        assert [(row[1], row[3]) for row in cells(screen)][: len(moves)] == moves
        assert len(cells(screen)) == len(moves) + len(expected.stuck) + len(expected.left)
        await pilot.press("j", "y", "enter")
        await settle(pilot)
        assert app.clipboard == moves[1][0]
        assert app.current_mode == "vms"
        assert app.screen.query_one(Grid).cursor_key == expected.moves[1].vm.key


async def test_a_host_that_does_not_answer_is_not_drained() -> None:
    """Every VM stays, and says why."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await planned(pilot, "5")
        await pilot.press("h")
        await settle(pilot)
        assert isinstance(app.screen, HostPicker)
        await pilot.press("slash", *"h5", "enter", "enter")
        screen = await planned(pilot)
        assert {row[3] for row in cells(screen)} == {"stays"}
        assert "h5 can't be fully drained: 22 VMs would stay, 0 can move" in screen_text(app)
        assert "h5 does not answer: the state of its VMs is unknown" in below(screen)


async def test_a_key_at_a_host_leads_to_its_drain(tmp_path: Path) -> None:
    """From the table of hosts, also before the area was ever seen, and again for another one."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        screen = await planned(pilot, "j", "j", "m")
        assert table(screen).heading == "Drain h3"
        await pilot.press("1")
        await settle(pilot)
        screen = await planned(pilot, "k", "m")
        assert table(screen).heading == "Drain h2"


async def test_rebalance_shows_the_costs_after_each_move() -> None:
    """Highest and sum beside each move; what was not considered comes after."""
    app = RealmsApp(world.saved())
    expected = rebalance(CONFIGURATION, FLEET)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "b")
        rows = cells(screen)
        assert [row[1] for row in rows] == [each.vm.name for each in (*expected.moves, *expected.held)]
        assert rows[0][8].replace("\N{NO-BREAK SPACE}", "") == f"{expected.levels[1].highest:.1f}"
        assert "After 1 move: highest 100 023.1 → 100 021.1" in below(screen).replace("\N{NO-BREAK SPACE}", " ")


def test_a_row_is_known_by_its_vm_wherever_it_stands_in_the_order() -> None:
    """So that the cursor stays on it from plan to plan; a second move of the same VM leads to where it is now."""
    first, second = rebalance(CONFIGURATION, FLEET).moves[:2]
    again = replace(first, vm=replace(first.vm, host=first.target), target="h1")
    even = Level(1.0, 1.0)
    one = rebalance_sheet(RebalancePlan(moves=(first, second, again), levels=(even,) * 4))
    other = rebalance_sheet(RebalancePlan(moves=(second, first), levels=(even,) * 3))
    assert [row.key for row in one.rows] == [(*first.vm.key, 1), (*second.vm.key, 1), (*first.vm.key, 2)]
    assert [row.key for row in other.rows] == [(*second.vm.key, 1), (*first.vm.key, 1)]


async def test_room_says_that_no_move_is_needed_or_that_none_helps() -> None:
    """A small VM fits as things are; one that is larger than every host never does."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "o")
        assert "No moves needed: h7 takes 4 vCPUs, 8 GiB now" in screen_text(app)
        app.request = Request(4, 2000 * GIB)
        app.show()
        await planned(pilot)
        assert "No moves found" in screen_text(app)
        assert cells(screen) == []


def test_room_lists_the_moves_that_make_it() -> None:
    """In their order, with the host that then takes the VM."""
    full = [world.vm(f"a-{i}", "h1", i, vcpus=2, memory_bytes=100 * GIB) for i in range(8)]
    other = [world.vm(f"b-{i}", "h2", 50 + i, vcpus=2, memory_bytes=100 * GIB) for i in range(7)]
    fleet = world.saved([world.seen(world.host("h1"), full), world.seen(world.host("h2"), other)]).fleet()
    plan = make_room(CONFIGURATION, fleet, Request(2, 250 * GIB))
    assert plan.moves
    sheet = room_sheet(plan)
    assert [plain(row.cells[1]) for row in sheet.rows] == [move.vm.name for move in plan.moves]
    assert sheet.said[0][0].startswith(f"{plan.host} takes 2 vCPUs, 250 GiB after {len(plan.moves)} move")


async def test_a_fleet_that_changes_is_planned_for_once_in_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before the rest is over, then by itself; by `r` at once."""
    monkeypatch.setattr(plans, "REST_SECONDS", 600.0)
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5")
        first = screen.desk.shown
        rows = cells(screen)
        session.see(world.seen(world.host("h1")))
        app.tick()
        await settle(pilot)
        assert screen.desk.shown is first
        assert cells(screen) == rows
        session.moment.advance(40)
        screen.show_note()
        assert "40 s old" in str(table(screen).border_subtitle)
        await planned(pilot, "r")
        assert cells(screen) != rows
        assert str(table(screen).border_subtitle) == "current"
        session.see(world.seen(world.host("h1"), [world.vm("new", "h1", 900)], ago=-40))
        app.tick()
        again = screen.desk.asked
        assert again is not None
        screen.planning[screen.planner.kind].end_rest()
        await planned(pilot)
        assert screen.desk.asked is not again


async def test_a_removed_host_is_not_drained_any_more(tmp_path: Path) -> None:
    """Another one takes its place."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "d")
        assert table(screen).heading == "Drain h1"
        session.remove_host("h1")
        app.tick()
        await planned(pilot)
        assert table(screen).heading == "Drain h2"


async def test_the_last_host_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its drain is not shown any more."""
    session = world.standing(tmp_path, [world.seen(world.host("h1"), world.vms("h1", 3, 0))])
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await planned(pilot, "5", "d")
        assert "h1 can't be fully drained: 3 VMs would stay" in screen_text(app)
        session.remove_host("h1")
        app.tick()
        await settle(pilot)
        assert cells(screen) == []
        assert "h1" not in screen_text(app)
        assert "No hosts yet: add one in Hosts (1)." in screen_text(app)


@pytest.mark.parametrize("keys", ["c", "f", "d", "b", "o"])
async def test_an_empty_fleet_has_empty_plans(keys: str) -> None:
    """Nothing fails, nothing waits for ever."""
    app = RealmsApp(world.saved(()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5", keys)
        await settle(pilot)
        assert "Waiting" not in screen_text(app)
        assert_clean(app)


async def test_no_name_harms_a_plan() -> None:
    """Hosts, realms and VMs with names that would act on a terminal, in each plan and dialog."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await planned(pilot, "5")
        for keys in ("c", "f", "d", "b", "o", "c"):
            screen = await planned(pilot, keys)
            for _ in range(len(HOSTILE)):
                assert_clean(app)
                await pilot.press("j")
        assert app.fleet is not None
        for snapshot in app.fleet.hosts[::2]:
            screen.drain(snapshot.name)
            await planned(pilot)
            assert_clean(app)
        for key in ("e", "h"):
            await pilot.press(key)
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape")


def test_paragraphs_fit_into_any_room() -> None:
    """Never wider or longer than there is room, and the first line of each is there where all fit."""
    paragraphs = (("word " * 100, Tone.PLAIN), ("second", Tone.MUTED))
    for width in (1, 5, 40, 200):
        for height in (1, 2, 3, 10):
            lines = drawing_of(paragraphs)(width, height)
            assert len(lines) <= height
            assert all(width_of(text) <= width for line in lines for text, _ in line)
    assert drawing_of(paragraphs)(40, 4)[-1] == (("second", Tone.MUTED),)


def test_sheets_of_a_fleet_out_of_touch_claim_nothing() -> None:
    """No host answers: nothing fits, no loss is judged for sure, nothing moves."""
    silent = tuple(replace(host, connection=Connection.UNREACHABLE) for host in FLEET.hosts)
    fleet = replace(FLEET, hosts=silent)
    fits = capacity_sheet(capacity(CONFIGURATION, fleet, REQUEST))
    assert fits.said[0][0] == "No VM of 4 vCPUs, 20 GiB fits"
    assert all(row.dim for row in fits.rows)
    losses = failure_sheet(failure(CONFIGURATION, fleet))
    assert not any("OK" in plain(row.cells[1]) and "?" not in plain(row.cells[1]) for row in losses.rows)
    assert not any(plain(row.cells[0]) != "-" for row in rebalance_sheet(rebalance(CONFIGURATION, fleet)).rows)
    assert not any(plain(row.cells[0]) != "-" for row in drain_sheet(drain(CONFIGURATION, fleet, "h1")).rows)


def test_small_words() -> None:
    """Ages from a moment on, what is left in its units."""
    assert age_note(LIVE_SECONDS - 1, working=False, saved=False) == "current"
    assert age_note(75, working=True, saved=False) == "1 m old, updating"
    assert age_note(75, working=False, saved=True) == "a saved fleet"
    assert left_text({"vcpus": 3, "memory": 2 * GIB, "devices.a100": 0}) == "vcpus 3, memory 2 GiB, a100 0"
