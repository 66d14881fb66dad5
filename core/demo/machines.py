"""Writes the machines of the demo: one `<node>` file of libvirt's test driver for each host."""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from core.config.model import Configuration
from core.driver.xml.metadata import RealmMark, mark_element
from core.hardware import HardwareProfile
from core.hosts import Host, HostState

REALM = "demo"
UNREACHABLE_URI = "qemu+tcp://127.0.0.1:9/system"
"""Port 9 (discard) of this machine: nothing listens there, so the host can't be reached."""

_TEST_NAMESPACE = "http://libvirt.org/schemas/domain/test/1.0"
_SHUT_OFF = "5"
_GIB_IN_KIB = 1024 * 1024
_IDENTITY = uuid.UUID("6f6a1c1e-7a0e-4f5a-9d7e-3f1c2b4a5d60")

_FILE_SERVER = "files.demo.example"
"""Where every host mounts its pools from: nobody connects there, the embedded driver only writes it down."""

_BRICK = "debian-12"
_BRICKS = ((_BRICK, 8, 1.1), ("ubuntu-24.04", 12, 2.4), ("rocky-9", 10, 1.8), ("cuda-12-ubuntu", 40, 11.6))
_SNAPSHOTS = (("db-01-before-upgrade.qcow2", 24, 17.0), ("web-01-clean.qcow2", 12, 3.2))
"""Volumes of two pools: name, GiB that a guest sees, GiB taken."""

_MOST_VOLUMES = 60
"""VMs whose volumes are written down: in a fleet of thousands each host would have to know all of them."""

_PROFILE_CYCLE = ("cpu-node", "cpu-node", "a100-node", "cpu-node", "l40s-node", "cpu-node")
_SIZES = ((1, 2), (2, 4), (2, 8), (4, 16), (8, 32))
_SIZE_WEIGHTS = (2, 4, 5, 5, 3)
_PURPOSES = ("web", "db", "build", "desk", "notes", "stats", "mail", "proxy", "study", "intake")
_TRAINING = ("train", "infer", "render", "fold")
_WITH_DRIVES = ("db-", "train-", "mail-")


@dataclass(frozen=True, slots=True)
class _Guest:
    name: str
    vcpus: int
    memory_gib: int
    devices: tuple[str, ...] = ()
    running: bool = True
    managed: bool = True

    @property
    def volumes(self) -> tuple[tuple[str, str], ...]:
        """Pool and name of the boot volume, and of the drive that some have; foreign ones have theirs elsewhere."""
        if not self.managed:
            return ()
        drive = (("ticrypt-vm-drives", f"{self.name}-data.qcow2"),) if self.name.startswith(_WITH_DRIVES) else ()
        return (("ticrypt-vm", f"{self.name}.qcow2"), *drive)


def build(folder: Path, configuration: Configuration, *, hosts: int, vms: int, seed: int = 7) -> tuple[Host, ...]:
    """Write the machines into a folder and give their hosts as the registry should have them.

    Of three hosts and more the last can't be reached, of five and more the one before is disabled, and the second
    takes no new VMs. `vms` are spread over the hosts that answer; the same seed gives the same fleet.
    """
    chance = random.Random(seed)  # noqa: S311 - a fleet to look at, nothing secret
    profiles = [_PROFILE_CYCLE[number % len(_PROFILE_CYCLE)] for number in range(hosts)]
    names = list(_names(profiles))
    answering = hosts - (hosts >= 3) - (hosts >= 5)
    numbers = _numbers()
    placed = _spread(
        vms, [configuration.hardware_profiles[profile] for profile in profiles[:answering]], chance, numbers
    )
    volumes = _volumes([guest for guests in placed for guest in guests])
    built = []
    for number, (name, profile) in enumerate(zip(names, profiles, strict=True)):
        hardware = configuration.hardware_profiles[profile]
        guests = placed[number] if number < answering else ()
        file = folder / f"{name}.xml"
        missing_pool = "ticrypt-vm-snapshots" if number == 2 else ""
        pools = [
            _pool(pool, volumes.get(pool, ())) for pool in configuration.realms[REALM].pools if pool != missing_pool
        ]
        ET.ElementTree(_node(name, hardware, guests, pools)).write(file, encoding="utf-8")
        reachable = not (hosts >= 3 and number == hosts - 1)
        built.append(
            Host(
                name=name,
                realm=REALM,
                uri=f"test://{file}" if reachable else UNREACHABLE_URI,
                profile=profile,
                state=_state(number, hosts),
            )
        )
    return tuple(built)


def _state(number: int, hosts: int) -> HostState:
    if hosts >= 3 and number == 1:
        return HostState.NO_SCHEDULING
    if hosts >= 5 and number == hosts - 2:
        return HostState.DISABLED
    return HostState.ENABLED


def _names(profiles: Sequence[str]) -> Iterator[str]:
    counts: dict[str, int] = {}
    width = 3 if len(profiles) > 99 else 2
    for profile in profiles:
        kind = profile.removesuffix("-node")
        counts[kind] = counts.get(kind, 0) + 1
        yield f"{kind}-{counts[kind]:0{width}}"


def _numbers() -> dict[str, int]:
    return dict.fromkeys((*_PURPOSES, *_TRAINING, "legacy"), 0)


def _spread(
    vms: int, profiles: Sequence[HardwareProfile], chance: random.Random, numbers: dict[str, int]
) -> list[list[_Guest]]:
    """Return each host its guests: fewer the further back it stands, cards only where the profile has some free."""
    placed: list[list[_Guest]] = [[] for _ in profiles]
    free = [[str(device.address) for device in profile.devices] for profile in profiles]
    weights = [1.0 / (1 + 0.15 * number) for number in range(len(profiles))]
    for serial in range(vms):
        number = chance.choices(range(len(profiles)), weights)[0]
        vcpus, memory = chance.choices(_SIZES, _SIZE_WEIGHTS)[0]
        cards: tuple[str, ...] = ()
        purpose = chance.choice(_PURPOSES)
        if len(free[number]) > 1 and chance.random() < 0.7:
            count = 2 if len(free[number]) > 4 and chance.random() < 0.3 else 1
            cards, free[number] = tuple(free[number][:count]), free[number][count:]
            vcpus, memory, purpose = 6, 48, chance.choice(_TRAINING)
        foreign = serial % 17 == 11
        purpose = "legacy" if foreign else purpose
        numbers[purpose] += 1
        running = bool(cards) or chance.random() < 0.85
        name = f"{purpose}-{numbers[purpose]:02}"
        placed[number].append(_Guest(name, vcpus, memory, cards, running=running, managed=not foreign))
    return placed


def _volumes(guests: Sequence[_Guest]) -> dict[str, list[tuple[str, int, float]]]:
    """List what lies in each pool: name, GiB that a guest sees, GiB taken; on shared storage, so for all hosts."""
    volumes = {"ticrypt-bricks": list(_BRICKS), "ticrypt-vm-snapshots": list(_SNAPSHOTS)}
    for number, guest in enumerate(guests[:_MOST_VOLUMES]):
        for pool, volume in guest.volumes:
            size, taken = (8, 0.6 + 0.3 * (number % 5)) if pool == "ticrypt-vm" else (32 + 8 * (number % 5), 3.5)
            volumes.setdefault(pool, []).append((volume, size, taken))
    return volumes


def _node(name: str, hardware: HardwareProfile, guests: Sequence[_Guest], pools: Sequence[ET.Element]) -> ET.Element:
    node = ET.Element("node")
    cpu = ET.SubElement(node, "cpu")
    for tag, value in (("mhz", 3000), ("model", "x86_64"), ("active", hardware.cores), ("nodes", 2), ("sockets", 1),
                       ("cores", max(1, hardware.cores // 2)), ("threads", 1)):  # fmt: skip
        ET.SubElement(cpu, tag).text = str(value)
    ET.SubElement(node, "memory").text = str(hardware.memory_bytes // 1024)
    for guest in guests:
        node.append(_domain(name, guest))
    node.append(_network(name))
    node.extend(pools)
    return node


def _pool(name: str, volumes: Sequence[tuple[str, int, float]]) -> ET.Element:
    """Describe a pool that every host mounts from one server, and what lies in it."""
    pool = ET.Element("pool", type="netfs")
    ET.SubElement(pool, "name").text = name
    source = ET.SubElement(pool, "source")
    ET.SubElement(source, "host", name=_FILE_SERVER)
    ET.SubElement(source, "dir", path=f"/export/{name}")
    ET.SubElement(ET.SubElement(pool, "target"), "path").text = f"/shared/{name}"
    for volume, capacity_gib, taken_gib in volumes:
        element = ET.SubElement(pool, "volume")
        ET.SubElement(element, "name").text = volume
        ET.SubElement(element, "capacity", unit="GiB").text = str(capacity_gib)
        ET.SubElement(element, "allocation", unit="MiB").text = str(int(taken_gib * 1024))
        target = ET.SubElement(element, "target")
        ET.SubElement(target, "path").text = f"/shared/{name}/{volume}"
        ET.SubElement(target, "format", type="qcow2")
        if name == "ticrypt-vm":
            backing = ET.SubElement(element, "backingStore")
            ET.SubElement(backing, "path").text = f"/shared/ticrypt-bricks/{_BRICK}"
            ET.SubElement(backing, "format", type="qcow2")
    return pool


def _network(host: str) -> ET.Element:
    network = ET.Element("network")
    ET.SubElement(network, "name").text = "default"
    ET.SubElement(network, "bridge", name="virbr0")
    subnet = sum(map(ord, host)) % 200 + 2
    ip = ET.SubElement(network, "ip", address=f"10.2.{subnet}.1", netmask="255.255.255.0")
    ET.SubElement(ET.SubElement(ip, "dhcp"), "range", start=f"10.2.{subnet}.2", end=f"10.2.{subnet}.254")
    return network


def _domain(host: str, guest: _Guest) -> ET.Element:
    domain = ET.Element("domain", type="test")
    ET.SubElement(domain, "name").text = guest.name
    ET.SubElement(domain, "uuid").text = str(uuid.uuid5(_IDENTITY, f"{host}/{guest.name}"))
    if guest.managed:
        metadata = ET.SubElement(domain, "metadata")
        metadata.append(mark_element(RealmMark(realm=REALM, brick=_BRICK, created_at=0.0)))
    ET.SubElement(domain, "memory", unit="KiB").text = str(guest.memory_gib * _GIB_IN_KIB)
    ET.SubElement(domain, "vcpu").text = str(guest.vcpus)
    ET.SubElement(ET.SubElement(domain, "os"), "type").text = "hvm"
    devices = ET.SubElement(domain, "devices")
    for letter, (pool, volume) in zip("ab", guest.volumes, strict=False):
        disk = ET.SubElement(devices, "disk", type="volume", device="disk")
        ET.SubElement(disk, "driver", name="qemu", type="qcow2")
        ET.SubElement(disk, "source", pool=pool, volume=volume)
        ET.SubElement(disk, "target", dev=f"vd{letter}", bus="virtio")
    interface = ET.SubElement(devices, "interface", type="network")
    ET.SubElement(interface, "source", network="default")
    for address in guest.devices:
        _hostdev(devices, address)
    if not guest.running:
        ET.SubElement(domain, f"{{{_TEST_NAMESPACE}}}runstate").text = _SHUT_OFF
    return domain


def _hostdev(devices: ET.Element, address: str) -> None:
    hostdev = ET.SubElement(devices, "hostdev", mode="subsystem", type="pci", managed="yes")
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    ET.SubElement(
        ET.SubElement(hostdev, "source"),
        "address",
        domain=f"0x{domain}",
        bus=f"0x{bus}",
        slot=f"0x{slot}",
        function=f"0x{function}",
    )
