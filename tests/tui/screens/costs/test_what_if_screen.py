"""What if, in the cost explorer: keys in, other rankings and curves out, and nothing real touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from core.config.model import Configuration
from core.fleet.fleet import Connection
from core.hosts import HostState
from tests.tui.driving import until
from tests.tui.screens.costs.costs_app import CostsApp
from tests.tui.screens.costs.costs_world import NOW, configuration, fleet, host, usual_fleet
from tests.tui.screens.costs.what_if_app import is_answered, press
from tui.screens.costs.evaluation import AT_ONCE
from tui.screens.costs.ranking_table import HostTable
from tui.screens.costs.what_if.banner import WhatIfBanner
from tui.screens.costs.what_if.function_editor import ParameterEditor
from tui.screens.costs.what_if.parameter_table import ParameterTable
from tui.screens.dialogs.choice import Choice
from tui.widgets.grid import Grid
from tui.widgets.plot import CurvePlot

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual.pilot import Pilot

GIB = 2**30
HOSTILE = "\x1b[2J[/red][@click=app.quit]x\u202e"
REFUSES_H2 = ("m", "9", "6", "enter", "tab", "home")
"""Asks for so much memory that h2 is past its hard limit, and goes there among the refused."""


def hosts(app: CostsApp, table: str) -> list[Hashable]:
    """Names of the hosts in a table, from the top."""
    return [row.key for row in app.costs.query_one(table, HostTable).model.shown]


def told(app: CostsApp) -> list[str]:
    """Return the changes in words."""
    return [str(change) for change in app.costs.session.history.changes]


async def choose(app: CostsApp, pilot: Pilot[int], key: Hashable) -> None:
    """Choose from the list that is open."""
    await until(pilot, lambda: isinstance(app.screen, Choice) and app.screen.is_mounted)
    app.screen.query_one(Grid).go_to(key)
    await press(app, pilot, "enter")


def drawn(app: CostsApp) -> CurvePlot:
    """Return the curve beside the parameters."""
    return app.costs.query_one(ParameterEditor).query_one(CurvePlot)


async def started(app: CostsApp, pilot: Pilot[int], *keys: str) -> None:
    """Begin, and press keys."""
    await until(pilot, lambda: is_answered(app))
    await press(app, pilot, *keys)


async def test_a_raised_limit_makes_a_refused_host_take_the_vm() -> None:
    """The editor begins at the limit that refuses it; the curve and the ranking follow what is typed."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, *REFUSES_H2, "e")
        assert app.costs.chosen == "h2"
        editor = app.costs.query_one(ParameterEditor)
        assert editor.parameter is not None
        assert editor.parameter.path == ("cost-functions", "cpu", "memory", "hard")
        await press(app, pilot, "enter", *"950 GiB")
        assert "h2" in hosts(app, "#ranking")
        assert "now fits" in app.text()
        assert told(app) == []
        await press(app, pilot, "enter")
        assert told(app) == ["cost-functions.cpu.memory.hard = 950 GiB"]
        assert isinstance(app.focused, ParameterTable)
        assert app.changing.configuration.cost_functions["cpu"].memory == configuration().cost_functions["cpu"].memory


async def test_the_banner_says_that_nothing_real_is_touched() -> None:
    """As long as there are changes, with what they make of capacity and failure."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, *REFUSES_H2, "e")
        assert not app.costs.query_one(WhatIfBanner).display
        await press(app, pilot, "plus", "plus")
        assert "WHAT IF  1 change, simulation only" in app.text()
        assert "19 → 25 fit" in app.text()
        assert "main ▸ Costs ▸ what if" in app.text()
        await press(app, pilot, "r")
        assert not app.costs.query_one(WhatIfBanner).display
        assert "what if" not in app.text()


async def test_each_key_draws_the_curve_anew_with_the_configured_one_behind() -> None:
    """Before the ranking is asked at all."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, *REFUSES_H2, "e")
        before = drawn(app)._subject
        assert before is not None
        assert before[3] is None
        await press(app, pilot, "plus")
        after = drawn(app)._subject
        assert after is not None
        assert after[0].hard == 896 * GIB
        assert after[3] == before[0]
        assert "dashed: configured" in app.text()
        await press(app, pilot, "u")
        assert drawn(app)._subject == before


async def test_a_value_that_makes_no_sense_is_said_as_the_configuration_would() -> None:
    """The line stays open for mending; Esc leaves everything as it was."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, *REFUSES_H2, "e", "enter", *"900 Gib")
        assert "did you mean GiB?" in app.text()
        await press(app, pilot, "enter")
        assert isinstance(app.focused, Input)
        await press(app, pilot, "escape")
        assert isinstance(app.focused, ParameterTable)
        assert app.costs.session.changes == ()
        assert app.costs.query_one("#value", Input).value == "850 GiB"


async def test_a_limit_below_the_soft_one_is_refused() -> None:
    """By the rules of the files."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, *REFUSES_H2, "e", "enter", *"5 GiB")
        assert "hard" in app.costs.query_one("#said").visual.plain  # type: ignore[attr-defined]
        assert app.costs.session.changes == ()


async def test_steps_are_undone_redone_and_taken_back_one_by_one() -> None:
    """Each key is a step; what is configured again is no change."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, *REFUSES_H2, "e", "plus", "plus")
        assert told(app) == ["cost-functions.cpu.memory.hard = 960 GiB"]
        await press(app, pilot, "u")
        assert told(app) == ["cost-functions.cpu.memory.hard = 896 GiB"]
        await press(app, pilot, "u")
        assert told(app) == []
        await press(app, pilot, "U", "U")
        assert told(app) == ["cost-functions.cpu.memory.hard = 960 GiB"]
        await press(app, pilot, "delete")
        assert told(app) == []
        await press(app, pilot, "u", "r", "u")
        assert told(app) == ["cost-functions.cpu.memory.hard = 960 GiB"]
        await press(app, pilot, "c")
        await choose(app, pilot, 0)
        assert told(app) == []


async def test_a_whole_curve_is_typed_or_taken_away() -> None:
    """In braces, as in the configuration; none unsets it."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "e")
        table = app.costs.query_one(ParameterTable)
        table.go_to(("cost-functions", "cpu", "memory"))
        await pilot.press("enter")
        line = app.costs.query_one("#value", Input)
        assert line.value == "{ curve: hard-soft, soft: 600 GiB, hard: 850 GiB, softAmt: 30, hardAmt: 200 }"
        line.value = "{ curve: constant, value: 3 }"
        await press(app, pilot, "enter")
        assert told(app) == ["cost-functions.cpu.memory = { curve: constant, value: 3 }"]
        assert app.costs.query_one(ParameterEditor).parameter is not None
        await pilot.press("enter")
        line.value = "none"
        await press(app, pilot, "enter")
        assert told(app) == ["cost-functions.cpu.memory = null"]
        assert "curve removed" in app.text()


async def test_another_cost_function_is_edited_beside_its_own_hosts_use() -> None:
    """Chosen from a list that says how many hosts have it."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "f")
        await choose(app, pilot, "gpu")
        assert "Cost function gpu" in app.text()
        app.costs.query_one(ParameterTable).go_to(("cost-functions", "gpu", "offset"))
        await press(app, pilot, "enter", *"0", "enter")
        assert told(app) == ["cost-functions.gpu.offset = 0"]
        assert hosts(app, "#ranking").index("h3") == 1
        assert "-100 000.0, up 3" in app.text().replace("\N{NO-BREAK SPACE}", " ")


async def test_the_editor_stays_with_its_function_and_host_whichever_is_best() -> None:
    """Also when what is typed makes a host with another function the best."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "e")
        app.costs.query_one(ParameterTable).go_to(("cost-functions", "cpu", "offset"))
        await press(app, pilot, "enter", *"1000000")
        assert hosts(app, "#ranking")[0] == "h3"
        assert app.costs.chosen == "h4"
        assert "Cost function cpu" in app.text()
        await press(app, pilot, "enter")
        assert told(app) == ["cost-functions.cpu.offset = 1000000"]


async def test_hosts_change_their_state_in_thought() -> None:
    """Disabled, and back: what is as it is counts as no change."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "h")
        await choose(app, pilot, ("state", HostState.DISABLED))
        assert told(app) == ["h4 Disabled"]
        assert "h4" in hosts(app, "#refused")
        assert "was #1" in app.text()
        app.costs.query_one("#refused").focus()
        app.costs.query_one("#refused", HostTable).go_to("h4")
        await press(app, pilot, "h")
        await choose(app, pilot, ("state", HostState.ENABLED))
        assert told(app) == []
        assert hosts(app, "#ranking")[0] == "h4"


async def test_a_host_is_dropped_and_brought_back() -> None:
    """It stays listed among the refused, so that one can find it."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "h")
        await choose(app, pilot, ("gone",))
        assert told(app) == ["without h4"]
        assert "removed by this what-if" in app.text()
        app.costs.query_one("#refused").focus()
        app.costs.query_one("#refused", HostTable).go_to("h4")
        await press(app, pilot, "h")
        await choose(app, pilot, ("state", HostState.ENABLED))
        assert told(app) == []


async def test_vms_are_added_and_taken_away() -> None:
    """On the host, where placement puts them, and one that runs."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "n", "3", "enter", "h")
        await choose(app, pilot, ("more",))
        assert told(app) == ["3 VMs more on h4: each 4 vCPUs, 8 GiB"]
        await press(app, pilot, "a")
        assert told(app) == ["6 VMs more on h4: each 4 vCPUs, 8 GiB"]
        await press(app, pilot, "h")
        await choose(app, pilot, ("less",))
        await until(pilot, lambda: isinstance(app.screen, Choice) and "without one" in app.screen._heading)
        await press(app, pilot, "enter")
        assert told(app)[1].startswith("without the VM h4/")
        use = app.costs.exploration.verdict("h4").use  # type: ignore[union-attr]
        assert use.vms == 6 + 6 - 1  # type: ignore[union-attr]


async def test_what_would_make_a_refused_host_take_it_is_tried_with_one_choice() -> None:
    """The close-up names the limit and the least value; the list of the host sets it."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 60)) as pilot:
        await started(app, pilot, *REFUSES_H2)
        assert "What would help: free 78 GiB of memory" in app.text()
        assert "cpu.memory.hard = 928 GiB" in " ".join(app.text().split())
        await press(app, pilot, "h")
        await choose(app, pilot, ("raised",))
        assert told(app) == ["cost-functions.cpu.memory.hard = 928 GiB"]
        assert "h2" in hosts(app, "#ranking")


async def test_the_what_if_follows_a_fleet_that_changes() -> None:
    """The same changes on the newer fleet; what a change was about may be gone."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "h")
        await choose(app, pilot, ("state", HostState.NO_SCHEDULING))
        app.become(fleet(*(each for each in usual_fleet().hosts if each.name != "h6"), host("h9")))
        await until(pilot, lambda: is_answered(app) and "h9" in hosts(app, "#ranking"))
        assert "h4" in hosts(app, "#refused")
        app.become(fleet(host("h9")))
        await until(pilot, lambda: is_answered(app) and hosts(app, "#refused") == [])
        assert told(app) == ["h4 No Scheduling"]
        await press(app, pilot, "u")
        assert hosts(app, "#ranking") == ["h9"]


async def test_a_configuration_that_lost_what_was_changed_is_told() -> None:
    """The changes stay, to be taken back; the last ranking that made sense stays too."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "e", "plus", "escape")
        whole = configuration()
        functions = {"gpu": whole.cost_functions["gpu"]}
        profiles = {"a100-node": whole.hardware_profiles["a100-node"]}
        app.become(usual_fleet(), Configuration(functions, profiles, whole.realms))
        await until(pilot, lambda: is_answered(app) and bool(app.costs.session.trouble))
        assert "unknown cost function 'cpu'" in app.text()
        await press(app, pilot, "r")
        assert hosts(app, "#ranking") == ["h3"]


async def test_many_hosts_are_judged_aside_and_the_newest_change_wins() -> None:
    """No key waits for the ranking of the one before."""
    app = CostsApp(fleet(*(host(f"h{number}", *[(4, 24)] * (number % 20)) for number in range(AT_ONCE + 100))))
    async with app.run_test(size=(140, 45)) as pilot:
        await started(app, pilot, "e")
        await pilot.press("plus", "plus", "plus", "plus")
        await until(pilot, lambda: is_answered(app))
        assert len(told(app)) == 1
        assert app.costs.exploration is not None
        assert app.costs.exploration.changes == app.costs.session.history.changes
        assert len(hosts(app, "#ranking")) == AT_ONCE + 100


async def test_escape_leaves_the_editor_and_keeps_the_changes() -> None:
    """Then the rest, as ever."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(80, 24)) as pilot:
        await started(app, pilot, "e", "plus", "escape")
        assert isinstance(app.focused, HostTable)
        assert not app.costs.is_editing
        assert len(told(app)) == 1


async def test_nothing_to_undo_or_to_export_is_said() -> None:
    """Keys that have nothing to do say so."""
    app = CostsApp(usual_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await started(app, pilot)
        for key in ("u", "U", "r", "x"):
            await press(app, pilot, key)
        shown = [notice.message for notice in app._notifications]
        assert [text.split(":")[0].rstrip(".") for text in shown] == [
            "Nothing to undo",
            "Nothing to redo",
            "No changes",
            "No changes to export",
        ]


@pytest.mark.parametrize("size", [(80, 24), (30, 6), (200, 60)])
async def test_hostile_names_and_empty_worlds_do_nothing(size: tuple[int, int]) -> None:
    """Names of hosts, functions and device types are text in every list."""
    hostile = fleet(
        host(HOSTILE, (4, 24)),
        host(HOSTILE + "2", connection=Connection.UNREACHABLE, seen=NOW, error=HOSTILE * 30),
    )
    for app in (CostsApp(hostile), CostsApp(fleet()), CostsApp(fleet(), Configuration())):
        async with app.run_test(size=size) as pilot:
            await started(app, pilot, "e", "plus", "enter", *"x[/]", "escape", "escape")
            await pilot.press("f", "escape", "h", "escape", "c", "escape", "a", "x", "escape", "u")
            assert "\x1b" not in app.text()
            assert "\u202e" not in app.text()
