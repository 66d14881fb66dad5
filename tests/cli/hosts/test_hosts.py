"""`realms hosts`, as one types it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from core.registry.hosts import HostRegistry
from tests.driver.silence import silent_host

HOSTILE = "h\N{RIGHT-TO-LEFT MARK}x"


def test_an_empty_registry_lists_no_hosts_and_says_how_to_add_one(realms, folder):
    """Nothing is made by listing."""
    assert json.loads(realms("hosts", "list", "--json").out) == {"hosts": []}
    listed = realms("hosts", "list")
    assert (listed.code, "realms hosts add" in listed.out, listed.err) == (0, True, "")
    assert not (folder / "registry.json").exists()


def test_a_host_that_was_added_is_listed_with_every_field(realms, add):
    """What nobody has looked at is null, with a word for why."""
    assert add("h1", "--state", "no-scheduling", "--static-address", "203.0.113.7:7000").code == 0
    assert add("h2", "--state", "disabled", uri="qemu+ssh://root@h2/system", profile="gpu").code == 0
    rows = realms("hosts", "list", "--json").hosts
    shared = {"age": None, "use": None, "cost": None, "cost_state": "unknown"}
    expected = {
        "name": "h1",
        "realm": "main",
        "uri": "test:///default",
        "profile": "plain",
        "state": "no-scheduling",
        "static_address": {"address": "203.0.113.7", "base_port": 7000},
        "connection": "unknown",
    } | shared
    assert {key: rows["h1"][key] for key in expected} == expected
    expected = {"state": "disabled", "static_address": None, "connection": "off"} | shared
    assert {key: rows["h2"][key] for key in expected} == expected


def test_live_hosts_are_listed_with_what_they_answer(realms, add):
    """The embedded driver has one VM of 2 vCPUs and 8 GiB; a port where nobody listens has an error."""
    add("h1")
    add("h2", uri="qemu+tcp://127.0.0.1:1/system")
    add("h3", "--state", "disabled", uri="test:///default")
    listed = realms("hosts", "list", "--live", "--json")
    rows = listed.hosts
    assert listed.code == 0
    assert rows["h1"]["connection"] == "connected"
    assert rows["h1"]["age"] < 10
    assert rows["h1"]["use"] == {"vms": 1, "vcpus": 2, "memory": 8 * 2**30, "devices": {}}
    assert (rows["h1"]["cost"], rows["h1"]["cost_state"]) == (2.0, "finite")
    assert (rows["h2"]["connection"], rows["h2"]["use"], rows["h2"]["cost"]) == ("unreachable", None, None)
    assert "refused" in rows["h2"]["error"]
    assert (rows["h3"]["connection"], rows["h3"]["use"]) == ("off", None)
    table = realms("hosts", "list", "--live")
    assert "1 of 2 hosts answered" in table.out
    assert "h2: connection refused" in table.out


def test_a_list_of_one_realm_leaves_out_the_others(realms, add):
    """A realm that doesn't exist is wrong usage."""
    add("h1")
    add("h2", realm="lab")
    assert list(realms("hosts", "list", "--realm", "lab", "--json").hosts) == ["h2"]
    wrong = realms("hosts", "list", "--realm", "lba")
    assert (wrong.code, "did you mean 'lab'" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["h1"], 1, "'h1' already exists"),
        (["h2", "--static-address", "203.0.113.7:7255"], 1, "clashes with h1"),
        (["h2", "--realm", "man"], 2, "did you mean 'main'"),
        (["h2", "--profile", "plian"], 2, "did you mean 'plain'"),
        (["h2", "--uri", "qemu+shh://h2/system"], 2, "did you mean ssh"),
        (["h2", "--uri", "qemu+ssh://h2/system?command=sh"], 2, "runs an arbitrary program"),
        (["h2", "--static-address", "203.0.113.7:65281"], 2, "1 to 65280"),
        (["h2", "--static-address", "none"], 2, "ADDRESS:BASEPORT"),
        (["h2", "--state", "on"], 2, "enabled"),
        (["a/b"], 2, "slash"),
    ],
)
def test_a_host_that_is_refused_ends_with_the_code_for_why(realms, add, arguments, code, message):
    """1 where the answer is no, 2 where the description makes no sense; either way nothing is stored."""
    add("h1", "--static-address", "203.0.113.7:7000")
    refused = add(*arguments)
    assert (refused.code, message in refused.err, refused.out) == (code, True, ""), refused.err
    assert list(realms("hosts", "list", "--json").hosts) == ["h1"]


def test_a_missing_option_is_wrong_usage(realms):
    """A host has a realm, a URI and a profile."""
    assert realms("hosts", "add", "h1", "--realm", "main", "--profile", "plain").code == 2


def test_a_warning_goes_to_standard_error_and_the_host_is_added(realms, add):
    """The same machine twice would be counted twice."""
    add("h1")
    warned = add("h2")
    assert warned.code == 0
    assert "warning: h1 has the same URI" in warned.err
    assert "warning" not in warned.out


def test_an_edit_changes_what_it_names_and_nothing_else(realms, add):
    """A rename is an edit; `none` takes the translation away."""
    add("h1", "--static-address", "203.0.113.7:7000")
    edited = realms("hosts", "edit", "h1", "--name", "k1", "--profile", "gpu", "--state", "disabled")
    assert (edited.code, edited.out) == (0, "h1: name h1 -> k1, profile plain -> gpu, state Enabled -> Disabled\n")
    row = realms("hosts", "list", "--json").hosts["k1"]
    assert (row["profile"], row["state"], row["uri"]) == ("gpu", "disabled", "test:///default")
    assert row["static_address"] == {"address": "203.0.113.7", "base_port": 7000}
    realms("hosts", "edit", "k1", "--static-address", "none")
    assert realms("hosts", "list", "--json").hosts["k1"]["static_address"] is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["h1"], 2), (["h9", "--profile", "gpu"], 2), (["h1", "--profile", "gup"], 2), (["h1", "--name", "h2"], 1)],
)
def test_an_edit_that_makes_no_sense_changes_nothing(realms, add, folder, arguments, code):
    """The file is byte for byte what it was."""
    add("h1")
    add("h2")
    before = (folder / "registry.json").read_bytes()
    assert realms("hosts", "edit", *arguments).code == code
    assert (folder / "registry.json").read_bytes() == before


def test_several_hosts_are_set_at_once_or_none(realms, add):
    """One unknown name among them stops all."""
    add("h1")
    add("h2")
    assert realms("hosts", "disable", "h1", "h2", "h1").code == 0
    assert {row["state"] for row in realms("hosts", "list", "--json").hosts.values()} == {"disabled"}
    refused = realms("hosts", "enable", "h1", "h9")
    assert (refused.code, "no host named 'h9'" in refused.err) == (2, True)
    assert realms("hosts", "list", "--json").hosts["h1"]["state"] == "disabled"
    assert realms("hosts", "no-scheduling", "h1").out == "h1: Disabled -> No Scheduling\n"
    assert realms("hosts", "no-scheduling", "h1").out == "h1: no changes (No Scheduling)\n"


def test_disabling_tells_how_many_vms_are_no_longer_watched(realms, add):
    """The default host of the embedded driver runs one; one that is gone does not say, and is disabled too."""
    add("h1")
    add("h2", uri="test:///nowhere/node.xml")
    done = realms("hosts", "disable", "h1", "h2")
    assert (done.code, done.out) == (0, "h1: Enabled -> Disabled\nh2: Enabled -> Disabled\n")
    assert "h1: 1 VM keeps running, unmonitored" in done.err
    assert "h2: no answer; any VMs there keep running, unmonitored" in done.err
    assert realms("hosts", "disable", "h1").err == ""


def test_a_live_list_does_not_go_on_connecting_when_it_has_given_up(realms, add):
    """The table says so, with the option that waits longer."""
    with silent_host() as host:
        add("h1", uri=host.uri)
        listed = realms("hosts", "list", "--live", "--timeout", "1")
        assert "h1: no answer within 1 s; --timeout 3 waits longer" in listed.out
        assert "connecting" not in listed.out
        assert realms("hosts", "list", "--live", "--timeout", "1", "--json").hosts["h1"]["connection"] == "connecting"


def test_enabling_says_why_a_host_still_takes_no_vms(realms, add, folder):
    """Its realm is disabled, or its profile is gone."""
    add("h1", "--state", "disabled", realm="lab", profile="gpu")
    configuration = folder / "ticrypt-vm.conf"
    configuration.write_text(configuration.read_text().replace("gpu {", "gpu2 {"))
    enabled = realms("hosts", "enable", "h1")
    assert enabled.code == 0
    assert "'lab' is disabled" in enabled.err
    assert "'gpu' is not configured" in enabled.err
    assert "gpu (not configured)" in realms("hosts", "list").out


def test_hosts_are_removed_without_a_question_where_there_is_no_terminal(realms, add):
    """A script has decided already; the message says what happens to the VMs."""
    add("h1")
    add("h2")
    removed = realms("hosts", "remove", "h1", "h2", "--yes")
    assert (removed.code, removed.out.count("its VMs are not touched")) == (0, 2)
    assert realms("hosts", "list", "--json").hosts == {}
    assert realms("hosts", "remove", "h1").code == 2


@pytest.mark.parametrize(("answer", "code", "left"), [(b"n\n", 1, 1), (b"\n", 1, 1), (b"y\n", 0, 0)])
def test_on_a_terminal_removing_is_asked_and_no_is_the_default(folder, add, answer, code, left):
    """Enter alone removes nothing."""
    add("h1")
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    program = [sys.executable, "-c", "from tui.__main__ import main; main()", "hosts", "remove", "h1"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])}
    asked = subprocess.run(
        program, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=environment, check=False, timeout=60
    )
    question = os.read(ours, 4096).decode()
    os.close(theirs)
    os.close(ours)
    assert "Remove h1 from the registry?" in question
    assert asked.returncode == code
    assert len(HostRegistry(folder / "registry.json").hosts()) == left


@pytest.mark.parametrize("wall", [["--read-only"], ["--fleet", "fleet.json"]])
@pytest.mark.parametrize(
    "command",
    [
        ["add", "h2", "--realm", "main", "--uri", "qemu:///system", "--profile", "plain"],
        ["edit", "h1", "--profile", "gpu"],
        ["enable", "h1"],
        ["no-scheduling", "h1"],
        ["disable", "h1"],
        ["remove", "h1", "--yes"],
    ],
    ids=lambda command: command[0],
)
def test_nothing_is_changed_read_only_or_on_a_saved_fleet(realms, add, folder, wall, command):
    """Before and after the subcommand the option means the same."""
    add("h1", "--state", "no-scheduling")
    before = (folder / "registry.json").read_bytes()
    for arguments in ([*wall, "hosts", *command], ["hosts", *command, *wall]):
        refused = realms(*arguments)
        assert (refused.code, "nothing was changed" in refused.err, refused.out) == (2, True, "")
    assert (folder / "registry.json").read_bytes() == before


def test_a_saved_fleet_is_listed_without_a_registry(realms, folder):
    """Its figures are those of the moment at which it was taken."""
    (folder / "registry.json").write_text("no registry at all")
    row = realms("--fleet", "fleet.json", "hosts", "list", "--json").hosts["s1"]
    assert (row["connection"], row["age"]) == ("connected", 0.0)
    assert row["use"] == {"vms": 1, "vcpus": 2, "memory": 2**30, "devices": {}}
    assert row["cost"] == 2.0
    assert realms("hosts", "list").code == 2


def test_hostile_names_are_shown_harmless_and_kept_raw(realms, add):
    """Markup is text like another; what would reorder text on a terminal is no name."""
    assert add(HOSTILE).code == 2
    assert add("[bold][link=x]").code == 0
    assert "[bold][link=x]" in realms("hosts", "list").out
    assert "[bold][link=x]" in realms("hosts", "list", "--live").out
    assert list(realms("hosts", "list", "--json").hosts) == ["[bold][link=x]"]


def test_a_damaged_registry_is_an_unreadable_file(realms, add, folder):
    """The message names the copy to go back to."""
    add("h1")
    add("h2")
    (folder / "registry.json").write_text("{")
    for command in (["list"], ["enable", "h1"], ["list", "--live", "--json"]):
        refused = realms("hosts", *command)
        assert (refused.code, refused.out) == (2, "")
        assert "registry.json is damaged" in refused.err
        assert "registry.json.1" in refused.err


@pytest.mark.parametrize("command", ["", "list", "add", "edit", "enable", "no-scheduling", "disable", "remove", "test"])
def test_every_command_has_help(realms, command):
    """And the options that all have."""
    shown = realms("hosts", *command.split(), "--help")
    assert (shown.code, "--read-only" in shown.out) == (0, True)
