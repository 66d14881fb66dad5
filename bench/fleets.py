"""Generated fleets: the same one as this program sees it and as Ganeti's htools read it.

Hosts have 64 cores and 256 GiB; at most 4 vCPUs a core and a little less than all memory is used, which is what the
cost function says and what htools allows. VMs have 2, 4, 8 or 16 GiB and 1, 2, 4 or 8 vCPUs, 4:3:2:1 in number.
"""

from __future__ import annotations

import random
from pathlib import Path

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import HardSoft
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, VMState
from core.hardware import HardwareProfile
from core.hosts import Host
from core.realms import Realm

GIB = 2**30
MIB = 2**20
MEMORY_MIB, CORES, DISK_MIB, VM_DISK_MIB = 262_144, 64, 8 * 2**20, 20_480
SIZES = [(2048, 1)] * 4 + [(4096, 2)] * 3 + [(8192, 4)] * 2 + [(16384, 8)]

CONFIGURATION = Configuration(
    {
        "node": CostFunction(
            id="node",
            name="As much as htools allows",
            vcpus=HardSoft(soft=64.0, hard=256.0),
            memory=HardSoft(soft=128.0 * GIB, hard=float((MEMORY_MIB - 1) * MIB)),
        )
    },
    {"node": HardwareProfile(id="node", name="Node", cores=CORES, memory_bytes=256 * GIB, cost_function="node")},
    {"bench": Realm(id="bench", name="Bench")},
)
HOCON = """ticrypt.vm {
  cost-functions { node {
    name: "As much as htools allows"
    vcpus { curve: hard-soft, soft: 64, hard: 256 }
    memory { curve: hard-soft, soft: 128 GiB, hard: 274876858368 }
  } }
  hardware-profiles { node { name: "Node", cores: 64, memory: 256 GiB, cost-function: node } }
  realms { bench { disabled: false, driver: libvirt, name: "Bench", drives.lazy-allocation: on } }
}
"""
_POLICY = (
    "4096,2,20480,1,1,1|128,1,1024,1,1,1;65536,32,1048576,16,8,12|"
    "plain,diskless,file,sharedfile,blockdev,drbd,rbd,ext|4.0|32.0"
)


def make_fleet(hosts: int, vms: int, *, seed: int = 1, skew: bool = False) -> Fleet:
    """Spread VMs by chance, or so that they crowd on some hosts."""
    chance = random.Random(seed)  # noqa: S311 - it guards nothing
    weights = [1 / (index + 1) ** 0.5 if skew else 1.0 for index in range(hosts)]
    chance.shuffle(weights)
    running: list[list[VM]] = [[] for _ in range(hosts)]
    free_mib, free_vcpus = [MEMORY_MIB] * hosts, [CORES * 4] * hosts
    cumulative = [sum(weights[: index + 1]) for index in range(hosts)] if skew else None
    for number in range(vms):
        memory, vcpus = chance.choice(SIZES)
        while True:
            host = chance.choices(range(hosts), cum_weights=cumulative)[0] if skew else chance.randrange(hosts)
            if free_mib[host] - memory >= 1024 and free_vcpus[host] >= vcpus:
                break
        free_mib[host] -= memory
        free_vcpus[host] -= vcpus
        running[host].append(_vm(f"vm-{number:06d}", _name(host), vcpus, memory * MIB))
    return Fleet(0.0, tuple(_snapshot(_name(host), tuple(its)) for host, its in enumerate(running)))


def _name(host: int) -> str:
    return f"node-{host:06d}"


def _vm(name: str, host: str, vcpus: int, memory_bytes: int) -> VM:
    return VM(
        name=name, uuid=name, host=host, realm="bench", state=VMState.RUNNING, active=True, vcpus=vcpus,
        memory_bytes=memory_bytes, managed=True,
    )  # fmt: skip


def _snapshot(name: str, vms: tuple[VM, ...]) -> HostSnapshot:
    host = Host(name=name, realm="bench", uri="", profile="node")
    return HostSnapshot(host=host, connection=Connection.CONNECTED, observed_at=0.0, vms=vms)


def write_htools(path: Path, fleet: Fleet) -> None:
    """Write a fleet in the text format of htools (`-t FILE`)."""
    lines = ["group-01|fake-uuid-01|preferred||", ""]
    for snapshot in fleet.hosts:
        free = MEMORY_MIB - sum(vm.memory_bytes // MIB for vm in snapshot.vms)
        disk = DISK_MIB - VM_DISK_MIB * len(snapshot.vms)
        lines.append(f"{snapshot.name}|{MEMORY_MIB}|0|{free}|{DISK_MIB}|{disk}|{CORES}|N|fake-uuid-01|8")
    lines.append("")
    lines += [
        f"{vm.name}|{vm.memory_bytes // MIB}|{VM_DISK_MIB}|{vm.vcpus}|running|Y|{vm.host}||ext||1" for vm in fleet.vms()
    ]
    path.write_text("\n".join([*lines, "", "", f"|{_POLICY}", f"group-01|{_POLICY}", ""]))


def memory_shares(fleet: Fleet) -> dict[str, float]:
    """Per cent of each host's memory that is in use."""
    return {
        snapshot.name: 100 * sum(vm.memory_bytes for vm in snapshot.vms) / (MEMORY_MIB * MIB)
        for snapshot in fleet.hosts
    }
