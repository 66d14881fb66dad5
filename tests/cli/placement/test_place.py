"""`realms place`, as one types it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import SMALL, place
from tests.cli.saved_fleet import FLEET, GIB, HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]


def test_the_document_is_the_contract_s(run: Run) -> None:
    """Request, placements, and the verdicts best first, then the refused by name."""
    outcome = place(run, *SMALL, "--json")
    document = outcome.json
    assert (outcome.code, outcome.err) == (0, "")
    assert document["request"]["vcpus"] == 8
    assert document["request"]["memory"] == 64 * GIB
    assert document["request"]["devices"] == {}
    assert document["request"]["count"] == document["placed"] == 1
    h1_cost = 2 + 24 + 25.0
    assert document["placements"] == [{"vm": 1, "host": "h1", "realm": "main", "cost": h1_cost, "devices": []}]
    verdicts = document["verdicts"]
    assert [verdict["host"] for verdict in verdicts] == ["h1", "h3", "h2", "h4", "h5", "h6"]
    best = verdicts[0]
    assert (best["feasible"], best["cost"], best["cost_state"], best["before"], best["before_state"]) == (
        True,
        h1_cost,
        "finite",
        1 + 20 + 21.0,
        "finite",
    )
    assert (best["scale"], best["offset"], best["refusal"], best["also"]) == (1.0, 0.0, None, [])
    assert best["terms"] == [
        {"attribute": "vms", "input": 2, "cost": 2.0, "feasible": True, "curve": "linear"},
        {"attribute": "vcpus", "input": 48, "cost": 24.0, "feasible": True, "curve": "hard-soft"},
        {"attribute": "memory", "input": 400 * GIB, "cost": 25.0, "feasible": True, "curve": "hard-soft"},
    ]


def test_terms_stand_before_the_scale_and_list_absent_curves(run: Run) -> None:
    """The GPU function has no curve for vCPUs, and one for a device that nobody asked for."""
    h3 = place(run, *SMALL, "--json").json["verdicts"][1]
    assert h3["terms"][1] == {"attribute": "vcpus", "input": 16, "cost": 0.0, "feasible": True, "curve": None}
    assert h3["terms"][3] == {
        "attribute": "devices.a100",
        "input": 1,
        "cost": 25.0,
        "feasible": True,
        "curve": "linear",
    }
    assert (h3["scale"], h3["offset"]) == (2.0, 100_000.0)
    assert h3["cost"] == 2 * (2 + 0 + 8 + 25) + 100_000


def test_refusals_have_their_reason_and_numbers(run: Run) -> None:
    """By cost, by state, and where nothing is known of the use."""
    verdicts = {verdict["host"]: verdict for verdict in place(run, *SMALL, "--json").json["verdicts"]}
    assert verdicts["h2"]["refusal"] == {
        "why": "cost-infinite",
        "message": "memory infinite: 910 GiB after placing is past the limit of 850 GiB; 60 GiB too much",
        "term": "memory",
        "needed": 910 * GIB,
        "available": 850 * GIB,
    }
    assert (verdicts["h2"]["cost"], verdicts["h2"]["cost_state"]) == (None, "infinite")
    assert verdicts["h2"]["terms"][2]["cost"] is None
    assert verdicts["h4"]["refusal"]["why"] == "no-scheduling"
    assert [reason["why"] for reason in verdicts["h4"]["also"]] == ["pool-missing"]
    assert (verdicts["h4"]["cost"], verdicts["h4"]["before"]) == (None, 0.0)
    silent = verdicts["h5"]
    assert silent["refusal"]["why"] == "not-connected"
    assert (silent["cost_state"], silent["before"], silent["before_state"], silent["terms"]) == (
        "unknown",
        None,
        "unknown",
        [],
    )
    assert verdicts["h6"]["refusal"]["why"] == "realm-disabled"
    assert {verdicts["h4"]["refusal"][number] for number in ("term", "needed", "available")} == {None}


def test_devices_are_assigned_and_counted(run: Run) -> None:
    """In the profile's order, with one VM's devices out of the next one's reach; exit 1 where not all find one."""
    outcome = place(run, *SMALL, "--device", "a100", "--count", 3, "--json")
    document = outcome.json
    assert outcome.code == 1
    assert [(entry["vm"], entry["host"], entry["devices"]) for entry in document["placements"]] == [
        (1, "h3", ["0000:c1:00.0"])
    ]
    assert (document["placed"], document["request"]["count"]) == (1, 3)
    refusal = next(verdict["refusal"] for verdict in document["verdicts"] if verdict["host"] == "h1")
    assert refusal == {
        "why": "no-free-device",
        "message": "asked for 1 a100, 0 free: hosts with this profile have none",
        "term": "devices.a100",
        "needed": 1,
        "available": 0,
    }


def test_people_read_what_was_decided_by_what_and_why_the_others_were_not(run: Run) -> None:
    """Plain text when piped, safe for a terminal."""
    outcome = place(run, *SMALL)
    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert lines[0] == "8 vCPUs, 64 GiB: h1; 2 of 6 hosts can take it"
    assert lines[1].startswith("h1 is 100")
    assert lines[1].endswith("cheaper than h3: offset decides")
    assert any(line.split() == ["h1", "main", "51.0", "+9.0", "2.0", "24.0", "25.0", "-", "1", "0.0"] for line in lines)
    assert "60 GiB too much" in outcome.out
    assert "volumes pool ticrypt-vm is missing" in outcome.out
    assert "\x1b" not in outcome.out


def test_several_vms_are_counted_by_host(run: Run) -> None:
    """With the cost of each host afterwards and what stopped the next VM."""
    outcome = place(run, *SMALL, "--count", 100)
    assert outcome.code == 1
    assert "100 VMs of 8 vCPUs, 64 GiB: 20 placed on 2 hosts" in outcome.out
    rows = [line.split() for line in outcome.out.splitlines()]
    assert [row[:2] for row in rows if row and row[0] in ("h1", "h3") and len(row) in (3, 4)] == [
        ["h1", "8"],
        ["h3", "12"],
    ]
    assert "REFUSED FOR VM 21" in outcome.out


def test_without_any_host_nothing_is_placed(run: Run, places: Path) -> None:
    """And it is said."""
    empty = places / "empty.json"
    empty.write_text(json.dumps({**FLEET, "hosts": [], "vms": []}))
    outcome = place(run, *SMALL, fleet=empty)
    assert (outcome.code, outcome.out.strip()) == (1, "8 vCPUs, 64 GiB: no hosts to place it on")
    assert place(run, *SMALL, "--json", fleet=empty).json["verdicts"] == []


def test_one_realm_can_be_asked(run: Run) -> None:
    """Only its hosts are judged; a disabled one has none to offer."""
    outcome = place(run, *SMALL, "--realm", "old", "--json")
    assert outcome.code == 1
    assert [verdict["host"] for verdict in outcome.json["verdicts"]] == ["h6"]


def test_a_vm_with_drives_needs_their_pool(run: Run, places: Path) -> None:
    """Only where the pool was looked for."""
    known = {**HOSTS[0], "pools": {"ticrypt-vm": "active"}}
    (places / "known.json").write_text(json.dumps({**FLEET, "hosts": [known], "vms": []}))
    assert place(run, *SMALL, fleet="known.json").code == 0
    outcome = place(run, *SMALL, "--drives", "--json", fleet="known.json")
    assert outcome.code == 1
    assert outcome.json["verdicts"][0]["refusal"]["message"] == "drives pool ticrypt-vm-drives is missing"


def test_hosts_can_be_changed_in_thought(run: Run) -> None:
    """The saved fleet is not: the next command sees it as it was."""
    assert place(run, *SMALL, "--without", "h1", "--json").json["placements"][0]["host"] == "h3"
    drained = place(run, *SMALL, "--host-state", "h1=no-scheduling", "--host-state", "h3=disabled", "--json")
    refused = {verdict["host"]: verdict["refusal"]["why"] for verdict in drained.json["verdicts"]}
    assert (drained.code, refused["h1"], refused["h3"]) == (1, "no-scheduling", "host-disabled")
    assert place(run, *SMALL, "--json").json["placements"][0]["host"] == "h1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--vcpus", 0, "--memory", "1 GiB"), "0 is not in the range"),
        (("--vcpus", 1), "Missing option '--memory'"),
        (("--vcpus", 1, "--memory", "1 Gib"), "did you mean GiB?"),
        (("--vcpus", 1, "--memory", "0"), "1 byte of memory"),
        ((*SMALL, "--count", 0), "0 is not in the range"),
        ((*SMALL, "--realm", "man"), "did you mean 'main'?"),
        ((*SMALL, "--device", "a100", "--device", "a100=2"), "use --device a100=3 for all of them"),
        ((*SMALL, "--device", "a100=x"), "'x' is not a number of devices of type a100"),
        ((*SMALL, "--device", "a100=-1"), "'-1' is not a number"),
        ((*SMALL, "--without", "h11"), "did you mean 'h1'?"),
        ((*SMALL, "--host-state", "h9=disabled"), "no host 'h9'"),
        ((*SMALL, "--host-state", "h1=off"), "one of enabled, no-scheduling, disabled"),
        ((*SMALL, "--host-state", "h1=disabled", "--without", "h1"), "host 'h1' is given twice"),
        ((*SMALL, "--device", "=1"), "is not a device type"),
        ((*SMALL, "--device", "a100=9999999999"), "is not a number of devices"),
    ],
)
def test_wrong_usage_is_refused_with_what_would_be_right(run: Run, arguments: tuple[object, ...], message: str) -> None:
    """Exit code 2, on standard error, and no JSON."""
    outcome = place(run, *arguments, "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_fleet_that_cannot_be_read_is_refused(run: Run, places: Path) -> None:
    """With the place of what is wrong."""
    assert place(run, *SMALL, fleet="none.json").code == 2
    (places / "other.json").write_text('{"format": "libvirt-realms-fleet/9"}')
    outcome = place(run, *SMALL, fleet="other.json")
    assert outcome.code == 2
    assert "other.json: format is 'libvirt-realms-fleet/9'" in outcome.err


def test_on_a_terminal_numbers_are_not_broken(places: Path) -> None:
    """The drawn table keeps each cost on one line."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "tui", "place", "--fleet", "fleet.json", "--vcpus", "8", "--memory", "64GiB"]
    with os.fdopen(leader, "rb", buffering=0) as screen:
        environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm-256color"}
        subprocess.run(command, stdout=follower, env=environment, check=True, timeout=60)
        os.close(follower)
        shown = screen.read(100_000).decode()
    assert "100\N{NO-BREAK SPACE}070.0" in shown
