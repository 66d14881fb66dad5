"""A program that creates a VM and is killed at a step: `killed.py CONFIGURATION REGISTRY STEP[:NUMBER]`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from core.config.reader import load
from core.driver.vms.domain_kind import Virtualization
from core.operations.session import Session
from core.operations.vms.create import create_vm
from core.operations.vms.spec import NewDrive, Order
from core.registry.hosts import HostRegistry
from tests.operations.scheduling.racer import die_before

if __name__ == "__main__":
    name, _, number = sys.argv[3].partition(":")
    die_before(name, int(number or 1))
    session = Session(load(Path(sys.argv[1])), registry=HostRegistry(Path(sys.argv[2])))
    order = Order(
        name="web",
        brick="lab-guest",
        vcpus=1,
        memory_bytes=96 * 2**20,
        realm="lab",
        drives=(NewDrive(16 * 2**20),),
        virtualization=Virtualization.QEMU,
    )
    task = session.tasks.run("create", "web", lambda control: create_vm(session, control, order))
    task.outcome.result()
