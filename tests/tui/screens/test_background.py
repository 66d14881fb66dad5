"""Work in the background: every job of every screen ends, a defect too, in something that the screen shows."""

from __future__ import annotations

import ast
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tui
from core.codes import Check
from core.errors import RealmsError
from core.operations.doctor.contact import Contact
from core.operations.tasks.task import Tasks
from tests.driver.worlds import LONG
from tests.tui import world
from tests.tui.driving import app_of, settle, until
from tests.tui.screens.costs import costs_world
from tests.tui.screens.costs.costs_app import CostsApp
from tests.tui.screens.hosts.wizard_world import AT, WELL, at_page
from tests.tui.screens.hosts.wizard_world import URI as GPU_URI
from tests.tui.screens.pools import pools_world
from tests.tui.screens.tasks import log_world
from tui.app.app import RealmsApp
from tui.screens import background as vm_asking
from tui.screens.background import Latest
from tui.screens.hosts.connection_test import ProbeDialog
from tui.screens.hosts.edit_form import HostForm
from tui.screens.pools.contents import PoolContentsScreen
from tui.screens.pools.image_forms import UploadDialog
from tui.screens.pools.setup.wizard import PoolsWizard
from tui.screens.vms.area import VMsScreen
from tui.screens.vms.delete import DeleteVMs
from tui.screens.vms.migrate import MigrateVMs
from tui.screens.vms.snapshots import SnapshotList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from core.operations.tasks.task import Control, Task

SCREENS = Path(tui.__file__).parent
WHAT = "ZeroDivisionError"
"""A word, which no line of a dialog breaks."""

Opener = "Callable[[Pilot[int]], Awaitable[object]]"


def shown(app: RealmsApp) -> str:
    """Return all that can be read now, without the breaks of lines, messages too."""
    strips = app.screen._compositor.render_strips()
    lines = " ".join(strip.text.strip(" │▏▕╭╮╰╯─") for strip in strips)
    return " ".join([*lines.split(), *(note.message for note in app._notifications)])


def fail(monkeypatch: pytest.MonkeyPatch, *keys: str) -> list[str]:
    """Let jobs in the background have a defect: those under the keys, all where there are none. Gives those asked."""
    asked: list[str] = []
    run = Tasks.run

    def broken(_: Control) -> Any:
        raise ZeroDivisionError("by this test")

    def run_or_fail(self: Tasks, what: str, target: str, job: Callable[[Control], Any]) -> Task[Any]:
        asked.append(what)
        return run(self, what, target, broken if not keys or what in keys else job)

    monkeypatch.setattr(vm_asking._Threads, "run", run_or_fail)
    return asked


def press(*keys: str) -> Any:
    """Open something by keys."""

    async def opening(pilot: Pilot[int]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return opening


def push(make: Callable[[RealmsApp], Any], *keys: str) -> Any:
    """Open a screen by itself, and press keys."""

    async def opening(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await pilot.press("2")
        await settle(pilot)
        screen = make(app_of(pilot))
        await app_of(pilot).push_screen(screen)
        for key in keys:
            await pilot.press(key)

    return opening


async def the_form(pilot: Pilot[int]) -> None:
    """Press the button that tests a host's connection."""
    await push(lambda _: HostForm(world.host("h1")))(pilot)
    await pilot.click("#test")


async def the_checks(pilot: Pilot[int]) -> None:
    """Go to the page of a wizard that asks for pools."""
    await push(lambda _: PoolsWizard(world.CONFIGURATION.realms["main"], ["h1"]))(pilot)
    wizard = pilot.app.screen
    assert isinstance(wizard, PoolsWizard)
    wizard.go_to_page(3)


async def the_export(pilot: Pilot[int]) -> None:
    """Save a what-if."""
    await press("e", "plus", "escape", "x")(pilot)
    await pilot.click("#save")


def vms(app: RealmsApp) -> list[Any]:
    """Return a VM that runs."""
    assert app.fleet is not None
    return [next(iter(app.fleet.hosts[0].vms))]


def snapshots_of(app: RealmsApp) -> SnapshotList:
    """Make the list of a VM's snapshots."""
    assert isinstance(app.screen, VMsScreen)
    return SnapshotList(app.screen.run_on, vms(app)[0])


def saved_costs(folder: Path) -> CostsApp:
    """Make a cost explorer with more hosts than are judged between two frames."""
    app = CostsApp(costs_world.fleet(*(costs_world.host(f"h{number}") for number in range(120))))
    app.session.configuration_path = folder / "realms.conf"
    return app


def standing(folder: Path) -> RealmsApp:
    """Make the application on hosts that stand still."""
    return RealmsApp(world.standing(folder))


def pools(folder: Path) -> RealmsApp:
    """Make it on hosts with pools."""
    with pytest.MonkeyPatch.context() as patched:
        session = pools_world.standing(patched, folder, pools_world.healthy())
    return RealmsApp(session)


MAIN = world.CONFIGURATION.realms["main"]
REFUSED = Contact(
    GPU_URI,
    (
        WELL[0],
        AT.error(
            Check.LOGIN,
            "the host accepts none of the keys offered",
            "realms keys install gpu-node12",
            wants_key=True,
        ),
    ),
    None,
)

WALK: list[tuple[str, str, Callable[[Path], RealmsApp], Any]] = [
    ("plans/area", "('plan', <PlanKind.CAPACITY: 'capacity'>)", standing, press("5")),
    ("plans/area", "left plans", standing, press("5")),
    ("hosts/confirm_change", "effects", standing, press("c")),
    ("tasks/decision_log", "log", standing, press("6", "l")),
    ("tasks/decision", "decision", standing, press("6", "l", "enter")),
    ("pools/image_forms", "file", standing, push(lambda _: UploadDialog(frozenset()), *"some", "ctrl+s")),
    ("hosts/connection_test", "0", standing, push(lambda _: ProbeDialog([world.host("h1")]))),
    ("hosts/edit_form", "probe", standing, the_form),
    ("hosts/wizard/ssh_key", "key", standing, partial(at_page, number=1, contact=REFUSED)),
    ("hosts/wizard/connection", "way", standing, partial(at_page, number=1, contact=None)),
    ("pools/area", "h1", pools, press("4")),
    ("pools/setup/plan", "h1", pools, the_checks),
    ("pools/contents", "h1", pools, push(lambda _: PoolContentsScreen("h1", MAIN))),
    ("costs/evaluation", "judge", saved_costs, press()),
    ("costs/what_if/function_editor", "places", saved_costs, press("e")),
    ("costs/what_if/export", "save", saved_costs, the_export),
    ("vms/create", "brick", standing, press("2", "n")),
    ("vms/delete", "volumes", standing, push(lambda app: DeleteVMs(vms(app)))),
    ("vms/listing", "list", standing, push(snapshots_of)),
    ("vms/migrate", "check", standing, push(lambda app: MigrateVMs(vms(app)))),
]


@pytest.mark.parametrize("walk", WALK, ids=[where for where, *_ in WALK])
async def test_a_defect_of_a_job_is_shown_and_not_waited_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    walk: tuple[str, str, Callable[[Path], RealmsApp], Callable[[Pilot[int]], Awaitable[object]]],
) -> None:
    """Whatever asked; the program goes on."""
    where, key, make, opening = walk
    if where == "tasks/decision":
        log_world.usual(tmp_path, monkeypatch)
        (tmp_path / "registry.json").unlink()
    pools_world.answer(monkeypatch, pools_world.healthy()[1])
    asked = fail(monkeypatch, key)
    app = make(tmp_path)
    async with app.run_test(size=(140, 50), notifications=True) as pilot:
        await opening(pilot)
        await until(pilot, lambda: key in asked)
        await settle(pilot)
        assert WHAT in shown(app)
        assert app.is_running


def uses() -> dict[str, int]:
    """Count, by file, where screens ask in the background."""
    found: dict[str, int] = {}
    for path in (SCREENS / "screens").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("background.ask", "background.ask_in_parts", "Latest")
            ):
                name = str(path.relative_to(SCREENS / "screens").with_suffix(""))
                found[name] = found.get(name, 0) + 1
    return found


def test_the_walk_has_every_screen_that_asks() -> None:
    """Except the mechanism itself."""
    assert {where for where, *_ in WALK} == uses().keys() - {"background"}


def test_no_screen_starts_a_thread_of_its_own() -> None:
    """Nor a worker of Textual's."""
    for path in (SCREENS / "screens").rglob("*.py"):
        text = path.read_text()
        assert "Thread(" not in text, path
        assert "@work" not in text, path


async def test_a_defect_of_a_change_of_the_registry_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the application, where no form waits for it; nothing is pending any more."""
    app = standing(tmp_path)

    def broken() -> None:
        raise ZeroDivisionError("by this test")

    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.change("h1: changed", [("h1", broken)])
        assert app.outstanding()
        await settle(pilot)
        assert WHAT in shown(app)


async def test_a_defect_of_the_first_look_at_the_registry_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of the hosts, as what can't be read."""
    fail(monkeypatch, "registry")
    app = standing(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: WHAT in shown(app))
        assert app.fleet is None


async def test_of_questions_that_come_meanwhile_only_the_newest_is_answered(tmp_path: Path) -> None:
    """After what is worked on; then there is a rest."""
    app = standing(tmp_path)
    go_on, answered, rests, taken = threading.Event(), [], [], []

    def answer(question: int) -> list[int]:
        answered.append(question)
        assert go_on.wait(LONG)
        if question == 7:
            raise RealmsError("no seven")
        return [question]

    def take(question: int, outcome: object) -> None:
        taken.append((question, str(outcome)))

    def rest(question: int, _: float) -> float:
        rests.append(question)
        return 0.01

    async with app.run_test() as pilot:
        rested = threading.Event()
        latest: Latest[int, int] = Latest(app, "test", answer, take, take, rest=rest, rested=rested.set)
        for question in (1, 2, 3, 7):
            latest.ask(question)
        assert latest.is_busy
        await until(pilot, lambda: answered)
        go_on.set()
        await until(pilot, lambda: not latest.is_busy)
        assert (answered, rests) == ([1, 7], [1, 7])
        assert taken == [(1, "1"), (7, "no seven")]
        await until(pilot, rested.is_set)
        assert not latest.is_resting


async def test_no_more_jobs_work_at_once_than_may_and_those_forgotten_tell_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each host of a large fleet may be asked."""
    monkeypatch.setattr(vm_asking, "MOST_AT_ONCE", 4)
    app = standing(tmp_path)
    go_on, at_work, most, answers = threading.Event(), [], [], []
    lock = threading.Lock()

    def job(number: int, _: Control) -> int:
        with lock:
            at_work.append(number)
            most.append(len(at_work))
        assert go_on.wait(LONG)
        with lock:
            at_work.remove(number)
        return number

    async with app.run_test() as pilot:
        await settle(pilot)
        for number in range(20):
            app.background.ask(number, partial(job, number), answers.append, answers.append)
        app.background.forget(19)
        await until(pilot, lambda: len(at_work) == 4)
        assert app.outstanding() == 19
        go_on.set()
        await settle(pilot)
        assert sorted(answers) == list(range(19))
        assert max(most) == 4


async def test_a_screen_that_is_closed_wants_no_answer(tmp_path: Path) -> None:
    """Its jobs are told to end."""
    app = standing(tmp_path)
    ended = threading.Event()

    def job(control: Control) -> None:
        try:
            control.wait(LONG)
        finally:
            ended.set()

    async with app.run_test() as pilot:
        await settle(pilot)
        dialog = UploadDialog(frozenset())
        await app.push_screen(dialog)
        dialog.background.ask("long", job, lambda _: pytest.fail("it was told"), lambda _: pytest.fail("it was told"))
        dialog.dismiss(None)
        await until(pilot, lambda: ended.is_set() and not app.outstanding())
