"""`realms pools`, `bricks` and `drives`, as one types them."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]


def test_status_is_a_matrix_of_hosts_and_pools(run: Run) -> None:
    """With what nobody knows as null."""
    outcome = run("pools", "status", "--json")
    document = outcome.json
    assert outcome.code == 0
    assert [(host["host"], [pool["state"] for pool in host["pools"]]) for host in document["hosts"]] == [
        ("h1", ["active"] * 4),
        ("h2", ["active"] * 3 + ["missing"]),
    ]
    volumes, missing = document["hosts"][0]["pools"][0], document["hosts"][1]["pools"][3]
    assert (volumes["pool"], volumes["type"], volumes["path"]) == ("ticrypt-vm", "dir", "/pools/ticrypt-vm")
    assert volumes["capacity"] >= volumes["free"] > 0
    assert (volumes["shared"], volumes["shared_by"], volumes["unread"]) == (None, None, None)
    assert (missing["capacity"], missing["path"], missing["role"]) == (None, None, "snapshots")
    assert (document["hosts_answering"], document["hosts_total"], document["ok"]) == (2, 2, True)


def test_a_host_that_does_not_answer_is_told_and_ends_with_1(run: Run, tmp_path: Path) -> None:
    """A disabled one is no failure."""
    (tmp_path / "h2.xml").unlink()
    outcome = run("pools", "status", "--json")
    assert (outcome.code, outcome.json["hosts_answering"]) == (1, 1)
    assert "h2" in outcome.json["hosts"][1]["error"]
    run("hosts", "disable", "h2")
    assert run("pools", "status").code == 0


def test_a_dry_run_prints_commands_and_connects_to_nothing(run: Run, tmp_path: Path) -> None:
    """Not even to hosts that are gone; also with --read-only."""
    (tmp_path / "h2.xml").unlink()
    outcome = run("pools", "setup", "--path", "/shared", "--dry-run", "--json", "--read-only")
    assert outcome.code == 0
    commands = outcome.json["hosts"][1]["commands"]
    assert len(commands) == 16
    assert shlex.split(commands[0])[3:] == [
        "pool-define-as", "ticrypt-vm", "dir", "-", "-", "-", "-", "/shared/ticrypt-vm",
    ]  # fmt: skip
    assert [pool["role"] for pool in outcome.json["pools"]] == ["volumes", "drives", "bricks", "snapshots"]
    plain = run("pools", "setup", "--path", "drives=/d", "--pool", "drives", "--dry-run").out
    assert plain.count("pool-define-as ticrypt-vm-drives dir - - - - /d") == 2


def test_setting_up_what_is_there_changes_nothing(run: Run) -> None:
    """On one host there is nothing to prove."""
    outcome = run("pools", "setup", "--path", "/pools", "--host", "h1", "--json")
    pools = outcome.json["hosts"][0]["pools"]
    assert outcome.code == 0
    assert [pool["changes"] for pool in pools] == [["autostart on"]] * 4
    assert outcome.json["sharing"][0]["shared"] is None


def test_pools_are_removed_by_the_commands_that_a_dry_run_shows(run: Run, tmp_path: Path) -> None:
    """It connects to nothing; names that need quotes have them."""
    (tmp_path / "h2.xml").rename(tmp_path / "gone.xml")
    shown = run("pools", "remove", "--pool", "drives", "--dry-run", "--json", "--read-only").json
    commands = [shlex.split(line)[3:] for host in shown["hosts"] for line in host["commands"]]
    assert commands == [["pool-destroy", "ticrypt-vm-drives"], ["pool-undefine", "ticrypt-vm-drives"]] * 2
    (tmp_path / "gone.xml").rename(tmp_path / "h2.xml")
    outcome = run("pools", "remove", "--json", "--yes")
    assert outcome.code == 0
    one, two = outcome.json["hosts"]
    assert [pool["changes"] for pool in one["pools"]] == [["stopped", "undefined"]] * 4
    assert (two["pools"][3]["pool"], two["pools"][3]["changes"]) == ("ticrypt-vm-snapshots", [])


def test_a_path_that_is_not_absolute_is_called_so(run: Run) -> None:
    """And not taken for the name of a pool."""
    refused = run("pools", "setup", "--path", "shared/realms")
    assert (refused.code, "is not absolute" in refused.err, "/shared/realms" in refused.err) == (2, True, True)


def test_a_refusal_names_both_places(run: Run) -> None:
    """The steps go to standard error, what came of it to standard output."""
    outcome = run("pools", "setup", "--path", "/elsewhere", "--host", "h1", "--yes")
    assert outcome.code == 1
    assert "dir at /pools/ticrypt-vm; requested: dir at /elsewhere/ticrypt-vm" in outcome.err
    assert "h1" in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["pools", "setup"],
        ["pools", "setup", "--path", "relative"],
        ["pools", "setup", "--path", "drivs=/x"],
        ["pools", "setup", "--path", "/a", "--path", "/b"],
        ["pools", "setup", "--path", "/a", "--host", "nobody"],
        ["pools", "setup", "--path", "/a", "--mode", "9"],
        ["pools", "setup", "--path", "/a", "--read-only"],
        ["pools", "setup", "--path", "/a", "--realm", "x"],
        ["pools", "remove", "--host", "nobody"],
        ["pools", "remove", "--read-only"],
        ["pools", "remove", "--pool", "other"],
        ["pools", "status", "--host", "nobody"],
        ["pools", "status", "--prove", "--read-only"],
        ["drives", "create", "d", "--size", "2 GiB"],
        ["drives", "create", "d", "--size", "1 Gib"],
        ["drives", "create", "a/b", "--size", "1 MiB"],
        ["drives", "create", "d", "--size", "1 MiB", "--read-only"],
        ["drives", "delete", "nothing", "--realm", "x"],
        ["bricks", "upload", "nothing.qcow2"],
        ["bricks", "upload", "."],
        ["bricks", "delete", "x", "--read-only"],
    ],
)
def test_what_makes_no_sense_ends_with_2_and_one_message(run: Run, arguments: list[str]) -> None:
    """Nothing on standard output, no traceback."""
    outcome = run(*arguments, *(["--force"] if "delete" in arguments else []))
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["pools", "status"],
        ["bricks", "list"],
        ["drives", "list", "--json"],
        ["drives", "create", "d", "--size", "1M"],
        ["pools", "setup", "--path", "/a"],
    ],
)
def test_a_saved_fleet_has_no_storage(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """Neither to look at nor to change."""
    fleet = {"format": "libvirt-realms-fleet/1", "taken": "2026-11-22T10:00:00Z", "hosts": [], "vms": []}
    (tmp_path / "fleet.json").write_text(json.dumps(fleet))
    outcome = run(*arguments, "--fleet", "fleet.json")
    assert (outcome.code, outcome.out) == (2, "")


def test_a_drive_is_created_within_one_connection(run: Run) -> None:
    """And told with its size; nobody uses it."""
    outcome = run("drives", "create", "data one", "--size", "64 MiB", "--json")
    assert outcome.code == 0
    drive = outcome.json["drive"]
    assert (drive["name"], drive["size"], drive["pool"]) == ("data one", 64 * 2**20, "ticrypt-vm-drives")
    listed = run("drives", "list", "--json")
    assert listed.json["drives"] == []
    assert listed.json["unasked"] == [{"host": "h2", "error": "pool ticrypt-vm-snapshots is missing"}]


def test_on_a_narrow_terminal_pools_and_their_places_are_two_tables(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing wraps or is lost; what is piped is one table."""
    piped = run("pools", "status").out
    assert "AUTOSTART" in piped
    monkeypatch.setattr("tui.cli.output.sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    narrow = run("pools", "status").out
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.count("ticrypt-vm-drives") == 4
    assert "/pools/ticrypt-vm-drives" in narrow
    assert narrow.count("active, manual") == 7
    assert "h1, h2" in narrow
