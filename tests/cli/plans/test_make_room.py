"""`realms plan room`, as one types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.fleet.file import load_file
from core.placement.engine.request import Request
from core.placement.plans.make_room import make_room
from core.placement.plans.rows import room_document
from tests.cli.program import lines, plan
from tests.cli.saved_fleet import FLEET, GIB, THREE, vm

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

LARGE = ("--vcpus", 8, "--memory", "700 GiB")


@pytest.fixture
def full(places: Path) -> str:
    """Save three equal hosts with 850 GiB each, on which 700 GiB fit nowhere until something has moved."""
    vms = [vm("a", "h1", 8, 400), vm("b", "h2", 8, 300), vm("c", "h7", 8, 200)]
    (places / "full.json").write_text(json.dumps({**FLEET, "hosts": THREE, "vms": vms}))
    return "full.json"


def test_one_move_makes_room(run: Run, full: str) -> None:
    """The smallest VM moves, and the large one comes in its place."""
    assert run("place", "--fleet", full, *LARGE).code == 1
    outcome = plan(run, "room", *LARGE, "--json", fleet=full)
    assert (outcome.code, outcome.json["smallest"], len(outcome.json["moves"])) == (0, True, 1)
    (move,) = outcome.json["moves"]
    assert outcome.json["host"] == move["from"] != move["to"]
    configuration, fleet = load(Path("ticrypt-vm.conf")), load_file(Path(full))
    made = make_room(configuration, fleet, Request(8, 700 * GIB))
    assert outcome.json == {**room_document(made), "hosts_answering": 3, "hosts_total": 3}
    told = lines(plan(run, "room", *LARGE, fleet=full))
    assert told[0].startswith(f"8 vCPUs, 700 GiB: {made.host} can take it after 1 move, at a cost of ")
    assert told[0].endswith(", and fewer are not enough")
    assert told[3].split()[:4] == ["1", move["vm"], move["from"], move["to"]]


def test_no_move_is_needed_where_a_host_takes_it(run: Run) -> None:
    """And where no move helps, the answer is no."""
    outcome = plan(run, "room", "--vcpus", 8, "--memory", "64 GiB")
    assert (outcome.code, lines(outcome)[0]) == (0, "8 vCPUs, 64 GiB: h1 can take it now, at a cost of 51.0")
    never = plan(run, "room", "--vcpus", 8, "--memory", "2 TiB")
    assert (never.code, lines(never)[0]) == (
        1,
        "8 vCPUs, 2 TiB: no moves found that make room; all within --most were tried",
    )


def test_the_moves_may_be_limited_and_are_compared(run: Run, full: str) -> None:
    """None are allowed; without a VM none is needed."""
    none = plan(run, "room", *LARGE, "--most", 0, "--json", fleet=full)
    assert (none.code, none.json["host"], none.json["cost"]) == (1, None, None)
    told = lines(plan(run, "room", *LARGE, "--without-vm", "c", fleet=full))
    assert told[2].startswith("8 vCPUs, 700 GiB: h7 can take it now")
    assert told[3].startswith("Without the changes: 8 vCPUs, 700 GiB: ")
