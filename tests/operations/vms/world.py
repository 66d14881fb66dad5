"""A realm of hosts of libvirt's test driver, with a brick, a real registry, and a door that VMs answer at."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from core.clock import SystemClock
from core.config.reader import load
from core.driver.storage.volumes import NewVolume, create_volume
from core.hosts import Host, StaticAddress
from core.operations.session import Session
from core.operations.tasks.journal import Journal
from core.operations.vms.create import create_vm
from core.operations.vms.spec import Order
from core.operations.vms.target import find_targets
from core.registry.hosts import HostRegistry
from tests.driver.worlds import LONG, Guest, guest_xml, write_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeVar

    from core.config.model import Configuration
    from core.operations.tasks.task import Control, TaskView
    from core.operations.vms.create import Created
    from core.operations.vms.target import Target

    T = TypeVar("T")

MIB, GIB = 2**20, 2**30
POOLS = ("ticrypt-vm", "ticrypt-vm-drives", "ticrypt-bricks", "ticrypt-vm-snapshots")
UUID = "11111111-2222-4333-8444-555555555555"
GPUS = ("0000:41:00.0", "0000:42:00.0")

CONFIGURATION = """
ticrypt.vm {{
  cost-functions {{
    f {{
      vms {{ curve: linear, slope: 1, base: 0 }}
      vcpus {{ curve: linear, slope: 0, base: 0, max: 64 }}
      memory {{ curve: hard-soft, soft: 8 GiB, hard: 16 GiB }}
      devices.gpu {{ curve: linear, slope: 1, base: 0 }}
    }}
  }}
  hardware-profiles {{
    node {{ cores: 8, memory: 16 GiB, cost-function: f,
           devices: [{{ type: gpu, addr: "{gpus[0]}" }}, {{ type: gpu, addr: "{gpus[1]}" }}] }}
  }}
  realms {{
    main {{ disabled: false, driver: libvirt, name: Main, poll-frequency: {poll}, registration-timeout: {timeout},
           log-scheduling: {log}
           drives {{ lazy-allocation: on, cache: writeback, min-size: 1 MiB, max-size: 1 GiB }} }}
    other {{ disabled: false, driver: libvirt, name: Other, drives {{ lazy-allocation: on }} }}
  }}
}}
"""


class World:
    """Hosts h1, h2, ... of a realm; what is asked of them is done by tasks, as the program does it."""

    def __init__(self, folder: Path, session: Session, hosts: Sequence[Host]) -> None:
        self.folder = folder
        self.session = session
        self.hosts = hosts

    @property
    def registry(self) -> HostRegistry:
        """The registry."""
        return self.session.require_writable()

    def task(self, job: Callable[[Control], T]) -> T:
        """Run a job as a task, and give what came of it; raises what it raised."""
        return self.session.tasks.run("test", "vm", job).outcome.result(LONG * 2)

    def last_task(self) -> TaskView:
        """Return the newest task as it ended."""
        return self.session.tasks.views()[-1]

    def call(self, host: str, what: Callable[..., T]) -> T:
        """Have something done on a host's connection."""
        return self.session.connect().submit(host, what).result(LONG)

    def domains(self, host: str) -> dict[str, str]:
        """Return the XML of all domains of a host, by name."""
        return self.call(
            host, lambda connection: {str(d.name()): str(d.XMLDesc(0)) for d in connection.handle.listAllDomains(0)}
        )

    def volumes(self, host: str) -> set[str]:
        """Return all volumes of a host as POOL/NAME, but the brick."""

        def look(connection):
            pools = connection.handle.listAllStoragePools(0)
            return {f"{pool.name()}/{volume.name()}" for pool in pools for volume in pool.listAllVolumes(0)}

        return self.call(host, look) - {"ticrypt-bricks/debian.qcow2"}

    def journal(self) -> list[Path]:
        """Return the files of the journal."""
        return sorted(self.folder.glob("registry.journal/*"))

    def close(self) -> None:
        """Let go of the hosts."""
        self.session.close()


def configure(folder: Path, *, poll: str, timeout: str, log: str) -> Configuration:
    """Write and read the configuration."""
    path = folder / "ticrypt-vm.conf"
    path.write_text(CONFIGURATION.format(gpus=GPUS, poll=poll, timeout=timeout, log=log))
    return load(path)


def add_brick(node: Path) -> None:
    """Put a brick into the bricks pool of a host's file."""
    tree = ET.parse(node)  # noqa: S314 - written by a test
    for pool in tree.getroot().iterfind("pool"):
        if pool.findtext("name") == "ticrypt-bricks":
            volume = ET.SubElement(pool, "volume")
            ET.SubElement(volume, "name").text = "debian.qcow2"
            ET.SubElement(volume, "capacity").text = str(64 * MIB)
            ET.SubElement(ET.SubElement(volume, "target"), "format", {"type": "qcow2"})
    tree.write(node)


@contextlib.contextmanager
def world(
    folder: Path,
    *,
    hosts: int = 2,
    guests: Sequence[Sequence[Guest]] = (),
    door: int | None = None,
    poll: str = "500 ms",
    timeout: str = "60 s",
    log: str = "off",
) -> Iterator[World]:
    """Make a realm; `guests` are those of each host, `door` the base port at which VMs answer on this machine."""
    configuration = configure(folder, poll=poll, timeout=timeout, log=log)
    clock = SystemClock()
    registry = HostRegistry(folder / "registry.json", clock)
    described = []
    for number in range(1, hosts + 1):
        node = folder / f"h{number}.xml"
        of_host = guests[number - 1] if number <= len(guests) else ()
        uri = write_node(node, of_host, pools=POOLS)
        add_brick(node)
        # Each host has a loopback address of its own: translations of one address must be far apart.
        static = StaticAddress(f"127.0.0.{number}", door) if door is not None else None
        host = Host(name=f"h{number}", realm="main", uri=uri, profile="node", static_address=static)
        registry.add(host, configuration)
        described.append(host)
    session = Session(configuration, configuration_path=folder / "ticrypt-vm.conf", registry=registry, clock=clock)
    made = World(folder, session, described)
    try:
        yield made
    finally:
        made.close()


def order(name: str = "web", **more: object) -> Order:
    """Order a VM."""
    facts = {"brick": "debian", "vcpus": 2, "memory_bytes": GIB, "realm": "main"} | more
    return Order(name=name, **facts)


@contextlib.contextmanager
def open_door(*, listening: bool = True) -> Iterator[int]:
    """Accept connections at a whole range of ports, as guests do that have come up; gives the base port.

    Not `listening`, the ports are only held, so that every connection to them is refused: nobody else can open them.
    """
    for base in range(20000, 60000, 300):
        held: list[socket.socket] = []
        try:
            for port in range(base, base + 256):
                held.append(socket.socket())
                held[-1].bind(("0.0.0.0", port))  # noqa: S104 - a loopback address for each host
                if listening:
                    held[-1].listen()
        except OSError:
            for door in held:
                door.close()
            continue
        try:
            yield base
        finally:
            for door in held:
                door.close()
        return
    raise AssertionError("no 256 ports in a row are free")


def in_thread(job: Callable[[], object]) -> threading.Thread:
    """Start a job beside the test."""
    thread = threading.Thread(target=job, daemon=True)
    thread.start()
    return thread


def create(realm: World, **more: object) -> Created:
    """Create a VM there."""
    return realm.task(lambda control: create_vm(realm.session, control, order(**more)))


def target(realm: World, name: str, *, foreign: bool = False) -> Target:
    """Find a VM."""
    return find_targets(realm.session, [name], foreign=foreign, timeout=30)[0]


def leave(realm: World, *steps: tuple[str, dict[str, object]], operation: str = "create", **facts: object) -> str:
    """Write what a killed program would have; gives the UUID."""
    entry = Journal(realm.registry.path, realm.session.clock).begin(
        operation, vm="web", uuid=UUID, realm="main", **facts
    )
    for name, more in steps:
        entry.step(name, host="h1", **more)
    entry.leave()
    return UUID


def define(realm: World, uuid: str, *, start: bool = False) -> None:
    """Define the VM that was left, and perhaps start it."""

    def work(connection):
        connection.define(guest_xml(Guest(name="web", uuid=uuid)))
        if start:
            connection.start(uuid)

    realm.call("h1", work)
    realm.session.connect().wait(lambda fleet: any(vm.active is start for vm in fleet.vms()), 20)


def make_volume(realm: World, name: str = "web-11111111.qcow2", pool: str = "ticrypt-vm") -> None:
    """Make a volume that was left."""
    realm.call("h1", lambda connection: create_volume(connection, pool, NewVolume(name=name, capacity=MIB)))
