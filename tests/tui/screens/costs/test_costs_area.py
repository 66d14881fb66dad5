"""The cost explorer as it is used: keys in, ranking, reasons and curves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.content import Content

from core.curves import Invalid, Linear
from core.fleet.fleet import Connection
from core.realms import Realm
from tests.tui.driving import settle
from tests.tui.screens.costs.costs_app import CostsApp
from tests.tui.screens.costs.costs_world import NOW, configuration, fleet, host, usual_fleet
from tui.screens.costs.evaluation import AT_ONCE
from tui.screens.costs.host_detail import CloseUpPanel
from tui.screens.costs.ranking_table import HostTable
from tui.screens.costs.request_panel import RequestPanel
from tui.widgets.plot import CurvePlot

if TYPE_CHECKING:
    from textual.pilot import Pilot

SIZES = [(80, 24), (120, 40), (200, 60)]
HOSTILE = "\x1b[2J[/red][@click=app.quit]x\u202e"


def hosts(app: CostsApp, table: str) -> list[object]:
    """Names of the hosts in a table, from the top."""
    return [row.key for row in app.costs.query_one(table, HostTable).model.shown]


def curves(app: CostsApp) -> list[str]:
    """Titles of the curves that are drawn."""
    titles = (str(plot.border_title) for plot in app.costs.query_one(CloseUpPanel).query(CurvePlot) if plot.display)
    return [Content.from_markup(title).plain for title in titles]


async def type_request(pilot: Pilot[int], *keys: str) -> None:
    """Press keys, and let the screen answer."""
    await pilot.press(*keys)
    await settle(pilot)


async def test_hosts_are_ranked_with_the_refused_below() -> None:
    """The sentence on top names the best host, its lead, and what decides."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert hosts(app, "#ranking") == ["h4", "h6", "h1", "h2", "h3"]
        assert hosts(app, "#refused") == ["h5", "h7", "h8"]
        assert "5 of 8 hosts can take it: best h4, 44.8 cheaper than h6 (memory decides)" in app.text()


async def test_a_larger_request_is_ranked_as_it_is_typed() -> None:
    """A bare number of memory is GiB; h2 is refused with the numbers that decide."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(160, 40)) as pilot:
        await type_request(pilot, "m", "6", "4")
        assert hosts(app, "#ranking") == ["h4", "h6", "h1", "h3"]
        assert "896 GiB after placing is past the limit of 850 GiB" in app.text()


async def test_plus_and_minus_change_the_field_edited_last_from_anywhere() -> None:
    """In the field and in the ranking alike."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        panel = app.costs.query_one(RequestPanel)
        await type_request(pilot, "m", "+", "+")
        assert panel.typed["memory"] == "12 GiB"
        await type_request(pilot, "enter", "-", "-", "-")
        assert panel.typed["memory"] == "7 GiB"
        assert app.costs.exploration is not None
        assert app.costs.exploration.request.memory_bytes == 7 * 2**30


async def test_letters_go_from_field_to_field() -> None:
    """No number and no size has these letters, so that a whole request is typed in one go."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await type_request(pilot, "v", "8", "m", "6", "4", "d", "1", "n", "3", "enter")
        assert app.costs.exploration is not None
        request = app.costs.exploration.request
        assert (request.vcpus, request.memory_bytes, dict(request.devices)) == (8, 64 * 2**30, {"a100": 1})
        assert app.costs.exploration.count == 3
        assert isinstance(app.focused, HostTable)


async def test_what_makes_no_sense_is_said_and_the_last_ranking_stays() -> None:
    """The field is named, and what would be right."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await type_request(pilot, "m", *"64 Gib")
        assert "Memory: unknown unit 'Gib' of size (did you mean GiB?" in app.text()
        assert hosts(app, "#ranking")
        await type_request(pilot, "v", "0")
        assert "vCPUs: must be 1 or more" in app.text()
        await type_request(pilot, "v", "4", "m", *"64 GiB")
        assert "makes" not in app.text()
        assert app.costs.exploration is not None
        assert app.costs.exploration.request.memory_bytes == 64 * 2**30


async def test_the_chosen_hosts_curves_are_drawn() -> None:
    """Choosing the host with devices shows its device curve too."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(200, 60)) as pilot:
        await settle(pilot)
        assert [title.split(" ")[0] for title in curves(app)] == ["vms", "vcpus", "memory", "a100"]
        assert "unavailable" in curves(app)[3]
        await pilot.press("G")
        await settle(pilot)
        assert app.costs.chosen == "h3"
        assert "piecewise" in curves(app)[3]
        assert "max = host 4" in app.text()


async def test_left_and_right_turn_to_other_curves_where_one_fits() -> None:
    """At 80x24 the terms and the curves take turns."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "h4 ─ vcpus ─ hard-soft" in curves(app)[0]
        await pilot.press("right")
        await settle(pilot)
        assert "h4 ─ memory ─ hard-soft" in curves(app)[0]
        await pilot.press("left", "left", "left")
        await settle(pilot)
        assert not curves(app)
        assert "cheaper than h6" in app.text()


async def test_the_best_host_is_followed_until_another_is_chosen() -> None:
    """With the cursor on the best host a change shows the new best; a chosen host stays, also among the refused."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await type_request(pilot, "d", "1", "enter")
        assert app.costs.chosen == "h3"
        await type_request(pilot, "d", "0", "enter")
        assert app.costs.chosen == "h4"
        app.costs.query_one("#ranking", HostTable).go_to("h2")
        await settle(pilot)
        await type_request(pilot, "m", "9", "6", "enter")
        assert app.costs.chosen == "h2"
        assert "memory infinite" in str(app.costs.query_one("#terms").border_title)


async def test_a_changed_fleet_is_judged_at_once() -> None:
    """A host that comes back joins the ranking."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        back = tuple(host("h5") if snapshot.name == "h5" else snapshot for snapshot in usual_fleet().hosts)
        app.become(fleet(*back))
        await settle(pilot)
        assert hosts(app, "#ranking")[0] == "h5"
        assert app.costs.chosen == "h5"


async def test_a_changed_configuration_brings_its_device_types_and_keeps_what_is_typed() -> None:
    """Fields appear and go with the configuration."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await type_request(pilot, "m", "1", "6", "enter")
        changed = configuration()
        changed.cost_functions["cpu"].devices["l40s"] = Linear(slope=1.0, base=0.0)  # type: ignore[index]
        changed.realms["second"] = Realm(id="second", name="Second")  # type: ignore[index]
        app.become(usual_fleet(), changed)
        await settle(pilot)
        panel = app.costs.query_one(RequestPanel)
        assert [field.label for field in panel.fields] == ["vCPUs", "Memory", "a100", "l40s", "Count", "Realm"]
        assert panel.typed["memory"] == "16"
        assert "l40s" in app.text()


async def test_several_vms_are_counted_by_host() -> None:
    """With a count the ranking says how many each host takes, and the curves show them all."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await type_request(pilot, "m", "6", "4", "n", "1", "2", "enter")
        assert "All 12 VMs can be placed: 8 on h4, 3 on h6, 1 on h1" in app.text()
        assert "with 8 more VMs" in str(app.costs.query_one("#terms").border_title)
        assert "● 144 → ○ 656 GiB" in app.text()


async def test_many_hosts_are_judged_in_a_thread_and_the_newest_question_wins() -> None:
    """No frame waits for them; what was typed while the thread worked is judged after it."""
    many = fleet(*(host(f"h{number}", *[(4, 24)] * (number % 20)) for number in range(AT_ONCE + 100)))
    app = CostsApp(many)
    async with app.run_test(size=(120, 40)) as pilot:
        await type_request(pilot, "v", "2", "m", "3", "2", "enter")
        while app.workers:
            await app.workers.wait_for_complete()
            await settle(pilot)
        assert app.costs.exploration is not None
        assert app.costs.exploration.request.memory_bytes == 32 * 2**30
        assert len(hosts(app, "#ranking")) == AT_ONCE + 100


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_fleet_is_no_error(size: tuple[int, int]) -> None:
    """The screen says that there are no hosts."""
    app = CostsApp(fleet())
    async with app.run_test(size=size) as pilot:
        await pilot.press("right", "z", "z", "j", "enter", "escape")
        assert "No hosts" in app.text()


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (30, 6)])
async def test_hostile_names_are_shown_and_do_nothing(size: tuple[int, int]) -> None:
    """Names of hosts, device types and errors are text, in every size."""
    world = configuration()
    world.cost_functions["cpu"].devices[HOSTILE] = Linear(slope=1.0, base=0.0)  # type: ignore[index]
    world.realms[HOSTILE] = Realm(id=HOSTILE, name=HOSTILE)  # type: ignore[index]
    hostile = fleet(
        host(HOSTILE, (4, 24)),
        host(HOSTILE + "2", connection=Connection.UNREACHABLE, seen=NOW, error=HOSTILE * 30),
        host("名前" * 20, (2, 4), realm=HOSTILE),
    )
    app = CostsApp(hostile, world)
    async with app.run_test(size=size) as pilot:
        await type_request(pilot, "n", "2", "enter", "j", "tab", "right", "enter", "escape", "d", "d", "x", "+")
        text = app.text()
        assert "\x1b" not in text
        assert "\u202e" not in text


async def test_a_host_without_cost_function_says_so() -> None:
    """An unknown profile has no curves; the reason stands where they would be."""
    app = CostsApp(fleet(host("h1", profile="gone"), host("h2")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("tab")
        await settle(pilot)
        assert app.costs.chosen == "h1"
        assert "No cost function." in app.text()
        assert "hardware profile gone is not in the configuration" in app.text()


async def test_a_function_that_allows_nothing_is_drawn_as_one_band() -> None:
    """No host can take the VM, and the reason is counted."""
    app = CostsApp(fleet(host("h1", (4, 8)), host("h2")), configuration(memory=Invalid()))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "None of 2 hosts can take it: memory infinite" in app.text()
        assert " infinite " in app.text()


async def test_escape_leaves_the_field_then_the_zoom() -> None:
    """Enter on a host gives it the whole screen."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await type_request(pilot, "m", "escape")
        assert isinstance(app.focused, HostTable)
        await pilot.press("enter")
        await settle(pilot)
        assert app.costs.query_one(CloseUpPanel).size.height > 30
        await pilot.press("escape")
        await settle(pilot)
        assert app.costs.query_one(CloseUpPanel).size.height < 30
