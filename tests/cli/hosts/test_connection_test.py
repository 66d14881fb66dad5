"""`realms hosts test`, as one types it."""

from __future__ import annotations

import json

import pytest


def test_a_test_reports_what_is_there_and_what_differs_from_the_profile(realms, add):
    """The embedded driver says 16 cores and 3 GiB."""
    add("h1")
    add("h2", profile="gpu")
    tested = realms("hosts", "test", "h1", "h2", "test:///default", "--json")
    first, second, third = json.loads(tested.out)["hosts"]
    assert tested.code == 0
    assert (first["name"], first["reachable"], first["cores"], first["memory"]) == ("h1", True, 16, 3 * 2**30)
    assert (first["hypervisor"], first["vms"], first["active_vms"]) == ("TEST", 1, 1)
    assert not [remark for remark in first["remarks"] if "profile" in remark]
    assert "profile gpu has 8 cores, the host 16" in second["remarks"]
    assert "profile gpu has 64 GiB of memory, the host 3 GiB" in second["remarks"]
    assert "pool ticrypt-bricks is missing" in first["remarks"]
    assert (third["name"], third["uri"], third["remarks"]) == (None, "test:///default", [])


def test_a_host_that_does_not_answer_makes_the_test_fail(realms, add):
    """The others are reported all the same."""
    add("h1")
    add("h2", "--state", "disabled", uri="qemu+tcp://127.0.0.1:1/system")
    tested = realms("hosts", "test", "h2", "h1", "--json")
    down, up = json.loads(tested.out)["hosts"]
    assert (tested.code, json.loads(tested.out)["ok"]) == (1, False)
    assert (down["reachable"], "refused" in down["error"], up["reachable"]) == (False, True, True)
    shown = realms("hosts", "test", "h2")
    assert (shown.code, "h2: connection refused" in shown.err) == (1, True)


@pytest.mark.parametrize("subject", ["h9", "qemuu:///system", "qemu:///system?command=sh"])
def test_a_test_of_nothing_known_is_wrong_usage(realms, add, subject):
    """Nothing is asked then, not even what is known."""
    add("h1")
    assert realms("hosts", "test", "h1", subject).code == 2


def test_a_uri_is_held_against_the_host_that_has_it(realms, add):
    """Whoever types the URI of a registered host means that host."""
    add("h2", profile="gpu")
    (row,) = realms("hosts", "test", "test:///default", "--json").hosts.values()
    assert row["name"] == "h2"
    assert "profile gpu has 8 cores, the host 16" in row["remarks"]


def test_a_uri_is_tested_where_there_is_no_configuration(realms, folder):
    """Whoever tries a URI may only be about to write one; a name needs it, and so does a file that is named."""
    (folder / "ticrypt-vm.conf").rename(folder / "elsewhere.conf")
    tested = realms("hosts", "test", "test:///default", "--json")
    (row,) = json.loads(tested.out)["hosts"]
    assert (tested.code, row["name"], row["cores"], row["profile"], row["remarks"]) == (0, None, 16, None, [])
    assert realms("hosts", "test", "test:///default").code == 0
    for wrong in (("test:///default", "h1"), ("test:///default", "--config", "missing.conf")):
        refused = realms("hosts", "test", *wrong)
        assert (refused.code, refused.out) == (2, "")
    (folder / "ticrypt-vm.conf").write_text("ticrypt.vm { nonsense")
    assert realms("hosts", "test", "test:///default").code == 2


def test_a_test_has_nobody_to_ask_in_a_saved_fleet(realms):
    """It says so."""
    for subject in ("s1", "test:///default"):
        assert realms("hosts", "test", subject, "--fleet", "fleet.json").code == 2
