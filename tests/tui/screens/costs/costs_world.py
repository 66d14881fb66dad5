"""A small fleet with every kind of answer, for the tests of the cost explorer."""

from __future__ import annotations

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import Constant, Curve, HardSoft, Linear, Piecewise, Unavailable
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, VMState
from core.hardware import Device, HardwareProfile, PciAddress
from core.hosts import Host, HostState
from core.realms import Realm

GIB = 2**30
NOW = 1_795_341_600.0


def configuration(**curves: Curve) -> Configuration:
    """Make a configuration of two kinds of hosts; `curves` replace those of the first one's cost function."""
    cpu: dict[str, Curve] = {
        "vms": Linear(slope=1.0, base=0.0),
        "vcpus": HardSoft(soft=96, hard=128, soft_amt=24.0, hard_amt=90.0),
        "memory": HardSoft(soft=600 * GIB, hard=850 * GIB, soft_amt=30.0, hard_amt=200.0),
        **curves,
    }
    high = Piecewise(cutoff=3, low=Constant(value=4.0), high=Linear(slope=20.0, base=0.0, max=4))
    a100 = Piecewise(cutoff=1, low=Linear(slope=1.0, base=0.0), high=high)
    gpu = CostFunction(
        id="gpu",
        name="gpu",
        vms=Linear(slope=1.0, base=0.0),
        vcpus=HardSoft(soft=96, hard=128, soft_amt=24.0, hard_amt=90.0),
        memory=HardSoft(soft=900 * GIB, hard=1024 * GIB, soft_amt=10.0, hard_amt=100.0),
        devices={"a100": a100},
        offset=100_000.0,
    )
    devices = tuple(Device("a100", PciAddress(0, 0x41 + number, 0, 0)) for number in range(4))
    return Configuration(
        cost_functions={
            "cpu": CostFunction(id="cpu", name="cpu", devices={"a100": Unavailable()}, **cpu),  # type: ignore[arg-type]
            "gpu": gpu,
        },
        hardware_profiles={
            "cpu-node": HardwareProfile(
                id="cpu-node", name="cpu-node", cores=112, memory_bytes=900 * GIB, cost_function="cpu"
            ),
            "a100-node": HardwareProfile(
                id="a100-node", name="a100-node", cores=128, memory_bytes=1007 * GIB, cost_function="gpu",
                devices=devices,
            ),
        },
        realms={"main": Realm(id="main", name="Main")},
    )  # fmt: skip


def host(
    name: str,
    *sizes: tuple[int, int],
    profile: str = "cpu-node",
    state: HostState = HostState.ENABLED,
    connection: Connection = Connection.CONNECTED,
    seen: float | None = NOW - 2,
    error: str = "",
    devices: int = 0,
    realm: str = "main",
) -> HostSnapshot:
    """Make a host that runs a VM of each size (vCPUs, GiB); the first of them hold the `devices`."""
    vms = tuple(
        VM(
            name=f"vm-{index}",
            uuid=f"{name}-{index}",
            host=name,
            realm=realm,
            state=VMState.RUNNING,
            active=True,
            vcpus=vcpus,
            memory_bytes=gib * GIB,
            devices=(PciAddress(0, 0x41 + index, 0, 0),) if index < devices else (),
        )
        for index, (vcpus, gib) in enumerate(sizes)
    )
    return HostSnapshot(
        host=Host(name=name, realm=realm, uri=f"qemu+ssh://root@{name}/system", profile=profile, state=state),
        connection=connection,
        observed_at=seen,
        vms=vms,
        error=error,
    )


def fleet(*hosts: HostSnapshot) -> Fleet:
    """Put hosts together at one moment."""
    return Fleet(NOW, hosts)


def usual_fleet() -> Fleet:
    """Make eight hosts: four that can take a usual VM, four that can't, each for another reason."""
    lost = "Cannot recv data: ssh: connect to host h5 port 22: No route to host: Connection reset by peer"
    return fleet(
        host("h1", *[(4, 24)] * 24),
        host("h2", *[(4, 32)] * 26),
        host("h3", *[(16, 96)] * 3, profile="a100-node", devices=3),
        host("h4", *[(4, 24)] * 6),
        host("h5", *[(4, 24)] * 9, connection=Connection.UNREACHABLE, seen=NOW - 48, error=lost),
        host("h6", *[(4, 24)] * 20),
        host("h7", *[(4, 24)] * 2, state=HostState.NO_SCHEDULING),
        host("h8", state=HostState.DISABLED, connection=Connection.OFF, seen=None),
    )
