"""What a domain brings along where it moves: CPU, machine, interfaces, disks, and what can't come along."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from core.driver.migration.ties import NO_TIES, Ties, ties_of
from core.driver.xml.pci import read_pci_address
from core.driver.xml.reader import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDisk:
    """A disk of a domain. `place` is its path, device, or volume; `files` it and all that it is an overlay of."""

    target: str
    """As the guest's bus has it: `vda`."""
    kind: str
    """Libvirt's type of the source: file, block, network, volume, dir, nvme, vhostuser."""
    device: str = "disk"
    place: str = ""
    files: tuple[str, ...] = ()
    read_only: bool = False
    shareable: bool = False
    volume: tuple[str, str] | None = None
    """Pool and volume, for the kind `volume`."""
    is_empty: bool = False
    """Whether it has no source: a drive without a medium."""

    @property
    def can_be_copied(self) -> bool:
        """Whether a live migration can copy it along."""
        is_plain = self.device == "disk" and self.kind in ("file", "block", "volume", "network")
        return is_plain and not self.read_only and not self.shareable and not self.is_empty


@dataclass(frozen=True, slots=True)
class Nic:
    """A network interface: libvirt's type of it, the network or bridge that it is on, its filter."""

    kind: str
    source: str = ""
    filter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainTraits:
    """What decides whether a domain can move, read from its XML."""

    name: str
    uuid: str
    virt_type: str
    arch: str
    machine: str
    emulator: str
    cpu: str
    """The `<cpu>` element as text; empty where the domain has none."""
    cpu_mode: str
    disks: tuple[MovedDisk, ...] = ()
    nics: tuple[Nic, ...] = ()
    pci_devices: int = 0
    bound_devices: tuple[str, ...] = ()
    """Other things of the host's own that the domain holds, in words: USB devices, mediated devices, shared folders."""
    files: tuple[str, ...] = ()
    """Files beside the disks that the target must have at the same path: kernel, initrd, firmware."""
    ties: Ties = NO_TIES
    private_state: tuple[str, ...] = ()
    """State that lies on the source only, in words: UEFI variables, an emulated TPM."""


def read_traits(text: str) -> DomainTraits:
    """Read a `<domain>` document; raises XmlRefused."""
    domain = parse(text, "domain")
    system = domain.find("os/type")
    cpu = domain.find("cpu")
    return DomainTraits(
        name=domain.findtext("name", ""),
        uuid=domain.findtext("uuid", "").strip().lower(),
        virt_type=domain.get("type", ""),
        arch=system.get("arch", "") if system is not None else "",
        machine=system.get("machine", "") if system is not None else "",
        emulator=domain.findtext("devices/emulator", "").strip(),
        cpu="" if cpu is None else ET.tostring(cpu, encoding="unicode"),
        cpu_mode="" if cpu is None else cpu.get("mode", "custom"),
        disks=tuple(_disk(element) for element in domain.iterfind("devices/disk")),
        nics=tuple(_nics(domain)),
        pci_devices=sum(
            element.get("type") == "pci" for element in domain.iterfind("devices/hostdev[@mode='subsystem']")
        )
        + len(domain.findall("devices/interface[@type='hostdev']")),
        bound_devices=tuple(_bound(domain)),
        files=tuple(_files(domain)),
        ties=ties_of(domain),
        private_state=tuple(_private_state(domain)),
    )


def _disk(element: ET.Element) -> MovedDisk:
    kind = element.get("type", "file")
    source, target = element.find("source"), element.find("target")
    place = _place(kind, source)
    chain = [place] if place else []
    layer = element.find("backingStore")
    while layer is not None and (found := _place(layer.get("type", "file"), layer.find("source"))):
        chain.append(found)
        layer = layer.find("backingStore")
    volume = None
    if source is not None and kind == "volume":
        volume = (source.get("pool", ""), source.get("volume", ""))
    return MovedDisk(
        target=target.get("dev", "") if target is not None else "",
        kind=kind,
        device=element.get("device", "disk"),
        place=place,
        files=tuple(chain),
        read_only=element.find("readonly") is not None,
        shareable=element.find("shareable") is not None,
        volume=volume,
        is_empty=not place and volume is None and (source is None or kind in ("file", "block", "dir")),
    )


_PLACES = {
    "file": "file", "block": "dev", "network": "name", "dir": "dir", "volume": "volume", "vhostuser": "path",
    "vhostvdpa": "dev",
}  # fmt: skip


def _place(kind: str, source: ET.Element | None) -> str:
    if source is None:
        return ""
    address = source.find("address")
    if kind == "nvme" and address is not None:
        return str(read_pci_address(address.attrib) or "")
    return source.get(_PLACES.get(kind, ""), "")


def _nics(domain: ET.Element) -> Iterator[Nic]:
    for element in domain.iterfind("devices/interface"):
        kind, source, filtering = element.get("type", ""), element.find("source"), element.find("filterref")
        attribute = {"network": "network", "bridge": "bridge", "direct": "dev"}.get(kind, "")
        yield Nic(
            kind,
            source.get(attribute, "") if source is not None and attribute else "",
            filtering.get("filter", "") if filtering is not None else "",
        )


def _bound(domain: ET.Element) -> Iterator[str]:
    for element in domain.iterfind("devices/hostdev"):
        kind = element.get("type", "")
        if kind != "pci" or element.get("mode") != "subsystem":
            yield f"a {kind or element.get('mode', '')} device of the host"
    for element in domain.iterfind("devices/filesystem"):
        source = element.find("source")
        folder = "" if source is None else source.get("dir", source.get("file", ""))
        yield f"the host's folder {folder}".strip()
    if domain.find("devices/shmem") is not None:
        yield "memory shared with other programs of the host"


def _files(domain: ET.Element) -> Iterator[str]:
    for part in ("kernel", "initrd", "dtb", "loader"):
        path = domain.findtext(f"os/{part}", "").strip()
        if path:
            yield path


def _private_state(domain: ET.Element) -> Iterator[str]:
    if domain.find("os/nvram") is not None:
        yield "UEFI variables"
    if domain.find("devices/tpm/backend[@type='emulator']") is not None:
        yield "an emulated TPM"
