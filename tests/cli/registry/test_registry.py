"""`realms registry`: a damaged file is described and put back."""

from __future__ import annotations

import json

import pytest

from core.config.reader import load
from core.hosts import Host, HostState
from core.registry.hosts import HostRegistry


def registered(places):
    """Register two hosts in the folder's registry."""
    registry = HostRegistry(places / "registry.json")
    configuration = load(places / "ticrypt-vm.conf")
    realm, profile = next(iter(configuration.realms)), next(iter(configuration.hardware_profiles))
    for name in ("n1", "n2"):
        uri = f"qemu+ssh://root@{name}/system"
        registry.add(Host(name=name, realm=realm, uri=uri, profile=profile), configuration)
    return registry


def test_check_describes_the_file_and_its_copies(places, run):
    """With the exit code of a damaged file, and no configuration."""
    registry = registered(places)
    (places / "ticrypt-vm.conf").unlink()
    assert run("registry", "check").code == 0
    registry.path.write_text(registry.path.read_text()[:-40])
    answer = run("registry", "check", "--json")
    document = json.loads(answer.out)
    assert (answer.code, document["state"], document["hosts"]) == (1, "damaged", ["n1"])
    assert [copy["state"] for copy in document["copies"]] == ["good"]
    assert "registry restore" in document["hint"]


def test_restore_puts_a_copy_back_and_keeps_the_damaged_file(places, run):
    """It is what the error of every other command names."""
    registry = registered(places)
    registry.path.write_text("{")
    assert "registry restore" in run("hosts", "list").err
    assert run("--read-only", "registry", "restore").code == 2
    assert run("registry", "restore", "--salvaged", "registry.json.1").code == 2
    assert run("registry", "restore", "--yes").code == 0
    assert [host.name for host in registry.hosts()] == ["n1"]
    assert (places / "registry.json.damaged").read_text() == "{"


def test_a_saved_fleet_has_no_registry(places, run):
    """It says so instead of checking another file."""
    assert run("--fleet", "fleet.json", "registry", "check").code == 2


def test_an_export_is_imported_into_another_registry(places, run):
    """All or none: and what is the same stays without --overwrite."""
    registry = registered(places)
    assert run("registry", "export", "hosts.json").code == 0
    document = json.loads((places / "hosts.json").read_text())
    assert document["format"] == "realms-registry-export/1"
    assert json.loads(run("registry", "export").out)["hosts"] == document["hosts"]
    assert (places / "hosts.json").stat().st_mode & 0o777 == 0o600
    other = ["--registry", "other.json"]
    assert run(*other, "registry", "import", "hosts.json").code == 0
    there = HostRegistry(places / "other.json")
    assert [host.name for host in there.hosts()] == ["n1", "n2"]
    registry.set_state("n2", HostState.DISABLED)
    registry.remove("n1")
    assert run("registry", "import", "hosts.json").code != 0
    assert [host.name for host in registry.hosts()] == ["n2"]
    assert run("registry", "import", "hosts.json", "--overwrite").code == 0
    assert {host.name: host.state for host in registry.hosts()} == {
        "n1": HostState.ENABLED, "n2": HostState.ENABLED,
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": "realms-registry-export/2", "hosts": []}', '"x"',
     '{"format": "realms-registry-export/1", "hosts": [1]}', '{"format": "realms-registry-export/1", "hosts": [{}]}',
     '{"format": "realms-registry-export/1", "hosts": {}}'],
)  # fmt: skip
def test_what_is_no_export_is_refused(places, run, content):
    """With the place, and nothing imported."""
    (places / "hosts.json").write_text(content)
    answer = run("registry", "import", "hosts.json")
    assert answer.code == 2
    assert "hosts.json" in answer.err
    assert not (places / "registry.json").exists()
