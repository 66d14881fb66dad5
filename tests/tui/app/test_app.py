"""The application: areas, the line above, keys, palette, theme, and what a tick does."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.command import CommandPalette
from textual.widgets import OptionList

from core.errors import UnreadableFile
from core.fleet.fleet import VMState
from tests.tui import world
from tests.tui.driving import grid_of, settle, text_of
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.screens.dialogs.key_help import KeysScreen
from tui.screens.hosts.detail import HostScreen
from tui.screens.vms.detail import VMScreen
from tui.state.settings import Settings, Sort
from tui.terminal.theme import DARK, LIGHT, SIXTEEN, theme_for
from tui.widgets.bars import FooterLine, HeaderLine
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_header_says_how_many_hosts_answer(tmp_path: Path) -> None:
    """A disabled host isn't expected to; an unreachable one is missed."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        line = text_of(app.screen.query_one(HeaderLine))
        assert "main ▸ Hosts" in line
        assert "6 of 7 hosts · 115 VMs" in line


async def test_garbage_is_collected_from_the_first_frame_on(tmp_path: Path) -> None:
    """A start keeps that for later."""
    gc.disable()
    try:
        async with RealmsApp(world.standing(tmp_path)).run_test(size=MIDDLE) as pilot:
            await settle(pilot)
            assert gc.isenabled()
    finally:
        gc.enable()


async def test_a_saved_fleet_is_named_and_cannot_be_changed() -> None:
    """Its keys are there, dimmed, and say why."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        assert "saved fleet monday.json" in text_of(app.screen.query_one(HeaderLine))
        await pilot.press("c")
        await settle(pilot)
        assert [notification.message for notification in app._notifications] == [
            "Nothing can be changed: a saved fleet can't be changed."
        ]
        assert len(app.screen_stack) == 1


async def test_number_keys_go_to_areas_and_escape_comes_back() -> None:
    """Enter goes in, Esc goes out."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2")
        await settle(pilot)
        assert app.current_mode == "vms"
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, VMScreen)
        assert "VMs ▸ h1 ▸ web-00" in text_of(app.screen.query_one(HeaderLine))
        await pilot.press("escape")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        await pilot.press("1", "j", "j", "enter")
        await settle(pilot)
        assert isinstance(app.screen, HostScreen)
        assert grid_of(app).model.shown[0].cells[0] == "ml-train-04"


async def test_q_quits_from_an_area_only() -> None:
    """Elsewhere it goes back."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("enter", "q")
        await settle(pilot)
        assert app.is_running
        assert len(app.screen_stack) == 1
        await pilot.press("q")
    assert app.return_code == 0


async def test_a_newer_snapshot_reaches_the_screen_with_the_next_tick(tmp_path: Path) -> None:
    """And nothing is drawn where nothing is new."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        before = app.fleet
        app.tick()
        assert app.fleet is before
        session.see(world.seen(world.host("h1"), world.vms("h1", 7, 0)))
        app.tick()
        assert grid_of(app).model.shown[0].cells[4] == "7"


async def test_time_alone_changes_only_the_age_of_old_figures(tmp_path: Path) -> None:
    """Until two polls have passed, an idle screen has nothing to send."""
    session = world.standing(tmp_path, [world.seen(world.host("h1"), ago=0.0)])
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        before = app.fleet
        session.moment.advance(9.0)
        app.tick()
        assert app.fleet is before
        session.moment.advance(3.0)
        app.tick()
        assert grid_of(app).model.shown[0].cells[3] == (("late 12 s", "warn"),)
        session.moment.advance(30.0)
        app.tick()
        row = grid_of(app).model.shown[0]
        assert (row.cells[3][0][0], row.dim) == ("stale 42 s", True)


async def test_vms_of_a_host_that_does_not_answer_are_unknown() -> None:
    """Never "off", and never running either."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2", "slash", *"host:^h5$", "enter")
        await settle(pilot)
        rows = grid_of(app).model.shown
        assert len(rows) == 22
        assert {row.cells[2][0][0] for row in rows} == {"unknown 48 s"}
        assert all(row.dim for row in rows)
        assert all(vm.state is VMState.RUNNING for vm in world.snapshots()[4].vms)


async def test_the_filter_is_written_in_the_border() -> None:
    """Live; Enter keeps it, Esc lifts it."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2", "slash", *"q1(")
        await settle(pilot)
        grid = grid_of(app)
        assert grid.model.filter.error
        assert app.current_mode == "vms"  # 1 was a letter of the filter
        await pilot.press("ctrl+u", *"ml-train state:running", "enter", "j")
        await settle(pilot)
        assert grid._border_title is not None
        assert "/ml-train state:running ─ 22 of 115" in grid._border_title.plain
        await pilot.press("escape")
        assert len(grid.model.shown) == 115


async def test_the_sort_and_the_width_are_remembered(tmp_path: Path) -> None:
    """In the user's settings, by table."""
    settings = Settings(tmp_path / "settings.json")
    app = RealmsApp(world.saved(), settings)
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("T", "w")
        await settle(pilot)
    assert settings.sorts == {"hosts": Sort("cost")}
    again = RealmsApp(world.saved(), settings)
    async with again.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        assert grid_of(again).model.sort == Sort("cost")
        assert grid_of(again).wide
        assert [row.key for row in grid_of(again).model.shown][:3] == ["h4", "h7", "h1"]


async def test_the_sort_menu_sorts() -> None:
    """By the column chosen; unknown costs stay at the end."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("s")
        await settle(pilot)
        menu = app.screen.query_one(OptionList)
        menu.highlighted = 8
        await pilot.press("enter")
        await settle(pilot)
        assert grid_of(app).model.sort == Sort("cost")
        assert [row.key for row in grid_of(app).model.shown] == ["h4", "h7", "h1", "h2", "h3", "h5", "h6", "h10"]


async def test_the_palette_goes_to_a_vm_on_any_host() -> None:
    """By its name, lifting a filter that hides it."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2", "slash", *"nothing", "enter", "1", "colon")
        await settle(pilot)
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"web-sandbox")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert app.current_mode == "vms"
        row = grid_of(app).model.cursor_row
        assert row is not None
        assert row.cells[0] == "web-sandbox"


async def test_the_keys_of_a_view_are_listed_from_its_bindings() -> None:
    """Every command of the screen, its table and the application."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=(120, 60)) as pilot:
        screen = app.screen
        await pilot.press("question_mark")
        await settle(pilot)
        assert isinstance(app.screen, KeysScreen)
        shown = "\n".join(text_of(widget) for widget in app.screen.query("Static"))
        for command in (*screen.KEYS, *Grid.KEYS):
            assert command.help in shown
            assert command.key_text in shown


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_the_way_to_all_keys_is_always_shown(width: int) -> None:
    """However narrow the terminal."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(pilot)
        assert "? Keys" in text_of(app.screen.query_one(FooterLine))


async def test_themes_take_turns_and_are_remembered() -> None:
    """Dark, light, the terminal's own."""
    settings = Settings()
    app = RealmsApp(world.saved(), settings)
    async with app.run_test(size=MIDDLE) as pilot:
        seen = [app.theme]
        for _ in range(3):
            await pilot.press("ctrl+t")
            await settle(pilot)
            seen.append(app.theme)
    assert seen == [DARK, LIGHT, SIXTEEN, DARK]
    assert settings.theme == DARK


def test_few_colours_mean_the_terminal_s_own() -> None:
    """Whatever was chosen elsewhere."""
    assert theme_for(LIGHT, 16) == SIXTEEN
    assert theme_for(LIGHT, None) == LIGHT
    assert theme_for("no such theme", None) == DARK


def test_settings_survive_whatever_is_in_their_file(tmp_path: Path) -> None:
    """They are the user's, and never a reason not to start."""
    path = tmp_path / "settings.json"
    assert Settings.load(path).sorts == {}
    for text in (
        "",
        "{",
        "[]",
        '{"theme": 3, "sort": [], "wide": "x"}',
        '{"sort": {"vms": {"column": 1}}}',
        "[" * 9000,
    ):
        path.write_text(text)
        loaded = Settings.load(path)
        assert (loaded.theme, loaded.sorts, loaded.wide) == ("", {}, set())
    path.write_text(
        '{"theme": "realms-light", "sort": {"vms": {"column": "cpu", "descending": true}}, "wide": ["vms"]}'
    )
    loaded = Settings.load(path)
    assert (loaded.theme, loaded.sorts, loaded.wide) == (LIGHT, {"vms": Sort("cpu", descending=True)}, {"vms"})


async def test_the_first_key_after_another_window_had_the_keyboard_is_not_lost() -> None:
    """Coming back from the shell, too."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        app.post_message(events.AppBlur())
        await settle(pilot)
        await pilot.press("slash", *"h3")
        await settle(pilot)
        assert [row.key for row in grid_of(app).model.shown] == ["h3"]


@pytest.mark.parametrize("size", [(1, 1), (2, 30), (12, 4), (34, 9), (300, 8)])
async def test_no_size_of_a_terminal_harms(size: tuple[int, int]) -> None:
    """Every screen, drawn in whatever room there is."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for keys in (
            ("j", "w", "w"),
            ("enter",),
            ("escape",),
            ("2",),
            ("enter",),
            ("escape",),
            ("question_mark",),
            ("escape",),
        ):
            await pilot.press(*keys)
            await settle(pilot)
        await pilot.resize_terminal(100, 30)
        await settle(pilot)
        assert app.is_running
        assert "web-00" in text_of(grid_of(app))


async def test_a_registry_that_cannot_be_read_is_said_and_tried_again(tmp_path: Path) -> None:
    """In place of the hosts, with what to do."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    refusals = [UnreadableFile("/x/registry.json can't be read", hint="ask its owner")]

    def connect() -> None:
        if refusals:
            raise refusals.pop()

    session.connect = connect  # type: ignore[method-assign, assignment]
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        assert "/x/registry.json can't be read (ask its owner)" in text_of(grid_of(app))
        app._look_for_hosts()
        await settle(pilot)
        assert "cpu-node" in text_of(grid_of(app))


async def test_the_names_of_marked_rows_are_copied() -> None:
    """One a line."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("space", "space", "y")
        assert app.clipboard == "h1\nh2"
