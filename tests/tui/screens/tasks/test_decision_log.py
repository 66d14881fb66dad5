"""The scheduling log on the screen: what was decided, live, and each decision explained from its own line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.config.model import Configuration
from core.document import Malformed
from core.operations.scheduling.log_file import rotated
from core.operations.scheduling.log_summary import summarize
from core.operations.scheduling.log_writer import log_of
from core.placement.engine.request import Request
from tests.tui import world
from tests.tui.driving import settle, text_of, until
from tests.tui.hostile import HOSTILE, assert_clean
from tests.tui.screens.tasks import log_world
from tests.tui.screens.tasks.log_world import DEARER, GIB, LOGGING, SMALL, log
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.render.cells import plain
from tui.render.tasks.decision_log import LogTold, log_detail, told_of
from tui.screens.hosts.detail import HostScreen
from tui.screens.tasks import decision_log as tasks_log
from tui.screens.tasks import log_reader as tasks_log_reader
from tui.screens.tasks.decision import DecisionScreen
from tui.screens.tasks.decision_log import SchedulingLogScreen
from tui.screens.tasks.log_reader import LogReader
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.tui.world import StandingSession


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandingSession:
    """Return a session with a log of five decisions."""
    return log_world.usual(tmp_path, monkeypatch)


async def opened(pilot: Pilot[int]) -> SchedulingLogScreen:
    """Open the log and wait until it is read."""
    await settle(pilot)
    await pilot.press("6", "l")
    await until(pilot, lambda: isinstance(pilot.app.screen, SchedulingLogScreen) and pilot.app.screen.complete)
    screen = pilot.app.screen
    assert isinstance(screen, SchedulingLogScreen)
    return screen


async def explained(pilot: Pilot[int]) -> DecisionScreen:
    """Open the decision under the cursor and wait until it is made again."""
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, DecisionScreen) and pilot.app.screen.outcome is not None)
    screen = pilot.app.screen
    assert isinstance(screen, DecisionScreen)
    return screen


def listed(screen: SchedulingLogScreen, column: str = "name") -> list[str]:
    """Return what the table shows in a column."""
    grid = screen.query_one(Grid)
    index = [each.key for each in grid.model.columns].index(column)
    return [plain(row.cells[index]) for row in grid.model.shown]


def said(screen: SchedulingLogScreen | DecisionScreen) -> str:
    """Return what stands above the table."""
    panel = screen.query_one("#log-said", Panel)
    return " ".join(text_of(panel).split()) if panel.display else ""


async def test_decisions_are_listed_newest_first_with_their_margin(session: StandingSession) -> None:
    """And with how many hosts refused; what found no host says so."""
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await opened(pilot)
        assert listed(screen) == ["web-3", "huge", "ml-9", "web-2", "web-1"]
        assert listed(screen, "host") == ["h7", "none", "h3", "h7", "h7"]
        assert listed(screen, "margin") == ["62.1", "-", "only", "64.1", "62.1"]
        assert listed(screen, "refused") == ["4/8", "8/8", "7/8", "4/8", "4/8"]
        assert listed(screen, "user") == ["admin"] * 5
        assert said(screen) == ""
        assert "62.1 cheaper than h1" in text_of(screen.query_one("#log-row", Panel))
        await pilot.press("/", *"host:none", "enter")
        await settle(pilot)
        assert listed(screen) == ["huge"]


async def test_a_new_decision_comes_by_itself_and_the_cursor_stays_on_its_row(
    session: StandingSession, tmp_path: Path
) -> None:
    """Also after the log was rotated."""
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await opened(pilot)
        grid = screen.query_one(Grid)
        await pilot.press("j")
        before = grid.cursor_key
        path = log_of(tmp_path / "registry.json")
        log(tmp_path, ("web-4", SMALL), later=400)
        path.rename(rotated(path)[0])
        log(tmp_path, ("web-5", SMALL), ("web-6", SMALL), later=500)
        screen.look()
        await until(pilot, lambda: len(grid.model) == 8)
        assert listed(screen)[:5] == ["web-6", "web-5", "web-4", "web-3", "huge"]
        assert grid.cursor_key == before
        decision = await explained(pilot)
        assert "None of 8 hosts" in said(decision)


async def test_a_decision_is_explained_with_every_host_its_terms_and_reasons(session: StandingSession) -> None:
    """Made by today's configuration; the host under the cursor in full."""
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await opened(pilot)
        screen = await explained(pilot)
        assert "h7 at cost 32.5: 62.1 cheaper than h1, vcpus decided" in said(screen)
        assert "Made with the current configuration: same decision today" in said(screen)
        grid = screen.query_one(Grid)
        assert [row.key for row in grid.model.shown] == ["h7", "h1", "h2", "h3", "h10", "h4", "h5", "h6"]
        panel = screen.query_one("#decision-host", Panel)
        assert "memory: 240 GiB → 248 GiB, costs 6.2 → 6.5" in text_of(panel)
        await pilot.press("j", "j", "j", "j", "j")
        await settle(pilot)
        assert "the host is set to No Scheduling" in text_of(panel)
        assert "Fix: enable it" in text_of(panel)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, HostScreen)
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert isinstance(app.screen, SchedulingLogScreen)


async def test_a_refusal_says_what_would_have_mended_it(session: StandingSession) -> None:
    """Without VMs to move: the log has only their sum."""
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await opened(pilot)
        await pilot.press("j")
        screen = await explained(pilot)
        told = text_of(screen.query_one("#decision-host", Panel))
        assert "memory infinite: 1408 GiB after placing is past the limit of 900 GiB" in told
        assert "Fix: " in told
        assert "request at most" in told
        assert "moves away" not in told
        assert "no single VM" not in told


async def test_what_todays_configuration_would_decide_otherwise_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures shown are those of the configuration of then."""
    app = RealmsApp(log_world.usual(tmp_path, monkeypatch, DEARER))
    async with app.run_test(size=MIDDLE) as pilot:
        await opened(pilot)
        screen = await explained(pilot)
        assert "The current configuration would decide differently: h7 at 32.46 → h3 at 100 025.92" in said(screen)
        assert "h7 at cost 32.5: 62.1 cheaper than h1" in said(screen)
        await pilot.press("escape", "j", "j")
        screen = await explained(pilot)
        assert "The configuration has changed; same decision today" in said(screen)


async def test_a_configuration_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then today's stands in, and it is said."""
    app = RealmsApp(log_world.usual(tmp_path, monkeypatch, DEARER))
    for stored in (tmp_path / "scheduling-configurations").iterdir():
        stored.unlink()
    async with app.run_test(size=MIDDLE) as pilot:
        await opened(pilot)
        screen = await explained(pilot)
        assert "Shown with the current configuration; the original is gone" in said(screen)


async def test_where_nothing_is_logged_it_says_how_to_turn_it_on(tmp_path: Path) -> None:
    """In one sentence; a saved fleet has no log."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await opened(pilot)
        assert said(screen) == "Decisions are not logged: set log-scheduling = on in the realm's file."
        assert "No decisions logged: log-scheduling is off." in text_of(screen.query_one(Grid))
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await opened(pilot)
        assert said(screen) == ""
        assert "A saved fleet has no scheduling log." in text_of(screen.query_one(Grid))


def test_a_realm_that_logs_nothing_is_named_where_others_do() -> None:
    """A disabled one decides nothing."""
    main = LOGGING.realms["main"]
    off, away = (
        replace(main, id="lab", log_scheduling=False),
        replace(main, id="old", log_scheduling=False, disabled=True),
    )
    realms = {"main": main, "lab": off, "old": away}
    told = told_of(Configuration(LOGGING.cost_functions, LOGGING.hardware_profiles, realms), LogTold())
    ((sentence, _),) = told.sentences()
    assert sentence.startswith("Decisions are not logged in realm lab: set log-scheduling = on")


async def test_damaged_lines_are_counted_and_told(session: StandingSession, tmp_path: Path) -> None:
    """The lines around them are listed; one that only looks whole says what is wrong when it is opened."""
    path = log_of(tmp_path / "registry.json")
    whole = json.loads(path.read_text().splitlines()[-1])
    whole["hosts"][0]["age"] = -3
    with path.open("ab") as file:
        file.write(b'{"time": \n\xff\xfe\n{"verdicts": 7}\n' + json.dumps(whole).encode() + b"\n")
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await opened(pilot)
        assert len(listed(screen)) == 6
        assert "3 damaged lines skipped" in said(screen)
        decision = await explained(pilot)
        assert "is damaged: hosts[0].age is -3" in said(decision)
        assert "can't be replayed" in text_of(decision.query_one(Grid))
        await pilot.press("escape")
        path.unlink()
        await pilot.press("j")
        decision = await explained(pilot)
        assert "the decision is no longer in" in said(decision)


async def test_a_log_that_can_not_be_read_is_told_and_tried_again(session: StandingSession, tmp_path: Path) -> None:
    """As soon as it can be, its decisions are there."""
    path = log_of(tmp_path / "registry.json")
    path.rename(tmp_path / "aside")
    path.mkdir()
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await opened(pilot)
        assert "can't be read" in said(screen)
        path.rmdir()
        (tmp_path / "aside").rename(path)
        screen.look()
        await until(pilot, lambda: len(screen.query_one(Grid).model) == 5)
        assert said(screen) == ""


async def test_only_the_newest_decisions_are_kept(
    session: StandingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is read, and as more come."""
    monkeypatch.setattr(tasks_log_reader, "MOST_DECISIONS", 3)
    monkeypatch.setattr(tasks_log, "MOST_DECISIONS", 3)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await opened(pilot)
        assert listed(screen) == ["web-3", "huge", "ml-9"]
        assert "Older decisions are not shown" in said(screen)
        log(tmp_path, ("web-4", SMALL), later=400)
        screen.look()
        await until(pilot, lambda: listed(screen) == ["web-4", "web-3", "huge"])


def test_a_long_log_comes_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them says that what was shown before is to be forgotten."""
    log(tmp_path, ("web", SMALL))
    path = log_of(tmp_path / "registry.json")
    path.write_text(path.read_text() * 25)
    monkeypatch.setattr(tasks_log_reader, "BATCH", 10)
    reader = LogReader(path)
    heard = list(reader.read())
    reader.stop()
    assert [len(each.entries) for each in heard] == [10, 10, 5]
    assert [each.anew for each in heard] == [True, False, False]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"[]", "is a list"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"request": {"vcpus": 0, "memory": 1}, "placements": [], "verdicts": []}', "at least 1 vCPU"),
        (b'{"request": {"vcpus": 1, "memory": 1}, "placements": [7], "verdicts": []}', "is a number"),
        (b'{"request": {"vcpus": 1, "memory": 1}, "placements": [], "verdicts": [{"cost": 1}]}', "is missing"),
        (b'{"request": {"vcpus": 1, "memory": 1}, "placements": [], "verdicts": [], "time": "then"}', "is 'then'"),
    ],
)
def test_what_makes_no_sense_in_a_line_is_told_with_its_place(line: bytes, problem: str) -> None:
    """And is no decision."""
    with pytest.raises(Malformed, match=problem):
        summarize(line)


def test_an_order_past_a_refusal_is_told_as_one(tmp_path: Path) -> None:
    """So is the dearer host that an administrator named."""
    log(tmp_path, ("web", SMALL), forced_host="h7", despite_refusal=True)
    decision = summarize(log_of(tmp_path / "registry.json").read_bytes().strip())
    told = [text for text, _ in log_detail(decision).paragraphs]
    assert "h7, chosen by an administrator, despite its refusal at cost 32.5, 62.1 cheaper than h1" in told
    dearer = replace(decision, margin=-3.0, next_best="h1")
    assert "3.0 more expensive than h1" in " ".join(text for text, _ in log_detail(dearer).paragraphs)
    several = replace(decision, count=4, placed=2)
    assert "2 of 4 placed" in " ".join(text for text, _ in log_detail(several).paragraphs)


async def test_hostile_names_in_the_log_do_nothing(session: StandingSession, tmp_path: Path) -> None:
    """Neither in the table, the panels, the line above, nor in what is explained."""
    path = log_of(tmp_path / "registry.json")
    line = json.loads(path.read_text().splitlines()[0])
    app = RealmsApp(session)
    with path.open("w") as file:
        for name in HOSTILE:
            hostile = dict(line) | {"vm": name, "user": name, "operation": name, "id": name}
            hostile["request"] = line["request"] | {"devices": {name: 1}, "realm": "main"}
            hostile["placements"] = [line["placements"][0] | {"host": f"h{name}"}]
            hostile["hosts"] = [each | {"name": f"h{name}{each['name']}", "error": name} for each in line["hosts"]]
            hostile["verdicts"] = [each | {"host": f"h{name}{each['host']}"} for each in line["verdicts"]]
            for verdict in hostile["verdicts"]:
                if verdict["refusal"] is not None:
                    verdict["refusal"] = verdict["refusal"] | {"why": name, "message": name}
            file.write(json.dumps(hostile) + "\n")
    async with app.run_test(size=MIDDLE, notifications=True) as pilot:
        screen = await opened(pilot)
        halves = [name for name in HOSTILE if name.encode(errors="ignore").decode() != name]
        assert len(screen.query_one(Grid).model) == len(HOSTILE) - len(halves)
        assert (f"{len(halves)} damaged line" in said(screen)) == bool(halves)
        for _ in HOSTILE:
            assert_clean(app)
            await explained(pilot)
            assert_clean(app)
            await pilot.press("G", "enter")
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape", "j")
            await settle(pilot)
        await pilot.press("w")
        await settle(pilot)
        assert_clean(app)


# Whole screens -------------------------------------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize("which", ["log", "off", "damaged", "explained", "refused", "otherwise"])
def test_the_log(
    picture: Callable[..., bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
    size: tuple[int, int],
) -> None:
    """Decisions, none where it is off, damaged lines; one explained, a refusal, and one that would go elsewhere."""
    if which == "off":
        session = world.standing(tmp_path)
    else:
        session = log_world.usual(tmp_path, monkeypatch, DEARER if which == "otherwise" else LOGGING)
        log(tmp_path, ("batch", Request(16, 200 * GIB, {"a100": 1}, "main")), later=400, forced_host="h3")
    if which == "damaged":
        with log_of(tmp_path / "registry.json").open("a") as file:
            file.write('{"time": \n')

    async def prepare(pilot: Pilot[int]) -> None:
        await opened(pilot)
        if which in ("explained", "refused", "otherwise"):
            await pilot.press(*{"explained": "j", "refused": "jj", "otherwise": "j"}[which])
            await explained(pilot)
            await pilot.press(*{"explained": "j", "refused": "", "otherwise": "jj"}[which])
        await settle(pilot)

    assert picture(RealmsApp(session), size, prepare=prepare)
