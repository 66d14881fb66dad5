"""A registry on storage whose locks exclude nobody, or nobody of other machines, is not changed unasked."""

from __future__ import annotations

import json

import pytest

from core import filesystems, locks
from core.errors import UnwritableFile
from core.registry.hosts import HostRegistry
from core.registry.rescue import restore


@pytest.fixture(params=["absent", "local"])
def doubtful(request, monkeypatch):
    """Make locks that have no effect, or a file system that keeps them for each machine."""
    if request.param == "absent":
        monkeypatch.setattr(locks.fcntl, "flock", lambda *_: None)
        monkeypatch.setattr(locks, "_lock_description", lambda *_: None)
    else:
        monkeypatch.setattr(filesystems, "statfs", lambda _: 0x19830326)
    return request.param


@pytest.mark.usefixtures("doubtful")
def test_a_change_is_refused_and_names_the_way_out(registry, configuration, host):
    """Nothing is written; reading needs no lock."""
    with pytest.raises(UnwritableFile) as refusal:
        registry.add(host("h1"), configuration)
    assert "--trust-locks" in refusal.value.hint
    assert not registry.path.exists()
    assert registry.hosts() == ()


@pytest.mark.usefixtures("doubtful")
def test_trust_is_recorded_with_the_registry(registry, clock, configuration, host):
    """Said once, it holds for every program, and survives a restore."""
    HostRegistry(registry.path, clock, trust_locks=True).add(host("h1"), configuration)
    registry.add(host("h2"), configuration)
    restore(registry.path, registry.path.with_name("registry.json.1"))
    registry.add(host("h3"), configuration)
    assert [each.name for each in registry.hosts()] == ["h1", "h3"]
    tables = json.loads(registry.path.read_text())
    assert tables["registry"]["1"]["trusted_locks"]


def test_trust_holds_for_one_kind_of_storage(registry, clock, configuration, host, monkeypatch):
    """Moved to another whose locks are local, the registry asks anew."""
    with monkeypatch.context() as mounted:
        mounted.setattr(filesystems, "statfs", lambda _: 0x19830326)
        HostRegistry(registry.path, clock, trust_locks=True).add(host("h1"), configuration)
    registry.add(host("h2"), configuration)
    monkeypatch.setattr(filesystems, "statfs", lambda _: 0x47504653)
    with pytest.raises(UnwritableFile, match="GPFS"):
        HostRegistry(registry.path, clock).add(host("h3"), configuration)


def test_nothing_is_recorded_where_locks_are_good(registry, clock, configuration, host):
    """The option says nothing there."""
    HostRegistry(registry.path, clock, trust_locks=True).add(host("h1"), configuration)
    assert "trusted_locks" not in registry.path.read_text()
