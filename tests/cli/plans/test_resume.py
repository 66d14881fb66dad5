"""`realms plan resume`, and plans on hosts of the test driver, carried out or not agreed to, as one types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from core.operations.plans.order import MovesKind, PlanOrder
from core.operations.plans.run import END, PlanRun, in_journal, left_runs
from core.placement.plans.demand import MovePolicy
from tests.cli.program import runner
from tests.driver.worlds import LONG, Guest
from tests.operations.vms.world import GPUS, World, world
from tests.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.program import Outcome

    Run_ = Callable[..., Outcome]

ML = Guest(name="ml", uuid="11111111-1111-4111-8111-111111111111", devices=(GPUS[0],))
DRAIN = PlanOrder(kind=MovesKind.DRAIN, host="h1", policy=MovePolicy(foreign=True, with_devices=True))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Return two hosts; a VM of the first holds a device."""
    with world(tmp_path, guests=[[ML]]) as made:
        yield made


@pytest.fixture
def run(place: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run_:
    """Return a function that runs a command on these hosts."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("REALMS_REGISTRY", str(place.folder / "registry.json"))
    return runner(monkeypatch, capsys)


def leave(place: World, **ended: object) -> str:
    """Leave a run behind, as a program that was killed; gives its id."""
    moves = DRAIN.plan(place.session.configuration, place.session.settled_fleet(LONG)).moves
    run = PlanRun(DRAIN, moves)
    with in_journal(place.session, run) as entry:
        if ended:
            entry.step(END, number=0, **ended)
    return run.view.id


def test_where_nothing_was_broken_off_that_is_said(run: Run_) -> None:
    """It is no mistake to ask."""
    assert (run("plan", "resume").out, run("plan", "resume").code) == ("no interrupted plan\n", 0)
    assert run("plan", "resume", "--json").json["id"] is None
    assert run("plan", "resume", "--list", "--json").json == {"plans": []}


def test_a_plan_that_was_broken_off_is_listed_and_resumed(run: Run_, place: World) -> None:
    """Each program has a test driver's world of its own, where the VM is as it was at first."""
    identity = leave(place)
    (listed,) = run("plan", "resume", "--list", "--json").json["plans"]
    assert (listed["id"], listed["plan"], listed["at_work"], listed["resume"]) == (
        identity,
        "drain h1",
        False,
        identity,
    )
    assert [(row["vm"], row["state"]) for row in listed["not_made"]] == [("ml", "waiting")]
    place.close()
    outcome = run("plan", "resume", identity, "--json")
    assert (outcome.code, [row["state"] for row in outcome.json["applied"]]) == (0, ["done"])
    assert (outcome.json["agreed"], outcome.json["resume"]) == (True, None)
    assert left_runs(place.session) == ()


def test_what_had_failed_is_told_and_not_tried_again(run: Run_, place: World) -> None:
    """The host isn't empty, so the answer is no."""
    leave(place, state="failed", message="no room", hint="make some", off=False)
    place.close()
    outcome = run("plan", "resume", "--json")
    assert (outcome.code, [(row["state"], row["message"]) for row in outcome.json["applied"]]) == (
        1, [("failed", "no room")],
    )  # fmt: skip


def test_a_plan_is_given_up(run: Run_, place: World) -> None:
    """One that isn't there is wrong usage; of several, one is to be named."""
    first, second = leave(place), leave(place)
    several = run("plan", "resume")
    assert (several.code, first in several.err, second in several.err) == (2, True, True)
    assert run("plan", "resume", first, "--forget").out == "drain h1: dropped\n"
    assert [left.id for left in left_runs(place.session)] == [second]
    both = run("plan", "resume", second, "--forget", "--list")
    assert (both.code, [left.id for left in left_runs(place.session)]) == (2, [second])
    unknown = run("plan", "resume", first)
    assert (unknown.code, "no interrupted plan" in unknown.err) == (2, True)


def test_a_new_plan_takes_the_place_of_the_earlier_one(run: Run_, place: World) -> None:
    """It is told how far that came."""
    identity = leave(place)
    place.close()
    outcome = run("plan", "drain", "h1", "--foreign", "--with-devices", "--apply", "--json")
    assert (outcome.code, [row["ok"] for row in outcome.json["applied"]]) == (0, [True])
    assert [each["id"] for each in outcome.json["replaced"]] == [identity]
    assert left_runs(place.session) == ()


def test_devices_keep_a_vm_where_it_is_unless_it_may_be_shut_down(run: Run_, place: World) -> None:
    """The reason is told, and the option that helps."""
    place.close()
    outcome = run("plan", "drain", "h1", "--foreign", "--apply")
    assert outcome.code == 1
    assert "it uses PCI devices: it would have to be shut down to move" in outcome.out
    assert "Use --with-devices" in outcome.out


@pytest.mark.parametrize("arguments", [("drain", "h1", "--foreign", "--with-devices", "--apply"), ("resume",)])
def test_a_no_still_gives_the_document(place: World, arguments: tuple[str, ...]) -> None:
    """On a terminal, where it is asked."""
    if arguments[0] == "resume":
        leave(place)
    place.close()
    where = ("--config", str(place.folder / "ticrypt-vm.conf"), "--registry", str(place.folder / "registry.json"))
    with terminal(place.folder, "plan", *arguments, "--json", *where, rows=120) as pane:
        pane.wait_for("Move 1 VM now, 1 of them SHUT DOWN to move? [y/N]:")
        pane.write("n\n")
        assert pane.wait_for_end() == 1
        screen = pane.wait_for('"agreed": false')
    assert "nothing was moved" in screen
    document = json.loads(screen[screen.index("{") : screen.rindex("}") + 1])
    assert (document["applied"], [row["vm"] for row in document["not_made"]]) == ([], ["ml"])


def test_a_plan_without_moves_leaves_the_earlier_one_to_be_resumed(run: Run_, place: World) -> None:
    """Without the option that moves it the VM stays, and nothing is carried out that could take the place."""
    identity = leave(place)
    place.close()
    outcome = run("plan", "drain", "h1", "--foreign", "--apply")
    assert f"realms plan resume {identity} resumes it\n" in outcome.out
    assert [left.id for left in left_runs(place.session)] == [identity]
    assert run("plan", "drain", "h1", "--foreign", "--apply", "--json").json["replaced"] == []


def test_an_earlier_plan_that_has_shut_a_vm_down_keeps_its_place(run: Run_, place: World) -> None:
    """Nobody else would start it again."""
    identity = leave(place, state="waiting", message="", hint="", off=True)
    place.close()
    outcome = run("plan", "drain", "h1", "--foreign", "--with-devices", "--apply", "--json")
    assert (outcome.code, outcome.json["replaced"]) == (0, [])
    assert [left.id for left in left_runs(place.session)] == [identity]
