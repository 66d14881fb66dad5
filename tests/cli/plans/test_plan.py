"""`realms plan capacity` and `failure`, as one types them, and what all plans have in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.fleet.file import load_file
from core.placement.engine.request import Request
from core.placement.plans.capacity import capacity
from core.placement.plans.failure import failure, failure_of_several
from core.placement.plans.rows import capacity_document, failure_document, several_document
from tests.cli.program import SMALL, lines, plan
from tests.cli.saved_fleet import FLEET, GIB, HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

EVERY_PLAN = (("capacity", *SMALL), ("failure",), ("failure", "--at-once", 2), ("drain", "h1"), ("rebalance",))


def test_capacity_is_counted_per_host_and_realm(run: Run) -> None:
    """The document is the contract's, and what the pure function says."""
    outcome = plan(run, "capacity", *SMALL, "--json")
    assert (outcome.code, outcome.err, outcome.json["total"]) == (0, "", 20)
    assert [(host["host"], host["fits"]) for host in outcome.json["hosts"]] == [
        ("h1", 8), ("h2", 0), ("h3", 12), ("h4", 0), ("h5", 0), ("h6", 0),
    ]  # fmt: skip
    assert outcome.json["hosts"][1]["stopped_by"] == {
        "why": "cost-infinite",
        "message": "memory infinite: 910 GiB after placing is past the limit of 850 GiB; 60 GiB too much",
        "term": "memory",
    }
    counted = capacity(load(Path("ticrypt-vm.conf")), load_file(Path("fleet.json")), Request(8, 64 * GIB))
    assert outcome.json == {**capacity_document(counted), "hosts_answering": 5, "hosts_total": 6}


def test_capacity_says_what_stops_the_next_and_what_is_left(run: Run) -> None:
    """A realm that is disabled takes none, and is told."""
    told = lines(plan(run, "capacity", *SMALL))
    assert told[0] == "8 vCPUs, 64 GiB: 20 more fit, on 2 of 6 hosts"
    assert told[2:5] == ["REALM FITS", "main 20", "old 0"]
    stops = "memory infinite: 912 GiB after placing is past the limit of 850 GiB; 62 GiB too much"
    assert f"h1 8 {stops} 24 vCPUs, 2 GiB" in told
    assert "h4 0 the host is set to No Scheduling -" in told


def test_capacity_counts_devices(run: Run) -> None:
    """The cost function allows two of the three, and one is taken."""
    outcome = plan(run, "capacity", *SMALL, "--device", "a100=1", "--json")
    assert (outcome.code, outcome.json["total"], outcome.json["hosts"][2]["fits"]) == (0, 1, 1)


def test_no_room_at_all_is_a_no(run: Run) -> None:
    """Exit code 1, also where there are no hosts."""
    outcome = plan(run, "capacity", "--vcpus", 1, "--memory", "2 TiB")
    assert (outcome.code, lines(outcome)[0]) == (1, "1 vCPU, 2 TiB: no more fit (6 hosts asked)")
    assert plan(run, "capacity", *SMALL, "--realm", "old", "--json").code == 1


def test_capacity_without_limit_is_null_and_said(run: Run) -> None:
    """A cost function without a limit ends nowhere."""
    unlimited = ("--set", "cost-functions.cpu.memory=null", "--set", "cost-functions.cpu.vcpus=null")
    outcome = plan(run, "capacity", *SMALL, *unlimited, "--json")
    assert (outcome.code, outcome.json["total"], outcome.json["unbounded"]) == (0, None, True)
    assert outcome.json["hosts"][0]["fits"] is None
    told = lines(plan(run, "capacity", *SMALL, *unlimited))
    assert told[3:5] == [
        "8 vCPUs, 64 GiB: any number more fit, on 3 of 6 hosts",
        "Without the changes: 20; with them: no limit",
    ]


def test_capacity_is_compared_with_that_without_the_changes(run: Run) -> None:
    """Total, realm and host; a host that is gone stays in the list."""
    changes = ("--without", "h3", "--host-state", "h4=enabled", "--set", "cost-functions.cpu.memory.hard=950 GiB")
    told = lines(plan(run, "capacity", *SMALL, *changes))
    assert "Without the changes: 20; with them: 10" in told
    assert "main 20 10" in told
    assert any(line.startswith("h2 0 1 ") for line in told)
    assert "h3 12 - absent -" in told
    assert "# realms hosts remove h3" in told
    document = plan(run, "capacity", *SMALL, *changes, "--json").json
    assert (document["total"], document["what_if"]["before"]["total"]) == (10, 20)
    assert document["what_if"]["changes"][1:] == ["h4 Enabled", "without h3"]


def test_the_loss_of_hosts_names_the_homeless(run: Run) -> None:
    """Nothing else takes db's memory or ml's device; of a disabled realm nobody knows."""
    outcome = plan(run, "failure", "--json")
    assert (outcome.code, outcome.json["survives"], outcome.json["unknown"]) == (1, False, ["h6"])
    losses = {loss["host"]: loss for loss in outcome.json["hosts"]}
    assert {name: loss["survives"] for name, loss in losses.items()} == {
        "h1": True, "h2": False, "h3": False, "h4": True, "h5": True, "h6": None,
    }  # fmt: skip
    assert [(each["vm"], each["why"]) for each in losses["h2"]["homeless"]] == [("db", "cost-infinite")]
    assert "h1: asked for 1 a100, 0 free" in losses["h3"]["homeless"][0]["message"]
    checked = failure(load(Path("ticrypt-vm.conf")), load_file(Path("fleet.json")))
    assert outcome.json == {**failure_document(checked), "hosts_answering": 5, "hosts_total": 6}


def test_the_failure_check_in_words(run: Run) -> None:
    """The answer first, then each host, then each VM without a place with the reason."""
    told = lines(plan(run, "failure"))
    assert told[0] == "2 of 5 hosts can't fail without leaving VMs unplaced: h2, h3; unknown: h6"
    assert "h1 yes 1 0 -" in told
    at = told.index("Unplaced if h2 fails:")
    assert told[at + 1] == "db"
    assert told[at + 2].startswith("no host can take it: h1: memory infinite")


def test_a_fleet_that_survives_is_a_yes(run: Run) -> None:
    """Exit code 0, with the changes that make it so told apart."""
    gone = ("--without-vm", "db", "--without-vm", "ml")
    outcome = plan(run, "failure", *gone)
    assert outcome.code == 0
    assert "Any one of 5 hosts can fail: its VMs fit on the others; unknown: h6" in lines(outcome)
    assert any(line.startswith("Without the changes: 2 of 5 hosts") for line in lines(outcome))
    assert plan(run, "failure", *gone, "--json").json["what_if"]["before"]["survives"] is False


def test_several_hosts_can_be_lost_at_once(run: Run) -> None:
    """Any two of those that are known; where it is not survived, one such set is told."""
    gone = ("--without-vm", "db", "--without-vm", "ml")
    outcome = plan(run, "failure", *gone, "--at-once", 2, "--json")
    assert (outcome.code, outcome.json["several"]["survives"], outcome.json["several"]["sets"]) == (0, True, 10)
    broken = plan(run, "failure", *gone, "--at-once", 3, "--json")
    assert (broken.code, broken.json["survives"]) == (1, True)
    assert broken.json["several"]["worst"] == ["h1", "h2", "h3"]
    assert "h1, h2, h3 can't fail together: 1 VM would be unplaced" in plan(
        run, "failure", *gone, "--at-once", 3
    ).out  # fmt: skip
    several = failure_of_several(load(Path("ticrypt-vm.conf")), load_file(Path("fleet.json")), 2)
    assert plan(run, "failure", "--at-once", 2, "--json").json["several"] == several_document(several)


@pytest.mark.parametrize("arguments", EVERY_PLAN)
def test_hosts_that_do_not_answer_are_told(run: Run, arguments: tuple[object, ...]) -> None:
    """In words and in the document."""
    outcome = plan(run, *arguments)
    assert "5 of 6 hosts answered; no answer from:" in outcome.out
    assert lines(outcome)[-1].startswith("h5: refused")
    document = plan(run, *arguments, "--json").json
    assert (document["hosts_answering"], document["hosts_total"]) == (5, 6)


@pytest.mark.parametrize("arguments", EVERY_PLAN)
def test_plans_have_the_changes_of_place(run: Run, arguments: tuple[object, ...]) -> None:
    """Without an effect here; the plan without them stands beside the plan."""
    plain = plan(run, *arguments, "--json").json
    document = plan(run, *arguments, "--host-state", "h6=disabled", "--json").json
    what_if = document.pop("what_if")
    assert what_if["changes"] == ["h6 Disabled"]
    assert {**what_if["before"], "hosts_answering": 5, "hosts_total": 6} == plain
    told = plan(run, *arguments, "--host-state", "h6=disabled").out
    assert told.startswith("What if  h6 Disabled\n")
    assert "    # realms hosts disable h6\n" in told


@pytest.mark.parametrize("arguments", EVERY_PLAN)
def test_hostile_names_act_on_no_terminal(run: Run, places: Path, arguments: tuple[object, ...]) -> None:
    """Hosts, VMs and errors; the document has them as they are."""
    evil = "h\x1b[2J\nx"
    hosts = [*HOSTS, {**HOSTS[0], "name": evil}, {**HOSTS[4], "name": f"{evil}2", "error": "\x1b]0;x\x07\nno"}]
    vms = [
        {"name": "v\x1b[31m\nv", "host": evil, "vcpus": 60, "memory": 700 * GIB, "devices": []},
        {"name": "w\x1b[31m", "host": "h1", "vcpus": 60, "memory": 700 * GIB, "devices": []},
    ]
    (places / "evil.json").write_text(json.dumps({**FLEET, "hosts": hosts, "vms": vms}))
    told = plan(run, *arguments, fleet="evil.json").out
    assert not {"\x1b", "\x07"} & set(told)
    assert not any(line.strip() == "x" for line in told.splitlines())
    if arguments[0] == "drain":
        arguments = ("drain", evil)
        assert not {"\x1b", "\x07"} & set(plan(run, *arguments, fleet="evil.json").out)
    document = plan(run, *arguments, "--json", fleet="evil.json").json
    assert document.get("host", evil) == evil


@pytest.mark.parametrize("arguments", [("capacity", *SMALL), ("failure",), ("failure", "--at-once", 2), ("rebalance",)])
def test_a_fleet_without_hosts_is_no_trouble(run: Run, places: Path, arguments: tuple[object, ...]) -> None:
    """Nothing fits, nothing can be lost, nothing has to move."""
    (places / "empty.json").write_text(json.dumps({**FLEET, "hosts": [], "vms": []}))
    outcome = plan(run, *arguments, fleet="empty.json")
    assert (outcome.code, outcome.err) == (1 if arguments[0] == "capacity" else 0, "")
    assert plan(run, *arguments, "--json", fleet="empty.json").json["hosts_total"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("capacity", *SMALL, "--realm", "mian"), "did you mean 'main'?"),
        (("capacity", *SMALL, "--set", "realms.main=null", "--realm", "main"), "no realm 'main'"),
        (("capacity", "--vcpus", 0, "--memory", "1 GiB"), "vcpus"),
        (("capacity", "--vcpus", 1, "--memory", "1 Gib"), "did you mean GiB?"),
        (("capacity", *SMALL, "--device", "a100=1", "--device", "a100=1"), "is given twice"),
        (("failure", "--without", "h11"), "did you mean 'h1'?"),
        (("failure", "--at-once", 1), "--at-once"),
        (("drain", "hh1"), "did you mean 'h1'?"),
        (("drain", "h1", "--without", "h1"), "no host 'h1'"),
        (("drain",), "HOST"),
        (("rebalance", "--most", -1), "--most"),
        (("rebalanse",), "did you mean rebalance?"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_would_be_right(
    run: Run, arguments: tuple[object, ...], message: str
) -> None:
    """On standard error, and nothing on standard output."""
    outcome = plan(run, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
