"""Names that would act on a terminal, end the program or break the layout, on every screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.widgets import Input

from core.config.model import Configuration
from core.fleet import Connection
from core.hosts import HostState
from core.text import printable
from tests.tui import world
from tests.tui.test_app import SIZE, settle
from tui.app import RealmsApp
from tui.render.host_changes import ask_removal, ask_state
from tui.screens.confirm import Confirm
from tui.screens.host import HostScreen
from tui.screens.host_form import HostForm
from tui.screens.vm import VMScreen
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from core.operations.workplace import Workplace

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m\x90q\x9c",
    "[/]",
    "[/red][bold",
    "[@click=app.quit]press me[/]",
    "[ @click=app.quit ]x",
    "web[prod]01",
    "$error [$accent]",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "名前が長い仮想マシン" * 8,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 e\u0301\u0301\u0301",
    "x" * 300,
    "two\nlines\r\ttab",
    "\ud800lone",
    " ",
    "%s {0} \\",
)


def hostile_world(*names: str) -> Workplace:
    """Make a fleet in which everything that comes from outside is such a name."""
    realms, given = {}, []
    for number, name in enumerate(names):
        realms[f"main{name}"] = replace(world.CONFIGURATION.realms["main"], id=f"main{name}")
        described = replace(world.host(f"h{name}"), realm=f"main{name}", uri=f"qemu+ssh://{name}/system")
        gone = replace(world.host(f"g{name}", f"profile{name}"), realm=f"realm{name}")
        machine = world.vm(
            name, described.name, number, address=f"10.0.0.1{name}", endpoint=f"x{name}:22", realm=f"main{name}"
        )
        error = f"no route{name}"
        given += [
            world.seen(described, [machine]),
            world.seen(gone, ago=99.0, connection=Connection.UNREACHABLE, error=error, machine_uuid=name),
        ]
    configuration = Configuration(world.CONFIGURATION.cost_functions, world.CONFIGURATION.hardware_profiles, realms)
    return world.saved(given, configuration)


def screen_text(app: RealmsApp) -> str:
    """Give everything on the screen as it is sent to the terminal, line by line."""
    background = app.screen.styles.background
    strips = app.screen._compositor.render_strips()
    lines = [app._sanitizer.apply(list(strip), background) for strip in strips]
    return "\n".join("".join(segment.text for segment in line) for line in lines)


def assert_clean(app: RealmsApp) -> None:
    """Check that nothing on the screen acts on a terminal, and that the program lives."""
    lines = screen_text(app).split("\n")
    assert len(lines) == app.size.height
    assert [line for line in lines if printable(line) != line] == []
    assert app.is_running


async def test_no_name_harms_any_screen() -> None:
    """Hosts and VMs, each in detail, wide and narrow, the keys, the palette."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert len(app.screen.query_one(Grid).model.shown) == 2 * len(HOSTILE)
        for _ in range(2 * len(HOSTILE)):
            assert_clean(app)
            await pilot.press("j")
        for keys in (("w", "right", "right"), ("question_mark",), ("escape",), ("ctrl+p", "h"), ("escape", "escape")):
            await pilot.press(*keys)
            await settle(pilot)
            assert_clean(app)
        assert app.fleet is not None
        for snapshot in app.fleet.hosts:
            app.push_screen(HostScreen(snapshot.name))
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape")
        await pilot.press("2")
        await settle(pilot)
        assert_clean(app)
        for vm in app.fleet.vms():
            app.push_screen(VMScreen(vm.key))
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape")


async def test_no_name_harms_a_form_a_dialog_a_filter_or_a_message() -> None:
    """Also those that the registry itself would refuse."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        fleet = app.fleet
        assert fleet is not None
        for snapshot in fleet.hosts[::2]:
            app.push_screen(Confirm(ask_removal([snapshot], fleet.taken)))
            await settle(pilot)
            assert_clean(app)
            app.pop_screen()
            app.push_screen(HostForm(snapshot.host))
            await settle(pilot)
            app.screen.query_one("#name", Input).value = snapshot.name
            await pilot.press("ctrl+s")
            assert_clean(app)
            await pilot.press("escape")
        app.push_screen(Confirm(ask_state(fleet.hosts, HostState.DISABLED, fleet.taken)))
        await settle(pilot)
        assert_clean(app)
        app.pop_screen()
        grid = app.screen.query_one(Grid)
        for name in HOSTILE:
            app.tell(name, "error")
            grid.filter_by(name)
            grid.fail(name)
            await settle(pilot)
            assert_clean(app)


async def test_markup_in_a_name_is_shown_as_it_is() -> None:
    """web[prod]01 is not web01."""
    app = RealmsApp(hostile_world("web[prod]01", "[/]"))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert "hweb[prod]01" in screen_text(app)
        assert "h[/]" in screen_text(app)
        app.tell("see [/] and [@click=app.quit]this[/]")
        await pilot.pause(0.2)
        assert "see [/] and [@click=app.quit]this[/]" in screen_text(app)
