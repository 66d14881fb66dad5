"""Plans that are carried out: hosts of libvirt's test driver, and what runs of plans have left in a real journal."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from core.driver.xml.metadata import RealmMark
from core.operations.plans.order import MovesKind as OrderKind
from core.operations.plans.order import PlanOrder
from core.operations.plans.run import BEGIN, END, MoveState, PlanRun, in_journal
from core.operations.tasks.step_kinds import StepKind
from core.placement.engine.request import Request
from core.placement.plans.drain import drain
from tests.driver.worlds import LONG, Guest
from tests.operations.vms.world import world as machines
from tests.tui import world
from tests.tui.driving import settle, text_of, until
from tui.render.cells import plain
from tui.render.plans.sheet import PlanKind
from tui.screens.plans.area import PlansScreen
from tui.screens.plans.planner import PlanQuestion
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.screen import Screen

    from core.fleet.fleet import HostSnapshot
    from core.operations.session import Session
    from core.operations.tasks.task import Control
    from tests.operations.vms.world import World

GIB = 2**30
REQUEST = Request(4, 20 * GIB)
FLEET = world.saved().fleet()
DRAIN_H2 = PlanOrder(kind=OrderKind.DRAIN, host="h2")


def marked(name: str, number: int, **more: object) -> Guest:
    """Describe a VM that the realm has made."""
    uuid = f"00000000-0000-0000-0000-{number:012d}"
    facts: dict[str, object] = {"mark": RealmMark(realm="main"), "memory_mib": 64} | more
    return Guest(name=name, uuid=uuid, **facts)  # type: ignore[arg-type]


@contextlib.contextmanager
def full_host(folder: Path, *names: str) -> Iterator[World]:
    """Make three hosts of the test driver, with VMs of the realm on the first; they can't migrate."""
    guests = [marked(name, number) for number, name in enumerate(names or ("one", "two"), 1)]
    with machines(folder, hosts=3, guests=[guests]) as made:
        made.session.connect().wait(
            lambda fleet: len(fleet.hosts) == 3 and all(host.is_known for host in fleet.hosts), LONG
        )
        yield made


def small_fleet() -> tuple[HostSnapshot, ...]:
    """Make three hosts, of which the second has five VMs."""
    words = ("web", "db", "build", "ml-train")
    return (
        world.seen(world.host("h1"), world.vms("h1", 3, 0, words)),
        world.seen(world.host("h2"), world.vms("h2", 5, 40, words)),
        world.seen(world.host("h3"), world.vms("h3", 2, 80, words)),
    )


def run_of(session: Session, order: PlanOrder = DRAIN_H2) -> PlanRun:
    """Agree to a drain as it is planned now."""
    return PlanRun(order, drain(session.configuration, session.fleet(), order.host, order.policy).moves)


def leave_behind(session: Session, *ended: MoveState, order: PlanOrder = DRAIN_H2) -> PlanRun:
    """Write a run into the journal whose program was killed after some moves had ended; gives it as it was."""
    run = run_of(session, order)
    with in_journal(session, run) as entry:
        for number, state in enumerate(ended):
            move = run.view.moves[number]
            entry.step(BEGIN, number=number, uuid=move.uuid, host=move.source, to=move.target)
            message = f"{move.vm} is running on {move.target}" if state is MoveState.DONE else "the target is full"
            entry.step(END, number=number, state=state.value, message=message, hint="", off=False)
    return run


def be_under_way(run: PlanRun) -> None:
    """Let moves of a run stand as they do in its midst: done, failed, sent in part, elsewhere than agreed, waiting."""
    moves = run.view.moves
    run.change(id="1a2b3c4d")
    run.change_move(0, state=MoveState.DONE, done=6.1 * GIB, total=6.1 * GIB, detail=_arrived(moves[0].vm, "h3"))
    refused = f"{moves[1].vm} can't move to {moves[1].target}: a VM of its name is there"
    run.change_move(1, state=MoveState.FAILED, detail=refused, hint="rename or undefine the one that is there")
    run.change_move(
        2, state=MoveState.UNDER_WAY, done=6.88 * GIB, total=16 * GIB, detail="6.9 GiB of 16 GiB, 2nd pass",
    )  # fmt: skip
    run.change_move(3, state=MoveState.UNDER_WAY, target="h3", as_agreed=False, detail="check it on h3")


def come_to_its_end(run: PlanRun) -> None:
    """Let a run be over: one failed, one is not moved any more."""
    be_under_way(run)
    moves = run.view.moves
    run.change_move(2, state=MoveState.DONE, done=16 * GIB, total=16 * GIB, detail=_arrived(moves[2].vm, "h1"))
    run.change_move(3, state=MoveState.DONE, detail=_arrived(moves[3].vm, "h3"))
    run.change_move(4, state=MoveState.LEFT, detail="it is off or was deleted")
    run.change(ended=True)


def be_stopped(run: PlanRun) -> None:
    """Let a run be stopped in its midst: one moved, four not begun."""
    moves = run.view.moves
    run.change(id="1a2b3c4d")
    run.change_move(0, state=MoveState.DONE, done=6.1 * GIB, total=6.1 * GIB, detail=_arrived(moves[0].vm, "h3"))
    run.change(ended=True, stopping=True)


def _arrived(name: str, host: str) -> str:
    return f"{name} is running on {host}"


class Held:
    """The job of a task that works until it is let go, or told to end."""

    def __init__(self) -> None:
        self.at_work = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, control: Control) -> str:
        with control.step(StepKind.MOVE, "move web-40 to h3", "h2", vm="web-40", to="h3"):
            self.at_work.set()
            while not self.go_on.is_set():
                control.wait(0.01)
        return "1 moved"


def foreign(snapshot: HostSnapshot) -> HostSnapshot:
    """Return a host whose first VM no realm has made."""
    first, *others = snapshot.vms
    return replace(snapshot, vms=(replace(first, managed=False), *others))


async def planned(pilot: Pilot[int], *keys: str) -> PlansScreen:
    """Press keys, and wait until what they ask for is planned and shown."""
    await pilot.press(*keys)
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, PlansScreen)
    return screen


def table(screen: PlansScreen) -> Grid:
    """Return the table in front."""
    shown = [grid for grid in screen.query(Grid) if grid.display]
    assert len(shown) == 1
    return shown[0]


def cells(screen: PlansScreen) -> list[list[str]]:
    """Return the shown rows as text."""
    return [[plain(cell) for cell in row.cells] for row in table(screen).model.shown]


def below(screen: PlansScreen) -> str:
    """Return what is said of the row under the cursor, without line breaks."""
    return " ".join(text_of(screen.query_one("#plan-row", Panel)).replace("│", " ").split())


def question(**more: object) -> PlanQuestion:
    """Make a question about the fleet that stands still."""
    facts: dict[str, object] = {
        "kind": PlanKind.DRAIN, "configuration": world.CONFIGURATION, "fleet": FLEET, "request": REQUEST, "host": "h1",
        "state": 0,
    } | more  # fmt: skip
    return PlanQuestion(**facts)  # type: ignore[arg-type]


async def pressed(pilot: Pilot[int], key: str, screen: type[Screen[object]]) -> None:
    """Press a key, and wait for the dialog that it opens."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, screen))


def states(screen: PlansScreen) -> list[str]:
    """Return the state of every move as its row says it."""
    return [row[5].removeprefix("✓ ").removeprefix("✗ ") for row in cells(screen)]


def left_line(screen: PlansScreen) -> str:
    """Return the line that offers what was left; empty where there is none."""
    panel = screen.query_one("#plan-left", Panel)
    return text_of(panel).strip() if panel.display else ""


def follow(screen: PlansScreen, run: PlanRun, held: Held) -> int:
    """Have a run watched whose task is held; gives the task's number."""
    tasks = screen.realms.session.tasks
    run.subscribe(tasks.tell)
    number = screen.realms.run_task("drain", "h2", held)
    screen.actions.follow(run, number)
    return number
