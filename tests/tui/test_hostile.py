"""Names that would act on a terminal, end the program or break the layout, on every screen."""

from __future__ import annotations

from textual.widgets import Input

from core.hosts import HostState
from tests.tui.driving import screen_text, settle
from tests.tui.hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.render.hosts.questions import ask_removal, ask_state
from tui.screens.dialogs.confirm import Confirm
from tui.screens.hosts.detail import HostScreen
from tui.screens.hosts.edit_form import HostForm
from tui.screens.vms.detail import VMScreen
from tui.widgets.grid import Grid


async def test_no_name_harms_any_screen() -> None:
    """Hosts and VMs, each in detail, wide and narrow, the keys, the palette."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=MIDDLE) as pilot:
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
    async with app.run_test(size=MIDDLE, notifications=True) as pilot:
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
    async with app.run_test(size=MIDDLE, notifications=True) as pilot:
        await settle(pilot)
        assert "hweb[prod]01" in screen_text(app)
        assert "h[/]" in screen_text(app)
        app.tell("see [/] and [@click=app.quit]this[/]")
        await settle(pilot)
        assert "see [/] and [@click=app.quit]this[/]" in screen_text(app)
