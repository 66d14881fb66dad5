"""PCI devices as libvirt writes them, and hosts that were surveyed with them."""

from __future__ import annotations

from dataclasses import dataclass

from core.driver.hosts.node_devices import read_pci_devices
from core.driver.hosts.survey import Hardware, HostSurvey, Occupation, Software, SurveyedNetwork, SurveyedPool
from core.fleet.fleet import PoolState
from core.hardware import PciAddress

NVIDIA, AMD, INTEL, SAMSUNG, ASPEED = 0x10DE, 0x1002, 0x8086, 0x144D, 0x1A03
BRIDGE, VGA, CONTROLLER_3D, ACCELERATOR, NVME, AUDIO, ETHERNET = (
    0x060400, 0x030000, 0x030200, 0x120000, 0x010802, 0x040300, 0x020000,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A PCI function to write down."""

    address: str
    code: int
    vendor: int
    product: int
    maker: str = ""
    name: str = ""
    driver: str = ""
    group: int | None = None
    members: tuple[str, ...] = ()


def _attributes(text: str) -> str:
    address = PciAddress.parse(text)
    return (
        f"domain='0x{address.domain:04x}' bus='0x{address.bus:02x}' slot='0x{address.slot:02x}' "
        f"function='0x{address.function:x}'"
    )


def device_xml(slot: Slot) -> str:
    """Write a node device in libvirt's documented form: decimal numbers in the capability, hexadecimal in the group."""
    address = PciAddress.parse(slot.address)
    label = f"{address}".replace(":", "_").replace(".", "_")
    driver = f"<driver><name>{slot.driver}</name></driver>" if slot.driver else ""
    members = slot.members or (slot.address,)
    group = "".join(f"<address {_attributes(member)}/>" for member in members)
    group = f"<iommuGroup number='{slot.group}'>{group}</iommuGroup>" if slot.group is not None else ""
    bridge = "<capability type='pci-bridge'/>" if slot.code == BRIDGE else ""
    return f"""<device>
  <name>pci_{label}</name>
  <path>/sys/devices/pci0000:00/{address}</path>
  <parent>computer</parent>
  {driver}
  <capability type='pci'>
    <class>0x{slot.code:06x}</class>
    <domain>{address.domain}</domain><bus>{address.bus}</bus>
    <slot>{address.slot}</slot><function>{address.function}</function>
    <product id='0x{slot.product:04x}'>{slot.name}</product>
    <vendor id='0x{slot.vendor:04x}'>{slot.maker}</vendor>
    {bridge}{group}
    <numa node='1'/>
    <pci-express><link validity='cap' port='0' speed='16' width='16'/></pci-express>
  </capability>
</device>
"""


A100 = Slot(
    address="c1:00.0", code=CONTROLLER_3D, vendor=NVIDIA, product=0x20F1, maker="NVIDIA Corporation",
    name="GA100 [A100 PCIe 40GB]", driver="nvidia", group=41,
)  # fmt: skip
CONSOLE = Slot(
    address="03:00.0", code=VGA, vendor=ASPEED, product=0x2000, maker="ASPEED Technology, Inc.",
    name="ASPEED Graphics Family", driver="ast", group=7,
)  # fmt: skip
DISK = Slot(
    address="e1:00.0", code=NVME, vendor=SAMSUNG, product=0xA80A, maker="Samsung Electronics Co Ltd",
    name="NVMe SSD Controller PM9A1", driver="nvme", group=50,
)  # fmt: skip
PORT = Slot(address="c0:01.1", code=BRIDGE, vendor=0x1022, product=0x1483, driver="pcieport", group=41,
            members=("c0:01.1", "c1:00.0"))  # fmt: skip


def hardware(
    *slots: Slot, iommu: bool | None = True, cores: int = 128, memory_bytes: int = 1 << 40, **more
) -> Hardware:
    """Return a machine with these devices."""
    return Hardware(
        cores=cores,
        memory_bytes=memory_bytes,
        iommu=iommu,
        devices=read_pci_devices(device_xml(slot) for slot in slots),
        **({"machine_uuid": None} | more),
    )


def pool(name: str, **more) -> SurveyedPool:
    """Return an active pool."""
    usual = {"state": PoolState.ACTIVE, "autostart": True, "persistent": True, "kind": "dir", "path": f"/shared/{name}",
             "capacity_bytes": 1000, "available_bytes": 900}  # fmt: skip
    return SurveyedPool(name=name, **(usual | more))


POOLS = tuple(pool(name) for name in ("ticrypt-vm", "ticrypt-vm-drives", "ticrypt-bricks", "ticrypt-vm-snapshots"))
SOFTWARE = Software(
    hypervisor="QEMU", hypervisor_version=(8, 2, 0), libvirt=(10, 5, 0), kvm=True, live_migration=True
)  # fmt: skip
NETWORK = SurveyedNetwork(name="default", active=True, autostart=True, persistent=True, forward="nat")
IDLE = Occupation(vms=0, vcpus=0, memory_bytes=0, devices=frozenset(), addresses=())


def surveyed(machine: Hardware | None = None, **more) -> HostSurvey:
    """Return a host in good order."""
    usual = {"host_name": "gpu-node12.example.org", "software": SOFTWARE, "hardware": machine or hardware(),
             "pools": POOLS, "networks": (NETWORK,), "filters": frozenset({"clean"}), "occupation": IDLE}  # fmt: skip
    return HostSurvey(uri="qemu+ssh://root@h1/system", **(usual | more))
