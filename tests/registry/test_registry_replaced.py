"""A file or lock that is replaced under a running transaction: the change is done again on what is there then."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from core.clock import FixedClock
from core.errors import RegistryReplaced, UnknownHost
from core.hosts import HostState
from core.registry.hosts import ATTEMPTS, HostRegistry
from tests.driver.worlds import LONG
from tests.registry.processes import start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def lock_of(registry: HostRegistry) -> Path:
    """Return the lock file of a registry."""
    return registry.path.with_name(f"{registry.path.name}.lock")


def another(registry: HostRegistry) -> HostRegistry:
    """Return the same registry as another program has it, which does not wait for long."""
    return HostRegistry(registry.path, FixedClock(), lock_deadline=0.1)


def delete_lock(registry: HostRegistry) -> None:
    """Delete the lock: another program takes a new one at once, and writes."""
    lock_of(registry).unlink()
    another(registry).set_state("h1", HostState.DISABLED)


def replace_lock(registry: HostRegistry) -> None:
    """Put another file in the lock's place."""
    fresh = registry.path.with_name("another.lock")
    fresh.touch()
    fresh.replace(lock_of(registry))
    another(registry).set_state("h1", HostState.DISABLED)


def copy_back(registry: HostRegistry) -> None:
    """Copy a former content over the file, as an administrator does without a lock; `cp -p` keeps the time."""
    shutil.copy2(registry.path.with_name("registry.json.1"), registry.path)


def rename_back(registry: HostRegistry) -> None:
    """Move a former content into the file's place."""
    registry.path.with_name("registry.json.1").replace(registry.path)


def edit_in_place(registry: HostRegistry) -> None:
    """Edit the file with an editor that gives it its size and time back."""
    before = registry.path.stat()
    content = registry.path.read_bytes()
    registry.path.write_bytes(content.replace(b'"h2.example', b'"h9.example').replace(b"@h2.", b"@h9."))
    os.utime(registry.path, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert registry.path.stat().st_size == before.st_size


def remove_file(registry: HostRegistry) -> None:
    """Remove the file: it holds nothing then."""
    registry.path.unlink()
    for number in (1, 2, 3):
        registry.path.with_name(f"registry.json.{number}").unlink(missing_ok=True)


def touch(registry: HostRegistry) -> None:
    """Write the same content again, later: whoever did so meant it."""
    registry.path.write_bytes(registry.path.read_bytes())
    os.utime(registry.path, ns=(1, 1))


EVENTS = [delete_lock, replace_lock, copy_back, rename_back, edit_in_place, touch]


@pytest.fixture
def with_hosts(registry, configuration, host):
    """Register three hosts, the last of which is not in the newest copy."""
    for name in ("h1", "h2", "h3"):
        registry.add(host(name), configuration)
    return registry


@pytest.mark.parametrize("event", EVENTS)
def test_a_change_is_done_again_on_what_is_there(with_hosts, configuration, host, event: Callable[..., None]):
    """Nothing that was acknowledged is lost: neither the other's write nor this one, and nothing is merged."""
    seen: list[tuple[str, ...]] = []

    def work(changes):
        seen.append(tuple(each.name for each in changes.hosts))
        if len(seen) == 1:
            event(with_hosts)
            expected.extend(with_hosts.hosts())
        changes.add(host("new"), configuration)

    expected: list[object] = []
    with_hosts.change(work)
    assert len(seen) == 2
    assert seen[1] == tuple(each.name for each in expected)
    now = with_hosts.hosts()
    assert [*now[:-1]] == expected
    assert now[-1].name == "new"
    numbers = [each.version for each in now]
    assert len(set(numbers)) == len(numbers)
    assert not list(with_hosts.path.parent.glob(".registry.json.*"))


@pytest.mark.parametrize("event", [*EVENTS, remove_file])
def test_a_single_transaction_writes_nothing_then(with_hosts, event):
    """It says so, and what is there is as the other has left it."""
    with pytest.raises(RegistryReplaced), with_hosts.transaction() as changes:  # noqa: PT012 - raised at its end
        event(with_hosts)
        content = with_hosts.path.read_bytes() if with_hosts.path.exists() else None
        changes.set_state("h2", HostState.NO_SCHEDULING)
    assert (with_hosts.path.read_bytes() if with_hosts.path.exists() else None) == content


def test_a_file_that_appears_is_not_overwritten(registry, configuration, host):
    """Nobody had written to it when the transaction began."""
    with pytest.raises(RegistryReplaced), registry.transaction() as changes:  # noqa: PT012 - raised at its end
        changes.add(host("mine"), configuration)
        lock_of(registry).unlink()
        another(registry).add(host("theirs"), configuration)
    assert [each.name for each in registry.hosts()] == ["theirs"]


def test_a_change_made_on_other_contents_is_judged_by_those(with_hosts):
    """The host to be changed is not in the copy that was put back."""
    done: list[int] = []

    def work(changes):
        if not done:
            copy_back(with_hosts)
        done.append(1)
        return changes.set_state("h3", HostState.DISABLED)

    with pytest.raises(UnknownHost):
        with_hosts.change(work)
    assert [each.name for each in with_hosts.hosts()] == ["h1", "h2"]


def test_a_file_that_is_replaced_without_end_is_an_error(with_hosts):
    """After so many attempts, with nothing changed."""
    attempts: list[int] = []

    def work(changes):
        attempts.append(1)
        touch(with_hosts)
        os.utime(with_hosts.path, ns=(len(attempts), len(attempts)))
        return changes.set_state("h1", HostState.DISABLED)

    with pytest.raises(RegistryReplaced) as refusal:
        with_hosts.change(work)
    assert len(attempts) == ATTEMPTS
    assert "nothing was changed" in refusal.value.hint
    assert with_hosts.host("h1").state is HostState.ENABLED


def test_processes_lose_no_host_while_their_lock_is_deleted_at_each_change(registry):
    """Each acknowledged host is there: each of three processes takes the lock's name away in each change."""
    processes = [start("grow", registry.path, str(number), "50") for number in range(3)]
    outcomes = [(*process.communicate(timeout=LONG), process.returncode) for process in processes]
    assert [(error, code) for _, error, code in outcomes] == [("", 0)] * len(processes)
    acknowledged = {name for output, _, _ in outcomes for name in output.split()}
    assert acknowledged - {each.name for each in registry.hosts()} == set()
