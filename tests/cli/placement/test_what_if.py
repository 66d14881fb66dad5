"""`realms place` explained, and with changes that are only thought."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import SMALL, place
from tests.cli.saved_fleet import FLEET, GIB, HOSTS, PLACES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

MORE_MEMORY = "cost-functions.cpu.memory.hard=950 GiB"


def test_the_best_is_compared_with_the_next_and_the_refused_are_helped(run: Run) -> None:
    """Part by part, each after its function's scale; each way that is enough on a line of its own."""
    lines = [" ".join(line.split()) for line in place(run, *SMALL, "--explain").out.splitlines()]
    assert "devices.a100 - 50.0 +50.0" in lines
    assert (
        "offset 0.0 100\N{NO-BREAK SPACE}000.0 +100\N{NO-BREAK SPACE}000.0".replace("\N{NO-BREAK SPACE}", " ") in lines
    )
    first = lines.index("WOULD TAKE IT IF")
    assert lines[first + 1 :] == [
        "h2 free 60 GiB of memory there",
        "or move db (846 GiB, 8 vCPUs) away",
        "or request at most 4 GiB of memory",
        "h4 enable it and volumes pool ticrypt-vm must be set up",
        "h5 wait for its connection",
        "h6 enable its realm",
    ]


def test_help_comes_unasked_where_no_host_can_take_the_vm(run: Run) -> None:
    """And only there."""
    assert "WOULD TAKE IT" not in place(run, *SMALL).out
    outcome = place(run, "--vcpus", 120, "--memory", "64 GiB", "--device", "a100=3")
    assert outcome.code == 1
    assert "request at most 88 vCPUs and no a100" in outcome.out
    assert "request at most 1 a100" in outcome.out


def test_an_explanation_is_a_key_of_its_own_in_the_document(run: Run) -> None:
    """Only where it is asked for: everything else is as without."""
    plain, explained = place(run, *SMALL, "--json").json, place(run, *SMALL, "--explain", "--json").json
    explanation = explained.pop("explanation")
    assert explained == plain
    assert explanation["decision"] == {
        "best": "h1", "next_best": "h3", "decided_by": "cost", "margin": 100_019.0, "part": "offset",
    }  # fmt: skip
    h2 = explanation["remedies"][0]
    assert (h2["host"], h2["first"], h2["fits_then"]) == ("h2", [], False)
    assert (h2["free"], h2["ask"]["memory"], h2["move"]["vm"]) == ({"memory": 60 * GIB}, 4 * GIB, "db")
    silent = next(each for each in explanation["remedies"] if each["host"] == "h5")
    assert (silent["fits_then"], silent["free"], silent["ask"], silent["move"]) == (True, None, None, None)


def test_what_if_says_what_is_changed_what_differs_and_how_to_keep_it(run: Run, places: Path) -> None:
    """And the lines it gives do the same at the end of the file."""
    changes = ("--set", MORE_MEMORY, "--without", "h1", "--host-state", "h6=disabled")
    outcome = place(run, *SMALL, *changes)
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert outcome.code == 0
    assert lines[:3] == [
        "What if cost-functions.cpu.memory.hard = 950 GiB",
        "and h6 Disabled",
        "and without h1",
    ]
    assert "h2 cost-infinite #1 at 390.0 can take it" in lines
    assert "h1 #1 at 51.0 absent" in lines
    kept = outcome.out[outcome.out.index("To keep this") :].splitlines()[1:]
    (places / "ticrypt-vm.conf").write_text(PLACES + "\n".join(kept))
    (kept_placement,) = place(run, *SMALL, "--without", "h1", "--json").json["placements"]
    assert (kept_placement["host"], round(kept_placement["cost"], 6)) == ("h2", 390.0)


def test_what_if_in_the_document_is_beside_the_answer_with_the_changes(run: Run) -> None:
    """`before` is the answer without them."""
    document = place(run, *SMALL, "--set", MORE_MEMORY, "--without", "h1", "--json").json
    assert document["placements"][0]["host"] == "h2"
    what_if = document["what_if"]
    assert what_if["changes"] == ["cost-functions.cpu.memory.hard = 950 GiB", "without h1"]
    assert what_if["hocon"] == ("ticrypt.vm.cost-functions.cpu.memory.hard = 950 GiB\n# realms hosts remove h1\n")
    before = place(run, *SMALL, "--json").json
    assert what_if["before"] == {key: before[key] for key in ("placed", "placements", "verdicts")}
    assert "what_if" not in before


def test_quotes_that_no_shell_took_away_are_none_of_the_value(run: Run) -> None:
    """As in a script that gives its arguments one by one."""
    quoted = place(run, *SMALL, "--set", "cost-functions.cpu.memory.hard='950 GiB'", "--json")
    assert quoted.json["what_if"]["changes"] == [MORE_MEMORY.replace("=", " = ")]


def test_of_many_hosts_that_differ_some_are_listed(run: Run, places: Path) -> None:
    """And the rest is counted."""
    hosts = [{**HOSTS[0], "name": f"n{number}"} for number in range(300)]
    (places / "many.json").write_text(json.dumps({**FLEET, "hosts": hosts, "vms": []}))
    outcome = place(run, *SMALL, "--set", "cost-functions.cpu.offset=1", fleet="many.json")
    assert outcome.out.splitlines()[-4:-2] == ["and 200 more hosts that differ", ""]


def test_changes_without_effect_are_told_to_have_none(run: Run) -> None:
    """The ranking is the same."""
    assert "The ranking is unchanged" in place(run, *SMALL, "--set", "hardware-profiles.cpu-node.cores=1").out


def test_a_vm_more_and_a_vm_less_are_changes_too(run: Run) -> None:
    """By name, host and name, or UUID; with devices."""
    less = place(run, *SMALL, "--without-vm", "db", "--json").json
    assert less["placements"][0]["host"] == "h2"
    more = place(run, *SMALL, "--with-vm", "h1=81,8GiB", "--with-vm", "h3=1,1 GiB,a100=2", "--json").json
    refused = {verdict["host"]: verdict for verdict in more["verdicts"]}
    assert refused["h1"]["refusal"]["term"] == "vcpus"
    assert refused["h3"]["terms"][3]["input"] == 3


def test_a_realm_can_be_made_up(run: Run) -> None:
    """What is asked of a realm is asked of it with the changes."""
    enabled = place(run, *SMALL, "--realm", "old", "--set", "realms.old.disabled=off", "--json")
    assert (enabled.code, enabled.json["placements"][0]["host"]) == (0, "h6")
    assert place(run, *SMALL, "--realm", "old", "--set", "realms.old=null").code == 2


def test_warnings_of_a_setting_go_to_standard_error(run: Run) -> None:
    """Those that come with it."""
    outcome = place(run, *SMALL, "--set", "cost-functions.cpu.scale=-1", "--json")
    assert outcome.err == "warning: cost-functions.cpu.scale: 'scale' is -1: higher usage lowers the cost\n"
    assert outcome.json["verdicts"][0]["scale"] == -1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "cost-functions.cpu.memory.soft=820 Gib"), "did you mean GiB?"),
        (("--set", "cost-functions.cpux.scale=1"), "did you mean cpu?"),
        (("--set", "cost-functions.cpu.memory.sotf=1"), "did you mean soft?"),
        (("--set", "nonsense"), "has no value"),
        (("--set", ""), "write PATH=VALUE"),
        (("--set", "a\x1b[2J=1"), "realms: --set"),
        (("--with-vm", "h1"), "use HOST=VCPUS,SIZE"),
        (("--with-vm", "h1=1,1 Gib"), "did you mean GiB?"),
        (("--with-vm", "h9=1,1 GiB"), "no host 'h9'"),
        (("--with-vm", "h1=1,1 GiB,a100"), "h1 has 0 free a100"),
        (("--with-vm", "h1=0,1 GiB"), "a VM needs at least 1 vCPU"),
        (("--with-vm", "h1=1,1 GiB,a100=x"), "is not a number of devices"),
        (("--without-vm", "dbb"), "did you mean 'db'?"),
        (("--without-vm", "db", "--without-vm", "h2/db"), "no VM with UUID"),
    ],
)
def test_wrong_changes_are_refused_with_what_would_be_right(run: Run, arguments: tuple[str, ...], message: str) -> None:
    """Exit code 2, on standard error, nothing else."""
    outcome = place(run, *SMALL, *arguments, "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "\x1b" not in outcome.err


def test_hostile_names_act_on_no_terminal(run: Run, places: Path) -> None:
    """Neither in an explanation nor among the changes."""
    evil = "h\x1b[2J\nx"
    hosts = [{**HOSTS[1], "name": evil}, HOSTS[0]]
    vms = [{"name": "v\x1b]0;x\x07", "host": evil, "vcpus": 8, "memory": 846 * GIB, "devices": []}]
    (places / "evil.json").write_text(json.dumps({**FLEET, "hosts": hosts, "vms": vms}))
    outcome = place(run, *SMALL, "--explain", "--without-vm", "v\x1b]0;x\x07", "--host-state", f"{evil}=disabled",
                    fleet="evil.json")  # fmt: skip
    assert not {"\x1b", "\x07"} & set(outcome.out)
    refused = place(run, *SMALL, "--explain", fleet="evil.json")
    assert not {"\x1b", "\x07"} & set(refused.out)
    assert "or move " in refused.out
