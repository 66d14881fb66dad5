"""What is said before a plan is carried out, and of one that is: words alone, without a screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.operations.plans.order import MovesKind, PlanOrder
from core.operations.plans.run import InterruptedRun, MoveState, RunView
from core.placement.engine.request import Request
from core.placement.plans.demand import MovePolicy
from core.placement.plans.drain import drain
from tests.tui import world
from tests.tui.screens.plans.plans_world import DRAIN_H2, come_to_its_end, foreign, run_of, small_fleet
from tui.render.cells import plain
from tui.render.plans.moves import drain_sheet
from tui.render.plans.progress import (
    course_sheet,
    course_title,
    keyed,
    left_line,
    order_in_words,
    progress_of,
    remark_of,
    with_progress,
)
from tui.render.plans.questions import MOST_MOVES, ask_apply, ask_resume, ask_stop

if TYPE_CHECKING:
    from core.fleet.fleet import Fleet
    from tui.render.question import Question

GIB = 2**30
MIB = 2**20


def words(question: Question) -> list[str]:
    """Return the lines of a question."""
    return ["".join(text for text, _ in line) for line in question.lines]


def asked(fleet: Fleet, host: str, policy: MovePolicy | None = None) -> Question:
    """Plan a drain and ask for it."""
    order = PlanOrder(kind=MovesKind.DRAIN, host=host)
    return ask_apply(order, drain_sheet(drain(world.CONFIGURATION, fleet, host, policy)), fleet.hosts)


def view_of(**more: object) -> RunView:
    """Return a drain of h2 as it was agreed to."""
    return replace(run_of(world.saved(small_fleet())).view, **more)  # type: ignore[arg-type]


def test_the_first_moves_are_named_and_the_others_counted() -> None:
    """With what kind of move they are."""
    fleet = world.saved().fleet()
    question = asked(fleet, "h1")
    moves = [line for line in words(question) if "h1 → h7" in line or "h1 → h2" in line]
    assert len(moves) == MOST_MOVES
    assert "and 23 more moves" in words(question)
    assert (question.title, question.to_type) == ("Drain h1: move 31 VMs?", "h1")


def test_what_is_to_be_known_first_stands_first() -> None:
    """Foreign VMs, those that are shut down, and those that stay."""
    h1, h2, h3 = small_fleet()
    gpus = replace(world.seen(world.host("h4", "a100-node"), world.gpu_vms("h4")))
    others = (h1, h2, h3, world.seen(world.host("h5", "a100-node")))
    fleet = world.saved((*others, foreign(gpus))).fleet()
    told = words(asked(fleet, "h4", MovePolicy(foreign=True, with_devices=True)))
    assert told[0].startswith("Includes unmanaged VMs")
    assert told[1].startswith("VMs that move offline are shut down")
    assert told[2] == "1 VM can't move and stays: notebook-1"
    assert told[4].endswith("offline  unmanaged")


def test_a_vm_that_moves_twice_has_two_rows() -> None:
    """Known by where it was first."""
    first, second, *_ = view_of().moves
    again = replace(first, source=first.target, target="h1")
    rows = keyed(view_of(moves=(first, second, again)))
    assert list(rows) == [("h2", first.uuid, 1), ("h2", second.uuid, 1), ("h2", first.uuid, 2)]
    assert [row.key for row in course_sheet(view_of(moves=(first, second, again))).rows] == list(rows)


def test_a_title_says_how_a_plan_stands() -> None:
    """In every state that it can be in."""
    first, *others = view_of().moves
    done, failed, doubt = (
        replace(first, state=state) for state in (MoveState.DONE, MoveState.FAILED, MoveState.IN_DOUBT)
    )
    assert course_title(view_of()) == "Drain h2: running"
    assert course_title(view_of(stopping=True)) == "Drain h2: stopping"
    assert course_title(view_of(ended=True)) == "Drain h2: not started"
    assert course_title(view_of(ended=True, id="1a2b3c4d")) == "Drain h2: stopped"
    assert course_title(view_of(ended=True, moves=(done,))) == "Drain h2: done"
    assert course_title(view_of(ended=True, moves=(done, failed))) == "Drain h2: partly done"
    assert course_title(view_of(ended=True, moves=(doubt, *others))) == "Drain h2: ended, result unknown"


def test_progress_counts_what_is_over_and_what_was_sent() -> None:
    """Half of one of four is an eighth; without moves there is nothing left to do."""
    first, second, third, fourth, _ = view_of().moves
    done = replace(first, state=MoveState.DONE)
    half = replace(second, state=MoveState.UNDER_WAY, done=8 * MIB, total=16 * MIB)
    unknown = replace(third, state=MoveState.UNDER_WAY)
    view = view_of(moves=(done, half, unknown, fourth))
    assert progress_of(view) == 0.375
    assert progress_of(view_of(moves=())) == 1.0
    bar, *sentences = with_progress(course_sheet(view))(60, 4)
    assert "".join(text for text, _ in bar).endswith(" 38 %")
    assert sentences[0][0][0] == "1 of 4 VMs moved, 2 moving, 1 waiting"


def test_what_came_of_a_move_says_all_that_an_administrator_must_know() -> None:
    """Where else it went, whether it is off, and why."""
    move = replace(view_of().moves[0], state=MoveState.FAILED, detail="no room", as_agreed=False, is_off=True)
    assert remark_of(move) == f"to {move.target} (plan changed); shut off for the move; no room"


def test_a_sheet_explains_every_row() -> None:
    """Each has its words below the table."""
    run = run_of(world.saved(small_fleet()))
    come_to_its_end(run)
    sheet = course_sheet(run.view)
    assert [plain(row.cells[5]) for row in sheet.rows] == [
        "✓ moved",
        "✗ failed",
        "✓ moved",
        "✓ moved",
        "\N{EN DASH} skipped",
    ]
    assert set(sheet.details) == {row.key for row in sheet.rows}
    failed = sheet.details[sheet.rows[1].key]
    assert failed.paragraphs[-1][0] == "rename or undefine the one that is there"


def test_each_kind_of_plan_has_words_for_a_sentence() -> None:
    """As it stands in questions and messages."""
    room = PlanOrder(kind=MovesKind.ROOM, request=Request(4, 8 * GIB))
    assert order_in_words(DRAIN_H2) == "the drain of h2"
    assert order_in_words(PlanOrder(kind=MovesKind.REBALANCE)) == "the rebalance"
    assert order_in_words(room) == "making room for 4 vCPUs, 8 GiB"
    assert ask_stop(view_of(order=room)).title == "Stop making room for 4 vCPUs, 8 GiB?"


def test_what_was_left_says_on_what_terms_it_goes_on() -> None:
    """As they were agreed to; who works on it now, where somebody does."""
    order = replace(DRAIN_H2, policy=MovePolicy(foreign=True, with_devices=True))
    owner = "root on m1, process 7, operation abcd"
    left = InterruptedRun(id="1", order=order, moves=view_of().moves, owner=owner, began_at=0.0, at_work=False)
    told = words(ask_resume(left))
    assert "Options: unmanaged VMs included; VMs with devices are moved offline." in told
    line = "".join(text for text, _ in left_line(left, 2, 720.0))
    assert line == "The drain of h2 was stopped after 0 of 5 moves, started 12 m ago, and 2 more: press u to resume"
    busy = "".join(text for text, _ in left_line(replace(left, at_work=True), 0, 720.0))
    assert busy == "The drain of h2 is run by root on m1, process 7: 0 of 5 moved"
