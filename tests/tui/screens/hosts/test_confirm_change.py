"""The dialog of a change of hosts: what it would mean is there before anything happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from core.clock import FixedClock
from core.fleet.fleet import Fleet
from core.hosts import HostState
from core.operations.hosts.impact import HostsChange
from core.operations.tasks.task import Tasks
from core.placement.engine.request import Request
from tests.tui import world
from tests.tui.driving import dialog_text, registered, settle, worked_out
from tests.tui.hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.render.hosts.impact import WORKING, Effects, EffectsText
from tui.render.hosts.questions import ask_state
from tui.screens.hosts.confirm_change import ChangePreview, ConfirmChange, work_out
from tui.screens.plans.area import PlansScreen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

REQUEST = Request(4, 8 * world.GIB)


class SlowClock(FixedClock):
    """A clock by which everything takes long."""

    def monotonic(self) -> float:
        """Go on a second with every look."""
        self.seconds += 1.0
        return self.seconds


def effects_of(
    fleet: Fleet, names: tuple[str, ...], state: HostState | None, clock: FixedClock | None = None
) -> list[Effects]:
    """Work out what a change would mean, and give what was told on the way."""
    outlook = ChangePreview(world.CONFIGURATION, fleet, HostsChange(names, state), REQUEST)
    task = Tasks(FixedClock()).run(
        "effects", "", lambda control: list(work_out(outlook, clock or FixedClock(), control))
    )
    return task.outcome.result(60)


def said(names: tuple[str, ...], state: HostState | None, given: Fleet | None = None, width: int = 300) -> str:
    """Return what a dialog would say in the end."""
    fleet = Fleet(world.NOW, world.snapshots()) if given is None else given
    chosen = tuple(snapshot for snapshot in fleet.hosts if snapshot.name in names)
    text = EffectsText(chosen, HostsChange(names, state), REQUEST)
    lines = text.lines(effects_of(fleet, names, state)[-1], width)
    return "\n".join("".join(piece for piece, _ in line) for line in lines)


def test_a_cordon_names_its_vms_the_room_that_goes_and_where_they_could_go() -> None:
    """And that a failure means what it meant before."""
    first, *others = said(("h1",), HostState.NO_SCHEDULING).splitlines()
    assert first.startswith("VMs      build-02, build-06, build-10")
    assert first.endswith("db-05, db-09 and 20 more")
    assert others == [
        "Capacity 103 → 86 more VMs of 4 vCPUs, 8 GiB",
        "Failure  unchanged: if h3 fails, 3 VMs unplaced (1 host unknown)",
        "Drain    all 31 VMs can move: 27 to h7, 4 to h2",
    ]


def test_what_can_not_move_is_named_with_its_reason() -> None:
    """Devices, which no VM takes along while it runs, and a state in which nothing is moved."""
    told = said(("h3",), HostState.DISABLED)
    assert "1 of 4 VMs can move: 1 to h7" in told
    assert "ml-train-04 and ml-train-07 cannot move: it uses PCI devices: it would have to be shut down" in told
    assert "notebook-1 cannot move: it is crashed" in told


def test_a_failure_that_would_not_be_survived_any_more_stands_out() -> None:
    """As many VMs on two hosts as one takes, and a third one to spare."""
    hosts = tuple(
        world.seen(world.host(name), [world.vm(f"{name}-{number}", name, number, memory_bytes=400 * world.GIB)])
        for number, name in enumerate(("h1", "h2", "h3"))
    )
    fleet = Fleet(world.NOW, hosts)
    told = said(("h3",), HostState.NO_SCHEDULING, fleet)
    assert "Failure  unchanged: any one host can fail" in told
    fuller = replace(hosts[0], vms=(*hosts[0].vms, world.vm("h1-more", "h1", 9, memory_bytes=400 * world.GIB)))
    told = said(("h3",), HostState.NO_SCHEDULING, Fleet(world.NOW, (fuller, *hosts[1:])))
    assert "any one host can fail → failure of any of 2 hosts leaves VMs unplaced; worst h1, 1 VM" in told


def test_a_host_that_never_answered_promises_nothing() -> None:
    """Neither room nor VMs are known."""
    told = said(("h6",), HostState.ENABLED)
    assert "VMs      unknown" in told
    assert "unchanged: 103 more VMs of 4 vCPUs, 8 GiB" in told
    assert "h6 has not answered yet; capacity unknown." in told
    assert "Drain" not in told
    assert "h5 does not answer: the state of its VMs is unknown" in said(("h5",), HostState.DISABLED)


def test_the_room_of_a_host_that_is_removed_goes_too() -> None:
    """With all of them there is none."""
    everything = tuple(snapshot.name for snapshot in world.snapshots())
    assert "103 → 0 more VMs" in said(everything, None)
    assert "103 → 67 more VMs" in said(("h7",), None)


def test_what_is_not_worked_out_yet_is_told_as_such() -> None:
    """Each fact by itself; trouble takes its place."""
    fleet = Fleet(world.NOW, world.snapshots())
    text = EffectsText(fleet.hosts[:1], HostsChange(("h1",), HostState.DISABLED), REQUEST)
    assert len(effects_of(fleet, ("h1",), HostState.DISABLED)) == 1
    first, *parts, last = [Effects(), *effects_of(fleet, ("h1",), HostState.DISABLED, SlowClock())]
    assert [(part.room is None, part.emptying is None, part.survival is None) for part in parts] == [
        (False, True, True), (False, False, True),
    ]  # fmt: skip
    assert "".join(piece for line in text.lines(first, 80) for piece, _ in line).count(WORKING) == 3
    assert WORKING not in "".join(piece for line in text.lines(last, 80) for piece, _ in line)
    failed = Effects(trouble="no such host")
    assert failed.complete
    assert "no such host" in "".join(piece for line in text.lines(failed, 80) for piece, _ in line)


async def test_the_change_can_be_made_before_anything_is_worked_out(tmp_path: Path) -> None:
    """Nobody waits for figures who doesn't want to."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("c", "enter")
        await settle(pilot)
        assert registered(session, "h1").state is HostState.NO_SCHEDULING


async def test_the_moves_can_be_looked_at_instead(tmp_path: Path) -> None:
    """Nothing is changed then; a letter that is typed into a field is only a letter."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("r")
        await worked_out(pilot)
        await pilot.press("m")
        assert app.screen.query_one(Input).value == "m"
        await pilot.press("escape", "j", "x")
        await worked_out(pilot)
        await pilot.press("m")
        await settle(pilot)
        assert isinstance(app.screen, PlansScreen)
        assert app.screen.planner.host == "h2"
        assert registered(session, "h2").state is HostState.ENABLED


async def test_hostile_names_in_the_dialog_do_nothing() -> None:
    """Of hosts and of VMs."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        fleet = app.fleet
        assert fleet is not None
        for state in (HostState.DISABLED, HostState.ENABLED):
            for chosen in (fleet.hosts[:1], fleet.hosts):
                change = HostsChange(tuple(snapshot.name for snapshot in chosen), state)
                outlook = ChangePreview(app.session.configuration, fleet, change, REQUEST)
                app.push_screen(ConfirmChange(ask_state(chosen, state, fleet.taken), outlook))
                await worked_out(pilot)
                assert "Capacity" in dialog_text(app)
                assert_clean(app)
                await pilot.press("pagedown", "pageup", "escape")


# Whole screens -------------------------------------------------------------------------------------------------------

PICTURES = {
    "cordon": ["c"],
    "disable": ["j", "j", "x"],
    "enable": ["j", "j", "j", "u"],
    "several": ["space", "space", "x"],
    "remove": ["r"],
}


@SIZES
@pytest.mark.parametrize("which", PICTURES)
def test_the_dialogs(picture: Callable[..., bool], tmp_path: Path, which: str, size: tuple[int, int]) -> None:
    """With all that is worked out."""

    async def ask(pilot: Pilot[object]) -> None:
        await pilot.press(*PICTURES[which])
        await worked_out(pilot)

    assert picture(RealmsApp(world.standing(tmp_path)), size, prepare=ask)
