"""A damaged registry: what can be read of it, and how it is put back under its lock."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from core.errors import RegistryBusy, UnreadableFile
from core.hosts import HostState
from core.registry.rescue import FileState, inspect, restore
from core.reservations import Reservation
from tests.driver.worlds import LONG
from tests.lock_holder import holding

HELD = Reservation(uuid="u1", vm="web", host="h1", vcpus=1, memory_bytes=2**30, owner="ann", expires_at=4e9)


@pytest.fixture
def with_hosts(registry, configuration, host):
    """Register three hosts and reserve one VM."""
    for name in ("h1", "h2", "h3"):
        registry.add(host(name), configuration)
    registry.change(lambda changes: changes.reserve(HELD))
    return registry


def names(registry):
    """Name the hosts."""
    return [each.name for each in registry.hosts()]


def test_a_good_file_and_no_file_are_told_apart(with_hosts, tmp_path):
    """Both are right."""
    found = inspect(with_hosts.path)
    assert found.state is FileState.GOOD
    assert [each.name for each in found.hosts.values()] == ["h1", "h2", "h3"]
    assert (found.lost, found.message) == ((), "")
    assert inspect(tmp_path / "none").state is FileState.ABSENT
    assert inspect(tmp_path).state is FileState.UNREADABLE


def test_of_a_file_cut_off_anywhere_whole_documents_are_found(with_hosts):
    """At every length: never more than was there, never an exception, and all hosts before the cut."""
    content = with_hosts.path.read_bytes()
    whole = inspect(with_hosts.path)
    most = 0
    for length in range(0, len(content), 7):
        with_hosts.path.write_bytes(content[:length])
        found = inspect(with_hosts.path)
        assert set(found.hosts.items()) <= set(whole.hosts.items())
        assert set(found.reservations.items()) <= set(whole.reservations.items())
        assert len(found.hosts) >= most
        most = len(found.hosts)
    assert most == 3


@pytest.mark.parametrize("damage", ["wrong", "missing", "twice", "garbage"])
def test_what_is_lost_is_named_and_the_rest_is_kept(with_hosts, damage):
    """One host of three is damaged; salvaging keeps the two, the reservation, and the file as it was."""
    tables = json.loads(with_hosts.path.read_text())
    second = tables["hosts"]["2"]
    if damage == "wrong":
        second["state"] = "broken"
    elif damage == "missing":
        del second["uri"]
    elif damage == "twice":
        second["name"] = "h1"
    text = json.dumps(tables)
    if damage == "garbage":
        text = text.replace('"name": "h2"', '"name": \0\0')
    with_hosts.path.write_text(text)
    found = inspect(with_hosts.path)
    assert found.state is FileState.DAMAGED
    assert [each.name for each in found.hosts.values()] == ["h1", "h3"]
    if damage != "garbage":
        assert [lost.startswith("host 2") for lost in found.lost] == [True]
    restored = restore(with_hosts.path, with_hosts.path)
    assert restored.aside is not None
    assert restored.aside.read_text() == text
    assert names(with_hosts) == ["h1", "h3"]
    assert [each.uuid for each in with_hosts.reservations()] == ["u1"]


def test_restoring_takes_the_newest_good_copy_and_keeps_the_copies(with_hosts):
    """The damaged file pushes none of them out."""
    copies = [with_hosts.path.with_name(f"registry.json.{number}") for number in (1, 2)]
    copies[0].write_text("{")
    before = copies[1].read_bytes()
    with_hosts.path.write_text("nothing of it")
    restored = restore(with_hosts.path, None)
    assert restored.source.path == copies[1]
    assert names(with_hosts) == [each.name for each in inspect(copies[1]).hosts.values()]
    assert copies[1].read_bytes() == before
    assert not list(with_hosts.path.parent.glob(".registry.json*"))


def test_a_good_file_is_kept_as_the_newest_copy_and_so_are_its_reservations(with_hosts):
    """Whoever restores by mistake restores the other way; programs go on with what they have reserved."""
    restored = restore(with_hosts.path, with_hosts.path.with_name("registry.json.1"))
    assert restored.aside is None
    assert names(with_hosts) == ["h1", "h2"]
    assert [each.uuid for each in with_hosts.reservations()] == ["u1"]
    restore(with_hosts.path, None)
    assert names(with_hosts) == ["h1", "h2", "h3"]


@pytest.mark.parametrize("damaged", [False, True])
def test_no_version_is_given_twice_after_a_restore(with_hosts, configuration, damaged):
    """An edit that is based on what was there before the restore is refused."""
    old = with_hosts.host("h1")
    with_hosts.set_state("h1", HostState.DISABLED)
    remembered = with_hosts.host("h1")
    with_hosts.set_state("h2", HostState.DISABLED)
    if damaged:
        with_hosts.path.write_text("{}")
    restore(with_hosts.path, with_hosts.path.with_name("registry.json.2"))
    assert with_hosts.host("h1").version == old.version
    with_hosts.set_state("h1", HostState.NO_SCHEDULING)
    assert with_hosts.host("h1").version > remembered.version


def test_a_restore_waits_for_the_lock(with_hosts):
    """Another program is in the midst of a change."""
    with_hosts.path.write_text("{")
    lock = with_hosts.path.with_name("registry.json.lock")
    with holding("both", lock), pytest.raises(RegistryBusy):
        restore(with_hosts.path, None, lock_deadline=0.1)
    assert restore(with_hosts.path, None, lock_deadline=LONG).source.hosts


def test_a_change_that_runs_meanwhile_is_done_again_on_what_was_restored(with_hosts):
    """Also where somebody had deleted the lock, so that the restore didn't wait."""
    attempts = []

    def work(changes):
        attempts.append([each.name for each in changes.hosts])
        if len(attempts) == 1:
            with_hosts.path.with_name("registry.json.lock").unlink()
            restore(with_hosts.path, with_hosts.path.with_name("registry.json.1"))
        return changes.set_state("h1", HostState.DISABLED)

    with_hosts.change(work)
    assert attempts == [["h1", "h2", "h3"], ["h1", "h2"]]
    assert next((each.name, each.state) for each in with_hosts.hosts()) == ("h1", HostState.DISABLED)


def test_nothing_is_restored_from_what_is_no_good_copy(with_hosts, tmp_path):
    """Or over a file of a newer program."""
    before = with_hosts.path.read_bytes()
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    for source in (bad, tmp_path / "none", tmp_path):
        with pytest.raises(UnreadableFile, match="nothing was restored"):
            restore(with_hosts.path, source)
    assert with_hosts.path.read_bytes() == before
    with_hosts.path.write_bytes(before.replace(b"registry/1", b"registry/999"))
    assert inspect(with_hosts.path).state is FileState.NEWER
    with pytest.raises(UnreadableFile, match="newer"):
        restore(with_hosts.path, None)


def test_a_registry_without_any_copy_says_what_is_left_to_do(registry, configuration, host):
    """The hint of the error leads to what can be saved."""
    registry.add(host("h1"), configuration)
    tables = json.loads(registry.path.read_text())
    tables["reservations"] = {"7": {}}
    registry.path.write_text(json.dumps(tables))
    with pytest.raises(UnreadableFile) as refusal:
        registry.hosts()
    assert "registry restore --salvaged" in refusal.value.hint
    with pytest.raises(UnreadableFile, match="no good copy"):
        restore(registry.path, None)
    restore(registry.path, registry.path)
    assert names(registry) == ["h1"]
    shutil.copy2(registry.path, registry.path.with_name("kept"))
    assert inspect(registry.path.with_name("kept")).hosts == replace(inspect(registry.path)).hosts
