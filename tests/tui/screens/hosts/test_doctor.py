"""The doctor on the screen: run as a task on real hosts of the test driver, a silent one and one that is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.clock import FixedClock
from core.codes import Check
from core.diagnostics import Severity
from core.fleet.fleet import Connection, HostSnapshot
from core.hosts import HostState
from core.operations.doctor import doctor
from core.operations.doctor.doctor import HostDiagnosis, HostTarget
from core.operations.findings import Checkup, Diagnosis
from core.operations.tasks.task import Progress
from tests.driver.silence import refused_port, silent_host
from tests.driver.worlds import Guest, write_node
from tests.tui import world
from tests.tui.driving import grid_of, left_waiting, screen_text, settle, text_of, told, until
from tests.tui.hostile import HOSTILE, assert_clean
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.render.hosts.findings import checkup_lines, finding_lines
from tui.screens.hosts.detail import HostScreen
from tui.screens.hosts.findings import FindingsScreen
from tui.state.checkups import Checkups
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.hosts import Host
    from tests.tui.world import StandingSession

POOLS = world.CONFIGURATION.realms["main"].pools


def node(folder: Path, name: str, pools: tuple[str, ...] = POOLS, **more: object) -> HostSnapshot:
    """Make a host of the test driver, as seen a second ago."""
    uri = write_node(folder / f"{name}.xml", [Guest(name=f"guest of {name}")], pools=pools)
    return world.seen(world.host(name, uri=uri, **more), world.vms(name, 2, 0))  # type: ignore[arg-type]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandingSession]:
    """Return four hosts: two that answer, one of them without two pools; one that refuses; one that hangs."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with silent_host() as silent:
        refusing = world.host("h3", uri=f"qemu+ssh://root@127.0.0.1:{refused_port()}/system")
        given = [
            node(tmp_path, "h1"),
            node(tmp_path, "h2", POOLS[:2]),
            world.seen(refusing, ago=99.0, connection=Connection.UNREACHABLE),
            world.seen(world.host("h4", uri=silent.uri)),
            HostSnapshot(host=world.host("h5", state=HostState.DISABLED), connection=Connection.OFF),
        ]
        yield world.standing(tmp_path, given)


def host_of(session: StandingSession, name: str) -> Host:
    """Return a host as it is registered."""
    assert session.registry is not None
    return session.registry.host(name)


def doctor_cells(app: RealmsApp) -> dict[object, str]:
    """Return what the table says of each host, by name."""
    at = [column.key for column in grid_of(app).model.columns].index("doctor")
    cells = {row.key: row.cells[at] for row in grid_of(app).model.shown}
    return {key: cell if isinstance(cell, str) else cell[0][0] for key, cell in cells.items()}  # type: ignore[index]


async def test_a_hung_host_does_not_hold_up_what_is_found_at_others(session: StandingSession) -> None:
    """Each host's findings are there as soon as its visit is over; cancelling leaves the rest."""
    app = RealmsApp(session)
    with left_waiting("tasks"):
        async with app.run_test(size=MIDDLE) as pilot:
            await settle(pilot)
            assert set(doctor_cells(app).values()) == {"-"}
            await pilot.press("ctrl+a", "d")
            others = [host_of(session, name) for name in ("h1", "h2", "h3")]
            await until(pilot, lambda: all(app.checkups.of(host) is not None for host in others))
            expected = {"h1": "7 warn", "h2": "1 err", "h3": "2 err", "h4": "asking", "h5": "-"}
            await until(pilot, lambda: doctor_cells(app) == expected)
            (view,) = session.tasks.running()
            assert not grid_of(app).model.marks
            session.tasks.cancel(view.id)
            await until(pilot, lambda: not session.tasks.running())
            await until(pilot, lambda: doctor_cells(app)["h4"] == "-")
            assert doctor_cells(app)["h2"] == "1 err"
            assert session.tasks.views()[0].progress is Progress.CANCELLED


async def test_a_host_that_hangs_is_told_as_such(session: StandingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its time is over; the message says how many answered."""
    monkeypatch.setattr(doctor, "HOST_SECONDS", 0.5)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("G", "k", "d")
        await until(pilot, lambda: told(app))
        assert told(app)[0].startswith("Doctor: 0 of 1 host answered; 1 error")
        found = app.checkups.of(host_of(session, "h4"))
        assert found is not None
        assert [each.what for each in found.findings if each.severity is Severity.ERROR] == ["no answer in 0.5 s"]


async def test_what_was_found_is_listed_worst_first_with_how_to_mend_it(session: StandingSession) -> None:
    """Of all hosts; what is well on demand; the mend can be copied; Enter goes to the host."""
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("f")
        await settle(pilot)
        assert isinstance(app.screen, FindingsScreen)
        assert "Press d to examine all" in screen_text(app)
        await pilot.press("escape", "space", "space", "space", "d")
        await until(pilot, lambda: not session.tasks.running() and told(app))
        await pilot.press("f")
        await settle(pilot)
        grid = grid_of(app)
        severities = [row.cells[0][0][0] for row in grid.model.shown]  # type: ignore[index]
        assert severities == sorted(severities, key=lambda word: Severity(word).rank)
        assert "ok" not in severities
        await pilot.press("o")
        await settle(pilot)
        assert grid.model.shown[-1].cells[0][0][0] == "ok"  # type: ignore[index]
        assert "3 of 5 hosts examined" in str(grid.border_subtitle)
        grid.filter_by("host:h2 severity:error")
        await settle(pilot)
        panel = text_of(app.screen.query_one(Panel))
        assert "pools: the realm's pools ticrypt-bricks, ticrypt-vm-snapshots are missing" in panel
        assert "Fix  realms pools setup --host h2 --path FOLDER" in panel
        await pilot.press("c")
        assert app.clipboard == "realms pools setup --host h2 --path FOLDER"
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, HostScreen)
        assert "Doctor  1 error" in text_of(app.screen.query_one(Panel))


async def test_findings_are_of_the_host_as_it_was_described(session: StandingSession) -> None:
    """Another URI, or another profile, and nobody knows any more."""
    checkups = Checkups(session.clock)
    host = host_of(session, "h1")
    checkups.take(HostDiagnosis(HostTarget(host, None, None), (Checkup("h1").error("x", "y"),), None))
    assert checkups.of(host) is not None
    assert checkups.of(replace(host, state=HostState.DISABLED)) is not None
    assert checkups.of(replace(host, uri="qemu:///system")) is None
    assert checkups.of(replace(host, profile="a100-node")) is None


async def test_several_hosts_leave_out_those_that_nothing_connects_to(session: StandingSession) -> None:
    """One that is named alone is asked, or told why not."""
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("G", "space", "d")
        await until(pilot, session.tasks.views)
        assert session.tasks.views()[0].target == "h5"
        session.tasks.cancel(1)
        await until(pilot, lambda: not session.tasks.running())


async def test_a_saved_fleet_cannot_be_examined() -> None:
    """It says so."""
    app = RealmsApp(world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        assert told(app) == ["A saved fleet has no live hosts to examine."]


async def test_the_caption_explains_only_columns_that_are_shown(tmp_path: Path) -> None:
    """At 80 columns there is no room for FITS where names are long."""
    long = [world.seen(world.host("a-host-with-a-rather-long-name"), world.vms("h1", 31, 0))]
    app = RealmsApp(world.standing(tmp_path, long))
    async with app.run_test(size=(70, 24)) as pilot:
        await settle(pilot)
        assert not grid_of(app).shows("fits")
        assert "FITS" not in str(grid_of(app).border_subtitle)
        await pilot.resize_terminal(140, 40)
        await settle(pilot)
        assert grid_of(app).shows("fits")
        assert "FITS: more VMs" in str(grid_of(app).border_subtitle)


async def test_no_finding_harms_a_screen(tmp_path: Path) -> None:
    """Whatever a host says of itself, in the table, in a panel, in the list."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        assert app.fleet is not None
        host = app.fleet.hosts[0].host
        at = Checkup(host.name)
        findings = [at.error(word, word, word) for word in HOSTILE] + [at.warning("x", "y" * 5000, "z" * 5000)]
        app.checkups.take(HostDiagnosis(HostTarget(host, None, None), tuple(findings), None))
        app.checkups.settle(Diagnosis(tuple(findings), 1, 0), [host.name])
        app.screen.show_tasks(())  # type: ignore[attr-defined]
        await settle(pilot)
        assert_clean(app)
        await pilot.press("enter")
        await settle(pilot)
        assert_clean(app)
        await pilot.press("f")
        await settle(pilot)
        for _ in findings:
            assert_clean(app)
            await pilot.press("j")


@pytest.mark.parametrize("width", [20, 40, 96, 200])
@pytest.mark.parametrize("room", [1, 2, 3, 5, 40])
def test_findings_take_no_more_room_than_they_get(width: int, room: int) -> None:
    """The rest is counted."""
    at = Checkup("h1")
    findings = tuple(at.warning(Check.POOLS, f"pool {number} is lost " * 4, "find it") for number in range(5))
    checkups = Checkups(FixedClock())
    checkups.take(HostDiagnosis(HostTarget(world.host("h1"), None, None), findings, None))
    checkup = checkups.of(world.host("h1"))
    assert checkup is not None
    for mend in (True, False):
        lines = checkup_lines(checkup, width, room, mend=mend)
        assert 1 <= len(lines) <= room
        assert room in {1, 40} or "more: f lists them" in lines[-1][0][0]
    assert all(sum(len(text) for text, _ in line) <= width for line in finding_lines(findings[0], width))
