"""A small realm whose figures can be checked by hand."""

from __future__ import annotations

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import HardSoft, Linear
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, VMState
from core.hardware import Device, HardwareProfile, PciAddress
from core.hosts import Host
from core.realms import Realm

GIB = 2**30
NOW = 1_795_341_600.0
GPUS = tuple(PciAddress.parse(text) for text in ("0000:c1:00.0", "0000:01:00.0", "0000:41:00.0"))
"""In the order of the profile, which is not that of their numbers."""

CPU = CostFunction(
    id="cpu",
    name="CPU nodes",
    vms=Linear(slope=1.0, base=0.0),
    vcpus=HardSoft(soft=96.0, hard=128.0, soft_amt=48.0, hard_amt=480.0),
    memory=HardSoft(soft=800.0 * GIB, hard=850.0 * GIB, soft_amt=50.0, hard_amt=500.0),
)
GPU = CostFunction(
    id="gpu",
    name="GPU nodes",
    vms=Linear(slope=1.0, base=0.0),
    memory=HardSoft(soft=800.0 * GIB, hard=850.0 * GIB, soft_amt=50.0, hard_amt=500.0),
    devices={"a100": Linear(slope=1.0, base=0.0, max=2.0)},
    offset=100_000.0,
)
CONFIGURATION = Configuration(
    {"cpu": CPU, "gpu": GPU},
    {
        "cpu-node": HardwareProfile(
            id="cpu-node", name="CPU node", cores=128, memory_bytes=1024 * GIB, cost_function="cpu"
        ),
        "gpu-node": HardwareProfile(
            id="gpu-node",
            name="GPU node",
            cores=128,
            memory_bytes=1024 * GIB,
            cost_function="gpu",
            devices=tuple(Device("a100", address) for address in GPUS),
        ),
        "orphan": HardwareProfile(id="orphan", name="Orphan", cores=1, memory_bytes=GIB, cost_function="gone"),
    },
    {"main": Realm(id="main", name="Main"), "old": Realm(id="old", name="Old", disabled=True)},
)


def vm(host: str, name: str, *, vcpus: int = 1, gib: int = 1, **more: object) -> VM:
    """Make a running VM."""
    fields = {"state": VMState.RUNNING, "active": True, "realm": "main", **more}
    return VM(name=name, uuid=f"{host}-{name}", host=host, vcpus=vcpus, memory_bytes=gib * GIB, **fields)


def snapshot(name: str, *vms: VM, profile: str = "cpu-node", realm: str = "main", **more: object) -> HostSnapshot:
    """Make a host that has just answered; `state` is the host's, the rest the snapshot's."""
    described = {key: more.pop(key) for key in ("state",) if key in more}
    fields = {"connection": Connection.CONNECTED, "observed_at": NOW, **more}
    return HostSnapshot(host=Host(name=name, realm=realm, uri="", profile=profile, **described), vms=vms, **fields)


def fleet(*snapshots: HostSnapshot) -> Fleet:
    """Make a fleet of these hosts."""
    return Fleet(NOW, snapshots)
