"""A world that stands still: eight hosts and their VMs made by hand, a real registry, a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from core.clock import FixedClock
from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import Constant, HardSoft, Linear
from core.errors import HostUnreachable
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, PoolState, VMState
from core.hardware import Device, HardwareProfile, PciAddress
from core.hosts import Host, HostState, StaticAddress
from core.operations.session import Session
from core.realms import Realm
from core.registry.hosts import HostRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GIB = 1024**3
NOW = FixedClock().now()

CPU = CostFunction(
    id="cpu",
    name="cpu",
    vms=Linear(slope=1.0, base=0.0),
    vcpus=HardSoft(soft=96, hard=192, soft_amt=24, hard_amt=96),
    memory=HardSoft(soft=768 * GIB, hard=900 * GIB, soft_amt=20, hard_amt=60),
)
GPU = CostFunction(
    id="a100",
    name="a100",
    vms=Linear(slope=1.0, base=0.0),
    vcpus=HardSoft(soft=96, hard=192, soft_amt=36, hard_amt=96),
    memory=HardSoft(soft=768 * GIB, hard=900 * GIB, soft_amt=28, hard_amt=60),
    devices={"a100": Constant(value=0.0)},
    offset=100_000.0,
)
GPUS = tuple(Device("a100", PciAddress.parse(f"{bus}:00.0")) for bus in ("41", "61", "81", "a1"))
CONFIGURATION = Configuration(
    cost_functions={"cpu": CPU, "a100": GPU},
    hardware_profiles={
        "cpu-node": HardwareProfile(id="cpu-node", name="CPU", cores=128, memory_bytes=900 * GIB, cost_function="cpu"),
        "a100-node": HardwareProfile(
            id="a100-node", name="A100", cores=128, memory_bytes=900 * GIB, cost_function="a100", devices=GPUS
        ),
    },
    realms={"main": Realm(id="main", name="Main")},
)

_WHEN_ADDED = replace(
    CONFIGURATION,
    hardware_profiles={
        **CONFIGURATION.hardware_profiles,
        "l40s-node": HardwareProfile(
            id="l40s-node", name="L40S", cores=64, memory_bytes=512 * GIB, cost_function="cpu"
        ),
    },
)
"""The configuration as it was when the hosts were added: a profile has been removed since."""

POOLS = dict.fromkeys(CONFIGURATION.realms["main"].pools, PoolState.ACTIVE)


def host(name: str, profile: str = "cpu-node", state: HostState = HostState.ENABLED, **more: object) -> Host:
    """Describe a host of the realm."""
    uri = more.pop("uri", f"qemu+ssh://root@{name}/system")
    return Host(name=name, realm="main", uri=str(uri), profile=profile, state=state, **more)  # type: ignore[arg-type]


def vm(name: str, on: str, number: int, **more: object) -> VM:
    """Make a running VM; `number` gives it its UUID and address."""
    facts: dict[str, object] = {
        "realm": "main",
        "state": VMState.RUNNING,
        "active": True,
        "vcpus": 4,
        "memory_bytes": 20 * GIB,
        "managed": True,
        "address": f"10.2.0.{number % 250 + 2}",
        "endpoint": f"10.2.0.{number % 250 + 2}:22",
        "cpu_percent": float(number * 37 % 101),
        "started_at": NOW - 3600.0 * (number % 200 + 1),
    } | more
    return VM(name=name, uuid=str(UUID(int=number + 1)), host=on, **facts)  # type: ignore[arg-type]


def vms(on: str, count: int, first: int, words: tuple[str, ...] = ("web", "db", "build", "ml-train")) -> list[VM]:
    """Make several VMs of one host."""
    return [
        vm(
            f"{words[i % len(words)]}-{first + i:02d}",
            on,
            first + i,
            vcpus=2 + 2 * (i % 3),
            memory_bytes=(8 + 8 * (i % 4)) * GIB,
        )
        for i in range(count)
    ]


def seen(described: Host, machines: Iterable[VM] = (), *, ago: float = 1.0, **more: object) -> HostSnapshot:
    """Make a snapshot of a host that answered `ago` seconds before the world stood still."""
    facts: dict[str, object] = {"connection": Connection.CONNECTED, "observed_at": NOW - ago, "pools": POOLS} | more
    return HostSnapshot(host=described, vms=tuple(machines), **facts)  # type: ignore[arg-type]


def gpu_vms(on: str) -> list[VM]:
    """Make the VMs of a host with devices: one paused, one crashed, one foreign and off."""
    return [
        vm("ml-train-04", on, 301, vcpus=16, memory_bytes=128 * GIB, devices=(GPUS[0].address,), cpu_percent=97.5),
        vm("ml-train-07", on, 302, vcpus=8, memory_bytes=64 * GIB, devices=(GPUS[2].address,), cpu_percent=3.2),
        vm("web-sandbox", on, 303, vcpus=2, memory_bytes=8 * GIB, state=VMState.PAUSED, cpu_percent=0.0),
        vm("notebook-1", on, 304, vcpus=4, memory_bytes=16 * GIB, devices=(GPUS[1].address,), state=VMState.CRASHED),
        vm("old-import", on, 305, state=VMState.OFF, active=False, managed=False, address=None, endpoint=None,
           cpu_percent=None, started_at=None),
    ]  # fmt: skip


def snapshots() -> tuple[HostSnapshot, ...]:
    """Make the hosts: six that answer, one that doesn't, one that is off."""
    translated = StaticAddress("203.0.113.7", 7000)
    return (
        seen(host("h1"), vms("h1", 31, 0)),
        seen(host("h2", static_address=translated), vms("h2", 38, 40)),
        seen(host("h3", "a100-node"), gpu_vms("h3")),
        seen(host("h4", state=HostState.NO_SCHEDULING), vms("h4", 4, 100)),
        seen(
            host("h5"), vms("h5", 22, 120), ago=48.0, connection=Connection.UNREACHABLE,
            error="connection refused at qemu+ssh://root@h5/system: is libvirtd running?",
        ),
        HostSnapshot(host=host("h6", state=HostState.DISABLED), connection=Connection.OFF),
        seen(host("h7"), vms("h7", 12, 160), pools=POOLS | {"ticrypt-vm-snapshots": PoolState.MISSING}),
        seen(host("h10", "l40s-node"), vms("h10", 3, 180)),
    )  # fmt: skip


class StandingSession(Session):
    """A session whose hosts are never asked: what was seen of them is given. Its registry is a real one."""

    def __init__(
        self,
        registry: HostRegistry,
        given: Iterable[HostSnapshot],
        *,
        clock: FixedClock,
        configuration: Configuration = CONFIGURATION,
        read_only: bool = False,
    ) -> None:
        super().__init__(configuration, registry=registry, clock=clock, read_only=read_only)
        self._given = {snapshot.name: snapshot for snapshot in given}
        self._described: tuple[Host, ...] = ()
        self.moment = clock
        self._read_registry()

    def connect(self) -> None:  # type: ignore[override]
        """Connect to nothing."""

    def _read_registry(self) -> None:
        assert self.registry is not None
        self._described = tuple(sorted(self.registry.hosts(), key=lambda described: described.name))
        self._changes += 1

    def fleet(self) -> Fleet:
        """Return what was seen of the hosts that are registered now."""
        return Fleet(self.moment.now(), tuple(self._snapshot(described) for described in self._described))

    def _snapshot(self, described: Host) -> HostSnapshot:
        given = self._given.get(described.name)
        if given is None:
            connection = Connection.CONNECTING if described.state.connects else Connection.OFF
            return HostSnapshot(host=described, connection=connection)
        if not described.state.connects:
            return replace(given, host=described, connection=Connection.OFF)
        return replace(given, host=described)

    def see(self, *given: HostSnapshot) -> None:
        """Take newer snapshots, as if the hosts had answered."""
        self._given |= {snapshot.name: snapshot for snapshot in given}
        self._changes += 1

    def probe(self, uri: str, deadline: float = 10.0) -> object:  # type: ignore[override]
        """Reach no machine."""
        raise HostUnreachable("", f"connection refused at {uri}", hint="is libvirtd running?")


def standing(
    folder: Path, given: Iterable[HostSnapshot] | None = None, *, register: bool = True, **more: object
) -> StandingSession:
    """Make a session on a registry in `folder`, all given hosts registered in it."""
    clock = FixedClock()
    registry = HostRegistry(folder / "registry.json", clock)
    listed = tuple(snapshots() if given is None else given)
    if register:
        with registry.transaction() as transaction:
            for snapshot in listed:
                transaction.add(snapshot.host, _WHEN_ADDED)
    return StandingSession(registry, listed, clock=clock, **more)  # type: ignore[arg-type]


def saved(given: Iterable[HostSnapshot] | None = None, configuration: Configuration = CONFIGURATION) -> Session:
    """Make a session on a saved fleet: nothing can be changed there."""
    fleet = Fleet(NOW, tuple(snapshots() if given is None else given))
    return Session(configuration, saved=fleet, label="saved fleet monday.json", clock=FixedClock())
