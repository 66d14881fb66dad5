"""Programs that are killed while they make a VM, hosts that go meanwhile, and programs that work at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.operations.recovery import recover, survey
from core.operations.tasks.journal import Journal
from core.operations.vms.cleanup import CleanupAction
from core.operations.vms.create import create_vm
from core.operations.vms.guest_registration import NotRegistered

from .parts.vms import Realm, order
from .parts.waiting import eventually

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


KILLER = Path(__file__).parent / "parts" / "killed.py"


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("step", "plan"),
    [
        ("reserve", CleanupAction.FORGET),
        ("volume:1", CleanupAction.REMOVE),
        ("volume:2", CleanupAction.REMOVE),
        ("define", CleanupAction.REMOVE),
        ("start", CleanupAction.REMOVE),
        ("register", CleanupAction.COMPLETE),
        ("finish", CleanupAction.COMPLETE),
    ],
)
def test_a_program_killed_at_any_step_leaves_nothing_that_is_not_told(
    realm: Realm, step: str, plan: CleanupAction
) -> None:
    """What was half made is removed; a VM that runs and registers is kept."""
    kill_at(realm, step)
    (left,) = survey(realm.session)
    assert left.record.vm == "web"
    assert realm.task(lambda control: recover(realm.session, control, left)) is plan
    assert survey(realm.session) == ()
    if plan is CleanupAction.COMPLETE:
        assert "pending" not in next(host for host in realm.lab.hosts if host.name == left.host).virsh("dumpxml", "web")
        assert realm.target("web").vm.active
    else:
        realm.assert_nothing_is_left()


def kill_at(realm: Realm, step: str) -> None:
    """Have another program create a VM, and be killed once it has written down that it is about to take a step."""
    done = subprocess.run(
        [sys.executable, str(KILLER), str(realm.configuration), str(realm.registry), step],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_host_that_is_cut_off_in_the_midst_is_cleaned_up_when_it_is_back(realm: Realm) -> None:
    """What could not be undone stays in the journal, and the administrator is told."""
    realm.session.close()
    realm.session = realm.open(timeout=8.0)
    host = realm.lab.hosts[0]
    task = realm.session.tasks.run(
        "create", "web", lambda control: create_vm(realm.session, control, order("web", host="h1"))
    )
    eventually(lambda: any(step.what.startswith("wait") for step in task.view.steps), "the start of the VM")
    host.cut()
    try:
        with pytest.raises(NotRegistered):
            task.outcome.result(120)
    finally:
        host.join()
    assert any("left behind" in warning for warning in task.view.warnings)
    assert host.guest_state("web") == "running"
    eventually(lambda: realm.session.fleet().hosts[0].connection == "connected", "h1", 60)
    (left,) = survey(realm.session)
    realm.task(lambda control: recover(realm.session, control, left))
    assert Journal(realm.registry, realm.session.clock).records() == ()


@pytest.mark.timeout(300)
def test_programs_that_create_at_once_never_overbook_a_real_host(realm: Realm) -> None:
    """Room for two VMs of 2 GiB on each of three hosts, and eight programs that want one: six get it."""
    command = [
        str(Path(sys.executable).with_name("realms")), "vms", "create", "--brick", "lab-guest", "--vcpus", "1",
        "--memory", "2 GiB", "--virtualization", "qemu", "--no-wait", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "REALMS_CONFIG": str(realm.configuration), "REALMS_REGISTRY": str(realm.registry)}
    programs = [
        subprocess.Popen([*command, f"vm{number}"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in range(8)
    ]
    told = [json.loads(program.communicate(timeout=240)[0]) for program in programs]
    assert [each["created"] for each in told].count(True) == 6
    assert {program.returncode for program in programs} == {0, 1}
    for host in realm.lab.hosts:
        running = host.virsh("list", "--name").split()
        memory = [int(host.virsh("dominfo", name).partition("Max memory:")[2].split()[0]) for name in running]
        assert memory == [2 * 1024 * 1024] * 2
    assert realm.files("vm") == {each["boot_volume"] for each in told if each["created"]}
