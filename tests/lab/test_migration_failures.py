"""VMs on their way between real hosts: called off, and with a side dying midway."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from core.driver.migration.migration import MigrationMode
from core.errors import Cancelled
from core.operations.migration.location import LocationState
from core.operations.migration.outcome import MigrationCancelled, MigrationFailed
from core.operations.recovery import recover, survey
from core.operations.tasks.journal import Journal
from core.operations.tasks.task import Progress
from core.operations.vms.cleanup import CleanupAction

from .parts.guests import Boot
from .parts.migrations import PATIENCE, SLOWLY, Place3, copies, guest, qemu_of, under_way
from .parts.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from core.operations.migration.outcome import Migrated
    from core.operations.tasks.task import Task

    from .parts.lab import Lab


def test_a_cancelled_migration_leaves_the_vm_where_it_was(place: Place3, lab: Lab) -> None:
    """Running, with its room on the target given back and nothing left there."""
    uuid = guest(lab.hosts[0], network=None)
    task = place.start("mover", to="h2", bandwidth=SLOWLY)
    under_way(task)
    task.cancel()
    with pytest.raises(MigrationCancelled, match="is running on h1; h2 doesn't have it"):
        task.outcome.result(PATIENCE)
    assert issubclass(MigrationCancelled, Cancelled)
    assert task.view.warnings == ()  # those are of a VM that has moved
    assert task.view.progress is Progress.CANCELLED
    assert copies(lab, uuid) == {"h1": "running"}
    assert place.reservations() == []
    assert place.journal() == []
    place.move("mover", to="h2")


def test_a_migration_past_its_time_is_called_off(place: Place3, lab: Lab) -> None:
    """It says so, and what might help."""
    uuid = guest(lab.hosts[0], network=None)
    with pytest.raises(MigrationFailed, match="did not end within 5 s; mover is running on h1") as caught:
        place.move("mover", to="h2", bandwidth=SLOWLY, timeout=5.0)
    assert caught.value.hint
    assert copies(lab, uuid) == {"h1": "running"}


def test_a_killed_program_takes_nothing_along(place: Place3, lab: Lab, tmp_path: Path) -> None:
    """Libvirt calls the migration off; the journal and the reservation tell what was under way."""
    uuid = guest(lab.hosts[0], network=None)
    command = [sys.executable, "-m", "tui", "vms", "migrate", "mover", "--to", "h2", "--foreign", "--yes",
               "--bandwidth", str(SLOWLY)]  # fmt: skip
    files = {"REALMS_CONFIG": str(tmp_path / "ticrypt-vm.conf"), "REALMS_REGISTRY": str(tmp_path / "registry.json")}
    with subprocess.Popen(command, env=os.environ | files, stderr=subprocess.DEVNULL) as program:
        eventually(lambda: "paused" in copies(lab, uuid).values(), "its copy on h2")
        program.kill()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source", 60.0)
    assert place.reservations() == [("h2", "mover")]
    assert place.journal() == ["migrate"]
    place.move("mover", to="h3")
    assert copies(lab, uuid) == {"h3": "running"}
    assert (place.reservations(), place.journal()) == ([], [])


def test_what_a_program_killed_between_two_definitions_left_is_recovered(place: Place3, lab: Lab) -> None:
    """A VM that is off, defined on both sides: the source keeps it."""
    first, second, _ = lab.hosts
    uuid = first.define_guest("mover", boot=Boot.NOTHING, network=None)
    second.run("virsh", "define", "/dev/stdin", stdin=first.virsh("dumpxml", "mover"))
    registry = place.session.require_writable()
    entry = Journal(registry.path, place.session.clock).begin(
        "migrate", vm="mover", uuid=uuid, realm="lab", host="h1", target="h2", state="off"
    )
    entry.leave()
    (left,) = survey(place.session)
    assert left.plan is CleanupAction.COMPLETE
    assert "defined on both h1 and h2" in left.message
    task = place.session.tasks.run("recover", "mover", lambda control: recover(place.session, control, left))
    task.outcome.result(PATIENCE)
    assert copies(lab, uuid) == {"h1": "shut off"}
    assert place.journal() == []


@pytest.fixture
def leaving(place: Place3, lab: Lab) -> tuple[Task[Migrated], str]:
    """Return a migration from h1 to h2 with bytes on their way, and the UUID."""
    uuid = guest(lab.hosts[0], network=None)
    task = place.start("mover", to="h2", bandwidth=SLOWLY)
    under_way(task)
    return task, uuid


def failure(task: Task[Migrated]) -> MigrationFailed:
    """Return the failure that a migration ends with."""
    with pytest.raises(MigrationFailed) as caught:
        task.outcome.result(3 * PATIENCE)
    return caught.value


def test_the_targets_qemu_dies(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The VM goes on at its host."""
    task, uuid = leaving
    qemu_of(lab.hosts[1], "mover")
    error = failure(task)
    assert error.whereabouts.place is LocationState.SOURCE
    assert "mover is running on h1" in error.message
    assert copies(lab, uuid) == {"h1": "running"}


def test_the_targets_libvirtd_dies(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The target can't be asked: nobody claims to know; when it is back, there is one copy, at the source."""
    task, uuid = leaving
    lab.hosts[1].crash_libvirtd()
    error = failure(task)
    assert error.whereabouts.place is LocationState.UNKNOWN
    assert "h2 is unreachable" in error.message
    assert "on h1 it is running" in error.message
    assert "don't start it anywhere before h2" in error.hint
    assert place.journal() == ["migrate"]
    lab.hosts[1].start_libvirtd()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source")


def test_the_targets_libvirtd_is_back_at_once(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """As a service that its machine starts again: it can be asked, and the VM is known to run at the source."""
    task, uuid = leaving
    lab.hosts[1].crash_libvirtd()
    lab.hosts[1].start_libvirtd()
    assert failure(task).whereabouts.place is LocationState.SOURCE
    assert copies(lab, uuid) == {"h1": "running"}


def test_the_sources_qemu_dies(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """What it ran is lost; it is off, where it was, and can be started."""
    task, uuid = leaving
    qemu_of(lab.hosts[0], "mover")
    error = failure(task)
    assert error.whereabouts.place is LocationState.OFF_AT_SOURCE
    assert "mover is off, and defined only on h1" in error.message
    assert error.hint == "realms vms start h1/mover"
    assert copies(lab, uuid) == {"h1": "shut off"}


def test_the_sources_libvirtd_dies_and_comes_back(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The guest never noticed."""
    task, uuid = leaving
    lab.hosts[0].crash_libvirtd()
    lab.hosts[0].start_libvirtd()
    error = failure(task)
    assert error.whereabouts.place is LocationState.SOURCE
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source")


def test_the_target_is_cut_off(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """Nobody knows what it has; when it is back, it has nothing, and the VM runs at its host."""
    task, uuid = leaving
    lab.hosts[1].cut()
    error = failure(task)
    assert error.whereabouts.place is LocationState.UNKNOWN
    assert "on h1 it is running" in error.message
    lab.hosts[1].join()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source", 90.0)


def test_the_source_is_cut_off(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The target has nothing of it, so it is where nobody can ask; when that is back, it runs there."""
    task, uuid = leaving
    lab.hosts[0].cut()
    error = failure(task)
    assert error.whereabouts.place is LocationState.UNKNOWN
    assert "h1 is unreachable" in error.message
    assert "h2 doesn't have it" in error.message
    assert "start" in error.hint
    lab.hosts[0].join()
    eventually(lambda: copies(lab, uuid) == {"h1": "running"}, "one copy, at the source", 90.0)


def test_the_source_loses_its_power(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """Nothing runs anywhere; its definition is there when the host is."""
    task, uuid = leaving
    lab.hosts[0].power_cut()
    error = failure(task)
    assert error.whereabouts.place is LocationState.UNKNOWN
    lab.hosts[0].power_on()
    lab.hosts[0].wait_until_ready()
    eventually(lambda: copies(lab, uuid) == {"h1": "shut off"}, "the definition at the source alone")


def test_the_target_loses_its_power(place: Place3, lab: Lab, leaving: tuple[Task[Migrated], str]) -> None:
    """The VM goes on at its host."""
    task, uuid = leaving
    lab.hosts[1].power_cut()
    error = failure(task)
    assert error.whereabouts.place is LocationState.UNKNOWN
    assert copies(lab, uuid) == {"h1": "running"}
    lab.hosts[1].power_on()
    lab.hosts[1].wait_until_ready()
    assert copies(lab, uuid) == {"h1": "running"}


@pytest.mark.parametrize("mode", [MigrationMode.CLIENT, MigrationMode.P2P])
def test_a_target_that_hangs_at_the_handover_never_makes_two(place: Place3, lab: Lab, mode: MigrationMode) -> None:
    """It may start the VM as soon as it wakes, so the source keeps it paused; awake, the target has it, alone."""
    first, second, _ = lab.hosts
    uuid = guest(first, network=None)
    task = place.start("mover", to="h2", bandwidth=10, mode=mode)
    eventually(lambda: any(step.done > 20_000_000 for step in task.view.steps), "a third of it")
    second.hang()
    try:
        error = failure(task)
        assert error.whereabouts.place is LocationState.UNKNOWN
        assert "on h1 it is paused, h2 is unreachable" in error.message
        assert "h2 may run it" in error.hint
        assert first.guest_state("mover") == "paused"
    finally:
        second.wake()
    left = eventually(
        lambda: next((each for each in survey(place.session) if each.plan is CleanupAction.COMPLETE), None),
        "both sides settled",
    )
    recovery = place.session.tasks.run("recover", "mover", lambda control: recover(place.session, control, left))
    recovery.outcome.result(PATIENCE)
    assert list(copies(lab, uuid).values()) == ["running"]
