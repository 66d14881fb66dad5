"""Saved fleets: what is written can be read, what is written by hand too, and what makes no sense is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from core.errors import UnreadableFile, UnwritableFile
from core.fleet.file import dump, load_file, parse, write_file
from core.fleet.fleet import Connection, Fleet, PoolState, VMState
from core.hosts import HostState, StaticAddress
from tests.placement.world import CONFIGURATION, GIB, GPUS, NOW, fleet, snapshot, vm
from tests.strategies import configurations, fleets

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.model import Configuration

FORMAT = "libvirt-realms-fleet/1"
HOST = {"name": "h1", "realm": "main", "profile": "gpu-node", "state": "enabled"}
VM = {"name": "web", "host": "h1", "vcpus": 2, "memory": 4 * GIB, "devices": ["C1:00.0"]}


def document(**changes: Any) -> dict[str, Any]:
    """Make the smallest file that a person would write."""
    return {"format": FORMAT, "taken": "2026-11-22T10:00:00Z", "hosts": [HOST], "vms": [VM], **changes}


def read(**changes: Any) -> Fleet:
    """Read that file."""
    return parse(json.dumps(document(**changes)), now=0.0)


@given(configurations(), fleets())
def test_a_saved_fleet_is_read_as_it_was(configuration: Configuration, fleet: Fleet) -> None:
    """Whatever the names of its VMs, whether or not its profiles exist."""
    text = dump(fleet, configuration)
    assert parse(text, now=0.0) == fleet
    assert json.loads(text, parse_constant=pytest.fail)["format"] == FORMAT


def test_a_file_written_by_hand_needs_little() -> None:
    """Hosts answer as of the moment, VMs run and belong to the realm, devices are addresses in any notation."""
    found = read()
    assert found.taken == NOW
    host = found.hosts[0]
    assert (host.connection, host.observed_at, host.pools, host.host.uri) == (Connection.CONNECTED, NOW, None, "")
    web = host.vms[0]
    assert (web.state, web.active, web.managed, web.realm, web.devices) == (
        VMState.RUNNING,
        True,
        True,
        "main",
        GPUS[:1],
    )


def test_a_vm_without_uuid_has_the_same_in_every_file() -> None:
    """Made from host and name, so that files can be compared; other hosts' VMs of that name have another."""
    hosts = [HOST, {**HOST, "name": "h2"}]
    first = read(hosts=hosts, vms=[VM, {**VM, "host": "h2"}])
    again = read(hosts=hosts, vms=[{**VM, "host": "h2"}, VM])
    uuids = [host.vms[0].uuid for host in first.hosts]
    assert uuids == [host.vms[0].uuid for host in again.hosts]
    assert len(set(uuids)) == 2


@pytest.mark.parametrize(
    ("state", "active"),
    [
        ("running", True),
        ("paused", True),
        ("shutting-down", True),
        ("suspended", True),
        ("crashed", True),
        ("unknown", True),
        ("off", False),
    ],
)
def test_a_vm_is_active_unless_it_is_off_or_the_file_says_so(state: str, active: bool) -> None:
    """A crashed domain may be kept or gone: `active` tells."""
    assert read(vms=[{**VM, "state": state}]).hosts[0].vms[0].active is active
    assert read(vms=[{**VM, "state": state, "active": not active}]).hosts[0].vms[0].active is not active


def test_ages_count_from_taken() -> None:
    """A host that does not answer and gives no age was never seen."""
    hosts = [
        {**HOST, "age": 12.5},
        {**HOST, "name": "h2", "connection": "unreachable"},
        {**HOST, "name": "h3", "connection": "unreachable", "age": 48},
        {**HOST, "name": "h4", "age": None},
    ]
    assert [host.observed_at for host in read(hosts=hosts).hosts] == [NOW - 12.5, None, NOW - 48, None]


def test_a_file_that_does_not_say_when_it_was_taken_is_as_old_as_its_file(tmp_path: Path) -> None:
    """Or as whoever reads its text says."""
    undated = document()
    del undated["taken"]
    assert parse(json.dumps(undated), now=77.0).taken == 77.0
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(undated))
    assert load_file(path).taken == round(path.stat().st_mtime, 3)


def test_optional_parts_of_a_host_are_read() -> None:
    """Pools, reservations, address translation."""
    promised = {"vm": "web", "vcpus": 2, "memory": GIB, "devices": ["01:00.0"]}
    host = {
        **HOST,
        "state": "no-scheduling",
        "pools": {"ticrypt-vm": "active", "ticrypt-vm-drives": "inactive"},
        "reservations": [promised],
        "static_address": {"address": "203.0.113.7", "base_port": 7000},
        "unheard-of": [1, 2, 3],
    }
    found = read(hosts=[host], vms=[{**VM, "state": "off"}]).hosts[0]
    assert found.host.state is HostState.NO_SCHEDULING
    assert found.host.static_address == StaticAddress("203.0.113.7", 7000)
    assert found.pools == {"ticrypt-vm": PoolState.ACTIVE, "ticrypt-vm-drives": PoolState.INACTIVE}
    assert found.reservations[0].uuid == found.vms[0].uuid
    assert found.use(CONFIGURATION.hardware_profiles["gpu-node"]).devices == {"a100": 1}


def test_a_reservation_that_had_expired_counts_no_more() -> None:
    """Its program had died before the fleet was taken (specification, section 8)."""
    promised = {"vcpus": 2, "memory": GIB, "devices": []}
    past = {**promised, "taken_at": "2000-01-01T00:00:00Z", "expires_at": "2000-01-01T00:01:00Z"}
    assert [
        each.vm for each in read(hosts=[{**HOST, "reservations": [past, promised]}], vms=[]).hosts[0].reservations
    ] == ["hosts[0].reservations[1]"]


def test_use_and_cost_of_the_file_are_not_believed() -> None:
    """They are computed again from the VMs."""
    host = {**HOST, "use": {"vms": 99, "vcpus": 99, "memory": 99, "devices": {}}, "cost": -5}
    assert read(hosts=[host]).hosts[0].use(None).vms == 1


def test_rows_say_what_is_not_known() -> None:
    """A host that does not answer has the use that was last seen, with its age, and no cost."""
    silent = snapshot("a", vm("a", "1"), connection=Connection.UNREACHABLE, observed_at=NOW - 48)
    full = snapshot("b", vm("b", "1", vcpus=500))
    never = snapshot("c", observed_at=None)
    fine = snapshot("d", vm("d", "1"))
    stale = snapshot("e", vm("e", "1"), observed_at=NOW - 16)
    rows = json.loads(dump(fleet(silent, full, never, fine, stale), CONFIGURATION))["hosts"]
    assert [(row["age"], row["use"] and row["use"]["vms"], row["cost"], row["cost_state"]) for row in rows] == [
        (48.0, 1, None, "unknown"),
        (0.0, 1, None, "infinite"),
        (None, None, None, "unknown"),
        (0.0, 1, 1 + 0.5 + 50 / 800, "finite"),
        (16.0, 1, None, "unknown"),
    ]


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"format": "libvirt-realms-fleet/2"}, "format is 'libvirt-realms-fleet/2'", 'reads "libvirt-realms-fleet/1"'),
        ({"format": None}, "format is missing", "libvirt-realms-fleet/1"),
        ({"hosts": None}, "hosts is null", "a list"),
        ({"hosts": {}}, "hosts is an object", "a list"),
        ({"hosts": [7]}, "hosts[0] is a number", "an object"),
        ({"hosts": [{**HOST, "state": "enabeld"}]}, "hosts[0].state is 'enabeld'", "did you mean 'enabled'?"),
        ({"hosts": [{**HOST, "state": True}]}, "hosts[0].state is true", "enabled, no-scheduling, disabled"),
        ({"hosts": [{"name": "h1"}]}, "hosts[0].realm is missing", "a text"),
        ({"hosts": [{**HOST, "name": ""}]}, "hosts[0].name is ''", "a text"),
        ({"hosts": [{**HOST, "name": "\ud800"}]}, "hosts[0].name contains half a surrogate pair", "both surrogates"),
        ({"hosts": [HOST, HOST]}, "hosts[1].name is 'h1', the same as in hosts[0]", "unique"),
        ({"hosts": [{**HOST, "age": -1}]}, "hosts[0].age is -1", "a number of at least 0"),
        ({"hosts": [{**HOST, "connection": "up"}]}, "hosts[0].connection is 'up'", "connected, connecting"),
        ({"hosts": [{**HOST, "pools": {"p": "activ"}}]}, "hosts[0].pools.p is 'activ'", "did you mean 'active'?"),
        ({"hosts": [{**HOST, "reservations": [{}]}]}, "hosts[0].reservations[0].vcpus is missing", "a whole number"),
        (
            {"hosts": [{**HOST, "static_address": {"address": "10.0.0", "base_port": 1}}]},
            "hosts[0].static_address is invalid: '10.0.0' is not an IPv4 address",
            "203.0.113.7:7000",
        ),
        ({"vms": [{**VM, "host": "h2"}]}, "vms[0].host is 'h2', which is not a host in this file", "h1"),
        ({"vms": [VM, VM]}, "vms[1] is the same VM as vms[0]", "uuid"),
        ({"vms": [{**VM, "memory": "4 GiB"}]}, "vms[0].memory is '4 GiB'", "a whole number of bytes"),
        ({"vms": [{**VM, "memory": 2**63}]}, f"vms[0].memory is {2**63}", "a whole number of bytes"),
        ({"vms": [{**VM, "vcpus": 1.5}]}, "vms[0].vcpus is 1.5", "a whole number"),
        ({"vms": [{**VM, "devices": ["gpu"]}]}, "vms[0].devices[0] is invalid: 'gpu' is not a PCI address", ""),
        ({"vms": [{**VM, "devices": [{}]}]}, "vms[0].devices[0] is an object", "a PCI address"),
        ({"vms": [{**VM, "state": "stopped"}]}, "vms[0].state is 'stopped'", "one of running"),
        ({"vms": [{**VM, "managed": "yes"}]}, "vms[0].managed is 'yes'", "true or false"),
        ({"taken": "yesterday"}, "taken is 'yesterday'", "2026-11-22T10:00:00Z"),
        ({"taken": 1_795_341_600}, "taken is 1795341600", "2026-11-22T10:00:00Z"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(changes: dict[str, Any], message: str, hint: str) -> None:
    """And with what would be right."""
    with pytest.raises(UnreadableFile) as refused:
        parse(json.dumps(document(**changes)), now=0.0, source="fleet.json")
    assert refused.value.message.startswith(f"fleet.json: {message}")
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON"),
        ('{"format": ', "is not JSON"),
        ("[]", "the document is a list"),
        ("[" * 100_000, "nested too deeply"),
        ('{"taken": NaN}', "NaN is not a JSON number"),
        ('{"taken": -Infinity}', "-Infinity is not a JSON number"),
        ('{"taken": 1e400}', "1e400 is too large"),
        ('{"taken": ' + "9" * 5000 + "}", "is not JSON"),
    ],
)
def test_what_is_no_json_is_refused(text: str, problem: str) -> None:
    """Never with an error of the parser's own."""
    with pytest.raises(UnreadableFile, match=problem):
        parse(text, now=0.0)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """One that is missing, a folder, and one that is no text."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe{")
    for path, problem in ((tmp_path / "none", "No such file"), (tmp_path, "folder"), (binary, "UTF-8")):
        with pytest.raises(UnreadableFile, match=problem):
            load_file(path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Editors of another system write one."""
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(document()), encoding="utf-8-sig")
    assert load_file(path) == read()


def test_a_fleet_is_written_in_whole(tmp_path: Path) -> None:
    """Over an older file and through a link, leaving nothing beside it."""
    path, link = tmp_path / "fleet.json", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path)
    hosts = fleet(snapshot("h", vm("h", "web\n[/x]\N{SNOWMAN}")))
    write_file(link, hosts, CONFIGURATION)
    assert load_file(path) == hosts
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["fleet.json", "link"]
    assert link.is_symlink()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(UnwritableFile, match="No such file"):
        write_file(tmp_path / "none" / "fleet.json", fleet(), CONFIGURATION)
