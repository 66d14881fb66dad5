"""`realms replay`, as one types it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.fleet.file import load_file
from core.operations.scheduling.log_writer import SchedulingDecision, append_decision
from core.placement.engine.engine import place, put
from core.placement.engine.request import Request
from tests.cli.saved_fleet import PLACES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

GIB = 2**30
REQUESTS = (
    (Request(8, 64 * GIB, realm="main"), 1),
    (Request(4, 8 * GIB, {"a100": 1}, "main"), 1),
    (Request(120, 64 * GIB, realm="main"), 1),
    (Request(8, 300 * GIB, realm="main"), 3),
)


@pytest.fixture
def log(places: Path) -> Path:
    """Four decisions on the saved fleet, one after another."""
    configuration, fleet = load(places / "ticrypt-vm.conf"), load_file(places / "fleet.json")
    for number, (request, count) in enumerate(REQUESTS):
        placements = place(configuration, fleet, request, count)
        append_decision(
            places / "registry.json",
            SchedulingDecision(configuration, fleet, placements, operation="create", vm=f"web-{number}"),
        )
        for placement in placements.placements:
            fleet = put(fleet, replace(placement, vm=10 * number + placement.vm))
    return places / "scheduling.jsonl"


def test_by_the_configuration_that_it_was_made_by_nothing_changes(run: Run, log: Path) -> None:
    """Exit code 0, and it is said that it is the very same."""
    outcome = run("replay", log)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "4 decisions replayed with this configuration; all of them were made with it",
        "4 unchanged",
    ]
    assert run("replay", log, "--as-logged").code == 0


def test_what_would_go_elsewhere_is_told_with_hosts_costs_and_reason(run: Run, log: Path) -> None:
    """Exit code 1: the answer is not that all is as before."""
    outcome = run("replay", log, "--set", "cost-functions.cpu.memory.hard=820 GiB", "--host-state", "h1=disabled")
    assert outcome.code == 1
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert lines[1] == "2 unchanged; 2 on a different host"
    assert lines[4] == "1 2026-11-22 10:00 web-0 h1 at 51.00 h3 at 100 070.00 h1: the host is disabled"
    assert lines[5].startswith("4 2026-11-22 10:00 web-3 #1 h1 at 74.75 h3 at 100 162.50")


def test_the_document_has_the_changes_and_the_counts(run: Run, log: Path) -> None:
    """`--all` has every decision among the changes."""
    outcome = run("replay", log, "--without", "h1", "--without", "h77", "--json")
    document = outcome.json
    changes = document.pop("changes")
    assert (outcome.code, outcome.err) == (1, "")
    assert document == {
        "log": str(log), "decisions": 4, "same": 2, "other_cost": 0, "other_host": 2, "no_host": 0, "a_host": 0,
        "made_by_this_configuration": 4, "unreadable": 0, "problems": [], "unknown_hosts": ["h77"],
    }  # fmt: skip
    assert [(change["line"], change["vm"], change["outcome"], change["number"]) for change in changes] == [
        (1, "web-0", "other-host", 1),
        (4, "web-3", "other-host", 1),
    ]
    assert changes[0]["then"] == {"host": "h1", "cost": 51.0}
    assert (changes[0]["now"]["host"], changes[0]["why"]) == ("h3", "h1 no longer exists")
    everything = run("replay", log, "--all", "--json")
    assert (everything.code, len(everything.json["changes"])) == (0, 4)
    assert {change["outcome"] for change in everything.json["changes"]} == {"same"}


def test_another_cost_alone_is_as_good_as_before(run: Run, log: Path) -> None:
    """Exit code 0, told in the counts."""
    outcome = run("replay", log, "--set", "cost-functions.cpu.offset=1")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "4 decisions replayed with this configuration; none of them were made with it",
        "2 unchanged; 2 on the same host at a different cost",
    ]


def test_the_present_configuration_is_the_one_in_the_files_now(run: Run, log: Path, places: Path) -> None:
    """What was changed since is found; by the stored configurations nothing is."""
    (places / "ticrypt-vm.conf").write_text(
        PLACES.replace("offset: 100000", "offset: 0").replace("scale: 2", "scale: 1")
    )
    outcome = run("replay", log)
    assert outcome.code == 1
    assert "none of them were made with it" in outcome.out
    assert "h3 35 (was 100070), h1 51 (was 51)" in outcome.out
    assert run("replay", log, "--as-logged").code == 0
    assert run("replay", log, "--as-logged", "--set", "cost-functions.gpu.offset=0").code == 0


def test_damaged_lines_are_told_and_skipped(run: Run, log: Path) -> None:
    """On standard error with their numbers, or in the document; exit code 1."""
    lines = log.read_text().splitlines()
    log.write_text("\n".join(["{", *lines[:2], "", '{"time": "2\x1b[2J', *lines[2:]]) + "\n")
    outcome = run("replay", log)
    assert outcome.code == 1
    assert "4 unchanged" in outcome.out
    told = outcome.err.splitlines()
    assert [line.partition(": ")[0] for line in told] == [f"{log}:1", f"{log}:5"]
    assert "\x1b" not in outcome.err
    document = run("replay", log, "--json").json
    assert (document["decisions"], document["unreadable"]) == (4, 2)
    assert [problem["line"] for problem in document["problems"]] == [1, 5]


def test_many_damaged_lines_are_counted(run: Run, log: Path) -> None:
    """Not a screen full of them."""
    log.write_text(log.read_text() + "x\n" * 5000)
    outcome = run("replay", log)
    assert len(outcome.err.splitlines()) == 11
    assert outcome.err.splitlines()[-1] == f"{log}: and 4990 more lines that are not decisions"
    document = run("replay", log, "--json").json
    assert (document["unreadable"], len(document["problems"])) == (5000, 1000)


@pytest.mark.parametrize("content", ["x\ny\n", "\x00" * 1000, PLACES.strip(), "[]\n", '{"a": 1}'],
                         ids=["text", "zeros", "configuration", "list", "object"])  # fmt: skip
def test_a_file_that_is_no_log_is_refused(run: Run, places: Path, content: str) -> None:
    """Exit code 2, one message, nothing on standard output, with --json too."""
    (places / "other").write_text(content)
    for arguments in ((), ("--json",)):
        outcome = run("replay", "other", *arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith("realms: no decision can be replayed: line 1: ")


def test_a_log_that_is_missing_or_a_folder_is_refused(run: Run, places: Path) -> None:
    """And an empty one has nothing to tell."""
    for path in ("none.jsonl", places):
        outcome = run("replay", path)
        assert (outcome.code, outcome.out) == (2, "")
        assert "can't be read" in outcome.err
    (places / "empty").write_text("")
    outcome = run("replay", "empty")
    assert (outcome.code, outcome.out) == (0, "No decisions in the log\n")
    assert run("replay", "empty", "--json").json["decisions"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "cost-functions.cpux.scale=1"), "did you mean cpu?"),
        (("--host-state", "h1=off"), "one of enabled, no-scheduling, disabled"),
        (("--without", "h1", "--host-state", "h1=disabled"), "host 'h1' is given twice"),
        (("--without-vm", "db"), "No such option"),
        (("--as-logged", "--set", "cost-functions.cpux.scale=1"), "did you mean cpu?"),
    ],
)
def test_wrong_usage_is_refused(run: Run, log: Path, arguments: tuple[str, ...], message: str) -> None:
    """With what would be right."""
    outcome = run("replay", log, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_host_that_no_decision_knows_is_told(run: Run, log: Path) -> None:
    """It was misspelt, or came later."""
    assert run("replay", log, "--without", "h77").err == "warning: no decision knows host 'h77'\n"


def test_hostile_names_act_on_no_terminal(run: Run, log: Path) -> None:
    """Names of VMs and hosts come from the log as they were."""
    evil = "h\x1b[2J"
    document = json.loads(log.read_text().splitlines()[0].replace('"h1"', json.dumps(evil)))
    log.write_text(json.dumps({**document, "vm": "v\x07\n", "time": "\x1b[31m" * 9}))
    outcome = run("replay", log, "--without", evil)
    assert outcome.code == 1
    assert not {"\x1b", "\x07"} & set(outcome.out + outcome.err)
    assert run("replay", log, "--without", evil, "--json").json["changes"][0]["then"]["host"] == evil
