"""Plans carried out on real hosts: a host emptied, a fleet evened out, one move after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import Cancelled
from core.operations.carry_out import Carried, carry_out
from core.placement.demand import MovePolicy
from core.placement.drain import drain
from tests.cli.program import runner

from .migrations import PATIENCE, Place3, copies, guest
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.fleet import Fleet
    from core.placement.drain import Move

    from .lab import Lab

FOREIGN = MovePolicy(foreign=True, with_devices=False)


def moves_away(place: Place3, fleet: Fleet) -> Sequence[Move]:
    """Plan to empty the first host."""
    return drain(place.workplace.configuration, fleet, "h1", FOREIGN).moves


def agreed(place: Place3, count: int) -> Sequence[Move]:
    """Plan to empty the first host once so many guests are seen there."""

    def look() -> Sequence[Move] | None:
        moves = moves_away(place, place.workplace.fleet())
        return moves if len(moves) == count else None

    return eventually(look, f"{count} guests to move")


def carry(place: Place3, moves: Sequence[Move], carried: list[Carried]) -> tuple[str, ...]:
    """Carry a plan out, and give its warnings."""
    task = place.workplace.tasks.run(
        "drain", "h1",
        lambda control: carry_out(
            control, place.workplace, lambda fleet: moves_away(place, fleet), moves, carried,
            foreign=True, deadline=PATIENCE,
        ),
    )  # fmt: skip
    task.outcome.result(2 * PATIENCE)
    return task.view.warnings


def test_a_host_is_emptied_on_the_command_line(
    place: Place3, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each VM runs where the plan has it; a fleet that is even then is left as it is."""
    uuids = [guest(lab.hosts[0], name, network=None) for name in ("one", "two")]
    agreed(place, 2)
    run = runner(monkeypatch, capsys)
    where = ("--config", tmp_path / "ticrypt-vm.conf", "--registry", tmp_path / "registry.json", "--foreign")
    outcome = run("plan", "drain", "h1", *where, "--apply", "--json")
    assert (outcome.code, outcome.json["complete"]) == (0, True)
    assert [(done["ok"], done["as_planned"]) for done in outcome.json["applied"]] == [(True, True)] * 2
    planned = {move["uuid"]: move["to"] for move in outcome.json["moves"]}
    assert sorted(planned.values()) == ["h2", "h3"]
    assert [copies(lab, uuid) for uuid in uuids] == [{planned[uuid]: "running"} for uuid in uuids]
    again = run("plan", "rebalance", *where, "--apply")
    assert (again.code, again.out.splitlines()[0]) == (0, "No move: no VM would have a cheaper host")


def test_a_fleet_is_evened_out_on_the_command_line(
    place: Place3, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three guests on one of three hosts end on one each."""
    uuids = [guest(lab.hosts[0], name, network=None) for name in ("one", "two", "three")]
    agreed(place, 3)
    outcome = runner(monkeypatch, capsys)(
        "plan", "rebalance", "--config", tmp_path / "ticrypt-vm.conf", "--registry", tmp_path / "registry.json",
        "--foreign", "--apply",
    )  # fmt: skip
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "2 moved, 0 failed; 2 were planned")
    assert sorted(host for uuid in uuids for host in copies(lab, uuid)) == ["h1", "h2", "h3"]


def test_what_is_not_as_agreed_is_told(place: Place3, lab: Lab) -> None:
    """The plan of the moment counts, not the one that was made before."""
    uuid = guest(lab.hosts[0], network=None)
    (move,) = agreed(place, 1)
    carried: list[Carried] = []
    warnings = carry(place, [replace(move, target="h3")], carried)
    assert warnings[0] == "the fleet has changed: mover goes to h2 now; planned was mover to h3"
    assert [(done.as_agreed, done.error) for done in carried] == [(False, None)]
    assert copies(lab, uuid) == {"h2": "running"}


def test_one_that_can_not_move_is_left_out_and_the_rest_goes_on(place: Place3, lab: Lab) -> None:
    """Something of its name is in its way on both other hosts."""
    stays, goes = (guest(lab.hosts[0], name, network=None) for name in ("a-stays", "goes"))
    for other in lab.hosts[1:]:
        other.define_guest("a-stays", network=None)
    carried: list[Carried] = []
    carry(place, agreed(place, 2), carried)
    assert [(done.move.vm.name, done.error is None) for done in carried] == [("a-stays", False), ("goes", True)]
    assert copies(lab, stays) == {"h1": "running"}
    assert "h1" not in copies(lab, goes)


def test_an_interrupted_plan_begins_no_further_move(place: Place3, lab: Lab) -> None:
    """What has moved stands."""
    for name in ("one", "two"):
        guest(lab.hosts[0], name, network=None)
    moves = agreed(place, 2)

    class Interrupts(list[Carried]):
        def append(self, done: Carried) -> None:
            super().append(done)
            for view in place.workplace.tasks.running():
                place.workplace.tasks.cancel(view.id)

    carried = Interrupts()
    with pytest.raises(Cancelled):
        carry(place, moves, carried)
    assert [done.move.vm.name for done in carried] == ["one"]
    assert place.departure("two").snapshot.name == "h1"
    assert place.reservations() == []
    assert place.journal() == []
