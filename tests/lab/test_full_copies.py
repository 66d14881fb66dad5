"""VMs made by a full copy of a brick, on a real host that is slow at it: progress, and what cancelling leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.driver.storage.volumes import PoolBusy
from core.driver.vms.domain_kind import Virtualization
from core.operations.recovery import recover, survey
from core.operations.storage.volume_copy import CopyGoesOn
from core.operations.vms.cleanup import CleanupAction
from core.operations.vms.create import create_vm
from core.operations.vms.spec import Order

from .parts.administrator import Admin, copying_held, left_in
from .parts.waiting import eventually

if TYPE_CHECKING:
    from core.operations.tasks.task import Task

    from .parts.lab import Lab

MIB = 2**20


ORDER = Order(name="web", brick="lab-guest", vcpus=1, memory_bytes=96 * MIB, realm="lab", host="h1", full_copy=True,
              wait=False, virtualization=Virtualization.QEMU)  # fmt: skip


def begin(admin: Admin) -> Task[Any]:
    """Begin to create a VM by a full copy of a brick."""
    return admin.begin(lambda control: create_vm(admin.session, control, ORDER))


def test_a_copy_tells_how_far_it_is(admin: Admin, lab: Lab) -> None:
    """In bytes of what the brick takes."""
    size = int(lab.hosts[0].run("stat", "--format", "%b", f"{lab.shared}/bricks/lab-guest.qcow2")) * 512
    with copying_held(lab.hosts[0]) as held:
        task = begin(admin)
        held()
        assert eventually(lambda: (step := admin.step("make copy")) and step.total, "progress") == size
    assert task.outcome.result(120).name == "web"
    assert admin.step("make copy").fraction == 1.0


def test_a_creation_cancelled_in_its_copy_ends_at_once_and_is_tidied_up_when_that_is_done(
    admin: Admin, lab: Lab
) -> None:
    """Until then the journal has it; who recovers too early is told."""
    with copying_held(lab.hosts[0]) as held:
        task = begin(admin)
        held()
        task.cancel()
        with pytest.raises(CopyGoesOn, match="libvirt cannot interrupt a copy: h1 continues to create ticrypt-vm/web-"):
            task.outcome.result(20)
        assert any("realms vms recover" in warning for warning in task.view.warnings)
        (left,) = survey(admin.session)
        assert (left.plan, left.domain) == (CleanupAction.REMOVE, "missing")
        with pytest.raises(PoolBusy):
            admin.do(lambda control: recover(admin.session, control, left))
    eventually(lambda: left_in(lab, "vm") == [], "the end of the copy")
    eventually(lambda: survey(admin.session) == (), "nothing left")
    assert admin.session.require_writable().reservations() == ()
    assert lab.hosts[0].virsh("list", "--all", "--name").split() == []
