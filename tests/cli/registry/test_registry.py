"""`realms registry`: a damaged file is described and put back."""

from __future__ import annotations

import json

from core.config.reader import load
from core.hosts import Host
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
