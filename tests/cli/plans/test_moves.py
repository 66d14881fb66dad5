"""`realms plan drain` and `realms plan rebalance`, as one types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.fleet.file import load_file
from core.placement.plans.drain import drain
from core.placement.plans.rebalance import rebalance
from core.placement.plans.rows import drain_document, rebalance_document
from tests.cli.program import SMALL, lines, plan
from tests.cli.saved_fleet import FLEET, HOSTS, THREE, vm

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

CROWDED = [
    vm("small", "h1", 4, 16),
    vm("large", "h1", 8, 64),
    vm("off", "h1", 8, 64, state="off"),
    vm("stranger", "h1", 2, 16, managed=False),
    vm("other", "h2", 8, 32),
]


@pytest.fixture
def crowded(places: Path) -> str:
    """Save a fleet whose first host has most of the VMs."""
    (places / "crowded.json").write_text(json.dumps({**FLEET, "hosts": THREE, "vms": CROWDED}))
    return "crowded.json"


def test_a_drain_moves_the_largest_first_each_to_the_cheapest(run: Run, crowded: str) -> None:
    """The empty host takes the large VM at 1 + 4 + 4; the other, at 7 until then, takes the small."""
    outcome = plan(run, "drain", "h1", "--json", fleet=crowded)
    moves = [(move["vm"], move["from"], move["to"], move["cost"], move["reason"]) for move in outcome.json["moves"]]
    assert moves == [("large", "h1", "h7", 9.0, None), ("small", "h1", "h2", 11.0, None)]
    assert [(stuck["vm"], stuck["why"]) for stuck in outcome.json["stuck"]] == [("stranger", "foreign")]
    assert [left["vm"] for left in outcome.json["left"]] == ["off"]
    assert (outcome.code, outcome.json["complete"], outcome.json["host"]) == (1, False, "h1")
    planned = drain(load(Path("ticrypt-vm.conf")), load_file(Path(crowded)), "h1")
    assert outcome.json == {**drain_document(planned), "hosts_answering": 3, "hosts_total": 3}


def test_a_drain_that_empties_the_host_is_a_yes(run: Run, crowded: str) -> None:
    """With the foreign VM on demand; what is off needs no place."""
    outcome = plan(run, "drain", "h1", "--foreign", "--json", fleet=crowded)
    assert (outcome.code, outcome.json["complete"], outcome.json["stuck"]) == (0, True, [])
    assert [move["vm"] for move in outcome.json["moves"]] == ["large", "small", "stranger"]


def test_a_drain_in_words(run: Run, crowded: str) -> None:
    """The moves in their order, then what stays and why, then what is off."""
    told = lines(plan(run, "drain", "h1", fleet=crowded))
    assert told[0] == "h1: 2 VMs would move; 1 would stay"
    assert told[3:5] == ["1 large h7 9.0 live", "2 small h2 11.0 live"]
    at = told.index("Would stay:")
    assert told[at + 1] == "stranger"
    assert told[at + 2].startswith("it is foreign")
    assert "Off, stay defined there: off" in told
    assert lines(plan(run, "drain", "h7", fleet=crowded)) == ["h7: no active VMs, nothing to move"]


def test_a_vm_with_devices_is_shut_down_on_the_way_or_stays(run: Run, places: Path) -> None:
    """It gets others of their type."""
    hosts = [HOSTS[2], {**HOSTS[2], "name": "g2"}]
    vms = [vm("ml", "h3", 8, 64, devices=["01:00.0"]), vm("its", "g2", 1, 1, devices=["01:00.0"])]
    (places / "gpus.json").write_text(json.dumps({**FLEET, "hosts": hosts, "vms": vms}))
    (move,) = plan(run, "drain", "h3", "--with-devices", "--json", fleet="gpus.json").json["moves"]
    assert (move["to"], move["devices"], move["offline"]) == ("g2", ["0000:c1:00.0"], True)
    told = lines(plan(run, "drain", "h3", "--with-devices", fleet="gpus.json"))
    assert told[0] == "h3: 1 VM would move, 1 of them shut down; none would stay"
    assert told[3].endswith("shut down; gets 0000:c1:00.0")
    stays = plan(run, "drain", "h3", "--json", fleet="gpus.json")
    (stuck,) = stays.json["stuck"]
    assert (stays.code, stays.json["moves"], stuck["vm"]) == (1, [], "ml")
    assert (stuck["why"], stuck["option"]) == ("holds-devices", "--with-devices")


@pytest.mark.parametrize("words", [("drain", "h3"), ("rebalance",), ("room", *SMALL, "--device", "nvidia-gpu=2")])
def test_the_former_names_of_the_option_do_as_it_does(run: Run, places: Path, words: tuple[object, ...]) -> None:
    """They are accepted, and in no help."""
    hosts = [HOSTS[2], {**HOSTS[2], "name": "g2"}]
    vms = [vm("ml", "h3", 8, 64, devices=["01:00.0"]), vm("its", "g2", 1, 1, devices=["01:00.0"])]
    (places / "gpus.json").write_text(json.dumps({**FLEET, "hosts": hosts, "vms": vms}))
    found = {
        option: plan(run, *words, *([option] if option else []), "--json", fleet="gpus.json").json
        for option in ("", "--with-devices", "--without-devices", "--offline", "--live-only")
    }
    assert found["--offline"] == found["--with-devices"] != found[""]
    assert found["--live-only"] == found["--without-devices"] == found[""]
    told = plan(run, *words, "--help").out
    assert "--with-devices" in told
    assert "--offline" not in told
    assert "--live-only" not in told
    refused = plan(run, *words, "--offline", "--live-only", fleet="gpus.json")
    assert (refused.code, "conflicting options" in refused.err) == (2, True)


def test_a_host_that_nobody_sees_is_not_said_to_be_empty(run: Run) -> None:
    """It was, when it was last seen."""
    outcome = plan(run, "drain", "h5", "--json")
    assert (outcome.code, outcome.json["complete"], outcome.json["stuck"]) == (1, False, [])
    assert outcome.json["unseen"] == "h5 does not answer: the state of its VMs is unknown"
    assert lines(plan(run, "drain", "h5"))[0] == outcome.json["unseen"]


def test_a_drain_is_planned_with_changes_and_without(run: Run, crowded: str) -> None:
    """Without the empty host all goes to the one that is left."""
    outcome = plan(run, "drain", "h1", "--without", "h7", "--host-state", "h2=no-scheduling", fleet=crowded)
    told = lines(outcome)
    assert outcome.code == 1
    assert "h1: no VM would move; 3 would stay" in told
    assert "Without the changes: h1: 2 VMs would move; 1 would stay" in told


def test_rebalancing_ends_where_no_vm_would_have_a_cheaper_host(run: Run, crowded: str) -> None:
    """The document is the contract's, and what the pure function says."""
    outcome = plan(run, "rebalance", "--json", fleet=crowded)
    document = outcome.json
    assert (outcome.code, document["highest_before"], document["sum_before"]) == (0, 16.0, 23.0)
    assert [(move["vm"], move["to"]) for move in document["moves"]] == [("large", "h7")]
    assert (document["highest_after"], document["sum_after"], document["stopped"]) == (9.0, 23.0, False)
    assert [held["vm"] for held in document["held"]] == ["stranger"]
    planned = rebalance(load(Path("ticrypt-vm.conf")), load_file(Path(crowded)))
    assert document == {**rebalance_document(planned), "hosts_answering": 3, "hosts_total": 3}


def test_rebalancing_in_words(run: Run, crowded: str) -> None:
    """What it brings, the moves, each host before and after, what was not considered."""
    told = lines(plan(run, "rebalance", fleet=crowded))
    assert told[0] == "1 move: highest cost 16.0 to 9.0, sum 23.0 to 23.0"
    assert "1 large h1 h7 9.0 live" in told
    assert "h1 16.0 7.0 3 2" in told
    assert "h7 0.0 9.0 0 1" in told
    assert told[-1] == "Not considered: 1 foreign (--foreign moves them)"


def test_rebalancing_may_be_held_to_so_many_moves(run: Run, places: Path) -> None:
    """The best come first; it is said that further ones would help, and what so many bring."""
    vms = [vm(f"v{number}", "h1", 8, 64) for number in range(9)]
    (places / "many.json").write_text(json.dumps({**FLEET, "hosts": THREE, "vms": vms}))
    whole = plan(run, "rebalance", "--json", fleet="many.json").json
    part = plan(run, "rebalance", "--most", 2, "--json", fleet="many.json").json
    assert (len(whole["moves"]), whole["stopped"], whole["highest_after"]) == (6, False, 27.0)
    assert (part["moves"], part["stopped"]) == (whole["moves"][:2], True)
    assert "More moves would gain more: limited by --most" in plan(
        run, "rebalance", "--most", 2, fleet="many.json"
    ).out  # fmt: skip
    told = lines(plan(run, "rebalance", fleet="many.json"))
    at = told.index("MOVES HIGHEST COST SUM")
    assert [line.split()[0] for line in told[at + 1 : at + 7]] == ["0", "1", "2", "3", "5", "6"]
    assert told[at + 6] == "6 27.0 81.0"


def test_an_overcommitted_host_is_said_to_be_so(run: Run, places: Path) -> None:
    """Its cost is infinite before, and finite once enough has left; or it stays so."""
    vms = [vm("huge", "h1", 8, 840), vm("small", "h1", 1, 16)]
    (places / "over.json").write_text(json.dumps({**FLEET, "hosts": THREE, "vms": vms}))
    outcome = plan(run, "rebalance", "--json", fleet="over.json")
    assert (outcome.json["highest_before"], outcome.json["highest_before_state"]) == (None, "infinite")
    assert outcome.json["highest_after_state"] == "finite"
    assert "highest cost infinite to" in plan(run, "rebalance", fleet="over.json").out
    fixed = [vm("huge", "h1", 8, 900, managed=False), vm("small", "h1", 1, 16)]
    (places / "fixed.json").write_text(json.dumps({**FLEET, "hosts": THREE, "vms": fixed}))
    told = lines(plan(run, "rebalance", fleet="fixed.json"))
    assert told[0] == "1 move; a host stays overcommitted, at an infinite cost"
    assert "h1 infinite infinite 2 1" in told


def test_nothing_to_even_out_is_said(run: Run) -> None:
    """And none allowed is not the same."""
    assert lines(plan(run, "rebalance", "--without-vm", "ml"))[2] == "No moves: no VM has a cheaper host"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("drain", "h1", "--apply", "--fleet", "fleet.json"), "saved fleet"),
        (("rebalance", "--apply", "--fleet", "fleet.json"), "saved fleet"),
        (("drain", "h1", "--apply", "--read-only"), "read-only"),
        (("rebalance", "--apply", "--read-only"), "read-only"),
        (("drain", "h1", "--apply", "--without", "h2"), "omit the changes"),
        (("rebalance", "--apply", "--set", "cost-functions.cpu.scale=2"), "omit the changes"),
        (("drain", "h1", "--apply"), "no host 'h1'"),
        (("room", *SMALL, "--apply", "--fleet", "fleet.json"), "saved fleet"),
        (("room", *SMALL, "--apply", "--read-only"), "read-only"),
        (("room", *SMALL, "--apply", "--without", "h2"), "omit the changes"),
        (("room", *SMALL, "--apply", "--realm", "nowhere"), "no realm 'nowhere'"),
    ],
)
def test_what_can_not_be_carried_out_is_refused(run: Run, arguments: tuple[object, ...], message: str) -> None:
    """Before any host is asked."""
    outcome = run("plan", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_plan_without_moves_asks_nothing_and_is_done(run: Run) -> None:
    """There are no hosts in the registry."""
    outcome = run("plan", "rebalance", "--apply", "--json")
    assert (outcome.code, outcome.json["applied"]) == (0, [])
