"""`realms vms list`, as one types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.saved_fleet import FLEET, VMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]


def test_the_document_is_the_contract_s(run: Run) -> None:
    """Every VM with every field, and how many hosts stand behind them."""
    document = run("vms", "list", "--fleet", "fleet.json", "--json").json
    assert (document["hosts_answering"], document["hosts_total"]) == (5, 6)
    web = next(vm for vm in document["vms"] if vm["name"] == "web")
    assert len(web.pop("uuid")) == 36
    assert web == {
        "name": "web",
        "host": "h1",
        "realm": "main",
        "managed": True,
        "state": "running",
        "state_reason": None,
        "last_state": "running",
        "active": True,
        "vcpus": 40,
        "memory": 336 * 2**30,
        "devices": [],
        "address": None,
        "endpoint": None,
        "cpu_percent": None,
        "age": 0.0,
    }


def test_vms_of_a_silent_host_are_unknown_and_never_off(run: Run, places: Path) -> None:
    """In the document and in the table; what they last were is kept beside."""
    lost = {"name": "lost", "host": "h5", "vcpus": 1, "memory": 2**30, "devices": [], "state": "off"}
    (places / "lost.json").write_text(json.dumps({**FLEET, "vms": [*VMS, lost]}))
    found = {vm["name"]: vm for vm in run("vms", "list", "--fleet", "lost.json", "--json").json["vms"]}
    assert (found["lost"]["state"], found["lost"]["last_state"], found["lost"]["age"]) == ("unknown", "off", 48.0)
    row = next(line for line in run("vms", "list", "--fleet", "lost.json").out.splitlines() if "lost" in line)
    assert "unknown" in row
    assert "off" not in row


def test_a_vm_without_its_storage_is_told_with_the_reason(run: Run, places: Path) -> None:
    """As `virsh` says it; the state itself stays what scripts know, and a reason is as unknown as the state."""
    stuck = {"vcpus": 1, "memory": 2**30, "devices": [], "state": "paused", "state_reason": "I/O error"}
    vms = [{**stuck, "name": "stuck", "host": "h1"}, {**stuck, "name": "lost", "host": "h5"}]
    (places / "stuck.json").write_text(json.dumps({**FLEET, "vms": vms}))
    found = {vm["name"]: vm for vm in run("vms", "list", "--fleet", "stuck.json", "--json").json["vms"]}
    assert (found["stuck"]["state"], found["stuck"]["state_reason"]) == ("paused", "I/O error")
    assert (found["lost"]["state"], found["lost"]["state_reason"]) == ("unknown", None)
    told = run("vms", "list", "--fleet", "stuck.json").out
    assert told.count("paused (I/O error)") == 1


def test_hostile_names_are_raw_in_json_and_harmless_on_the_screen(run: Run, places: Path) -> None:
    """Names are keys; only what is displayed is sanitized."""
    name = "web\x1b[31m\n[/x]\N{RIGHT-TO-LEFT OVERRIDE}"
    (places / "names.json").write_text(json.dumps({**FLEET, "vms": [{**VMS[0], "name": name}]}))
    assert run("vms", "list", "--fleet", "names.json", "--json").json["vms"][0]["name"] == name
    listed = run("vms", "list", "--fleet", "names.json").out
    assert "[/x]" in listed
    assert not {"\x1b", "\N{RIGHT-TO-LEFT OVERRIDE}"} & set(listed)
