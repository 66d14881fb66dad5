"""VMs of the program on the hosts of the lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.config.reader import load
from core.driver.vms.domain_kind import Virtualization
from core.operations.session import Session
from core.operations.vms.create import create_vm
from core.operations.vms.power import Action, act
from core.operations.vms.spec import Order
from core.operations.vms.target import find_targets
from core.registry.hosts import HostRegistry

from .realm import write_configuration, write_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from core.operations.tasks.task import Control
    from core.operations.vms.target import Target

    from .lab import Lab

    T = TypeVar("T")


MIB = 2**20


class Realm:
    """The lab as a realm, worked on by the program's own operations."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.configuration = write_configuration(folder)
        self.registry = folder / "registry.json"
        write_registry(lab, self.configuration, self.registry)
        self.session = self.open()

    def open(self, *, timeout: float = 120.0) -> Session:
        """Open the realm as another program would; VMs have so many seconds to register."""
        understood = load(self.configuration)
        realm = replace(understood.realms["lab"], registration_timeout=timeout, poll_frequency=1.0)
        return Session(replace(understood, realms={"lab": realm}), registry=HostRegistry(self.registry))

    def task(self, job: Callable[[Control], T], seconds: float = 240.0) -> T:
        """Run a job as a task; raises what it raised."""
        return self.session.tasks.run("test", "vm", job).outcome.result(seconds)

    def create(self, name: str, **more: Any) -> Any:
        """Create a small VM."""
        return self.task(lambda control: create_vm(self.session, control, order(name, **more)))

    def target(self, name: str, *, foreign: bool = False) -> Target:
        """Find a VM."""
        (target,) = find_targets(self.session, [name], foreign=foreign, timeout=30.0)
        return target

    def act(self, name: str, action: Action) -> None:
        """Do something to a VM."""
        self.task(lambda control: act(self.session, control, self.target(name), action))

    def files(self, folder: str) -> set[str]:
        """Return what lies in a folder of the shared storage."""
        return {path.name for path in (self.lab.shared_from_outside / folder).iterdir()}

    def names(self) -> dict[str, set[str]]:
        """Return the domains of each host."""
        return {host.name: set(host.virsh("list", "--all", "--name").split()) for host in self.lab.hosts}

    def assert_nothing_is_left(self) -> None:
        """No domain, no volume, no reservation, no journal."""
        assert self.names() == {host.name: set() for host in self.lab.hosts}
        assert self.files("vm") == self.files("drives") == set()
        assert HostRegistry(self.registry).reservations() == ()
        assert list((self.folder / "registry.journal").iterdir()) == []


def order(name: str, **more: Any) -> Order:
    """Order a small VM, without acceleration: guests crawl in nested virtualization."""
    facts = {"brick": "lab-guest", "vcpus": 1, "memory_bytes": 96 * MIB, "virtualization": Virtualization.QEMU}
    return Order(name=name, realm="lab", **(facts | more))


@pytest.fixture
def realm(lab: Lab, tmp_path: Path) -> Iterator[Realm]:
    """Make a realm of the lab's hosts, without VMs and drives before and after."""
    made = Realm(lab, tmp_path)
    yield made
    made.session.close()
    lab.mend()
    for folder in ("vm", "drives"):
        for name in made.files(folder):
            lab.hosts[0].run("rm", "-f", str(lab.shared / folder / name))
