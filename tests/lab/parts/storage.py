"""Jobs on the lab's storage, and what a test sees of them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from core.clock import SystemClock
from core.config.model import Configuration
from core.operations.session import Session
from core.operations.storage.orphaned_volumes import delete_volume
from core.operations.storage.pools import PoolRequest, set_up_pools
from core.operations.tasks.task import Tasks
from core.realms import DriveSettings, Realm
from tests.driver.worlds import LONG

from .realm import hosts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.operations.storage.pool_report import PoolRole
    from core.operations.tasks.task import Control, TaskView

    from .lab import Lab

MIB = 2**20
REALM = Realm(id="lab", name="Lab", drives=DriveSettings(min_size=MIB, max_size=1024 * MIB))
"""The lab's own pools."""

OTHER = replace(REALM, volumes_pool="other vm", drives_pool="other-drives", bricks_pool="other-bricks",
                snapshots_pool="other-snapshots")  # fmt: skip
"""Pools that no host has."""


@dataclass
class Work:
    """Jobs on a lab, as tasks."""

    lab: Lab
    tasks: Tasks = field(default_factory=lambda: Tasks(SystemClock()))

    @property
    def hosts(self) -> Any:
        """The hosts as they are registered."""
        return hosts_of(self.lab)

    def do(self, job: Callable[[Control], Any]) -> Any:
        """Carry a job out as a task, and give what came of it."""
        return self.tasks.run("test", "", job).outcome.result(LONG * 3)

    def delete(self, role: PoolRole, name: str, *, hosts: Any = None, **options: Any) -> None:
        """Delete a brick, a drive or a volume of REALM."""
        session, asked = Session(Configuration(realms={REALM.id: REALM})), hosts or self.hosts
        self.do(lambda control: delete_volume(session, control, REALM, asked, name=name, role=role, **options))

    @property
    def last(self) -> TaskView:
        """The newest task."""
        return self.tasks.views()[-1]

    def set_up(self, base: str, *, hosts: Any = None, proof: bool = True, **request: Any) -> Any:
        """Set the pools of OTHER up."""
        wanted = PoolRequest(base=base, **request)
        return self.do(lambda control: set_up_pools(control, OTHER, hosts or self.hosts, wanted, proof=proof))

    def pools(self, number: int) -> set[str]:
        """Names of a host's pools, without those of the lab itself."""
        names = {name.strip() for name in self.lab.hosts[number].virsh("pool-list", "--all", "--name").splitlines()}
        return names - set(REALM.pools) - {""}

    def files(self, folder: Path | str) -> list[str]:
        """Everything below a folder of the first host, with the folder."""
        return sorted(self.lab.hosts[0].run("find", str(folder), check=False).split("\n")[:-1])


@pytest.fixture
def work(lab: Lab) -> Iterator[Work]:
    """Return a lab to work on; pools, drives and bricks that a test made go after it."""
    work = Work(lab)
    yield work
    for number, host in enumerate(lab.hosts):
        host.wake()
        for name in work.pools(number):
            host.virsh("pool-destroy", name, check=False)
            host.virsh("pool-undefine", name)
    lab.hosts[0].run(
        "sh", "-c", f"cd {lab.shared}; rm -rf base drives/* vm/*; find bricks -type f ! -name lab-guest.qcow2 -delete"
    )
    for host in lab.hosts:
        host.run("rm", "-rf", "/var/lib/libvirt/private")


@pytest.fixture
def qcow2(tmp_path: Path) -> Path:
    """Make an empty qcow2 image of 8 MiB."""
    path = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "8M"], check=True)
    return path
