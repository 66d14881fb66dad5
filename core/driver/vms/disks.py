"""Which files and volumes the domains of a host use, running or off (specification, section 9)."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone
from core.driver.storage.pool_setup import look_up_pool
from core.driver.vms.saved_memory import saved_definition, saved_uuids
from core.driver.xml.metadata import RealmMark, mark_of
from core.driver.xml.reader import XmlRefused, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainDisks:
    """A domain and what it uses: by its running, stored and saved definitions, with all that its disks are based on."""

    name: str
    uuid: str
    active: bool
    mark: RealmMark | None = None
    files: frozenset[str] = frozenset()
    """Paths of files and devices; of volumes that are named as such where the host has that pool, whatever its name."""
    volumes: frozenset[tuple[str, str]] = frozenset()
    """Volumes that are named as such: pool and name."""
    open_chains: frozenset[str] = frozenset()
    """Files that may be overlays, and no definition says of what: libvirt looks for that when the domain starts."""


def read_disks(connection: HostConnection) -> tuple[DomainDisks, ...]:
    """Ask a host for all its domains' disks; needs a call or two for each. Raises DriverError."""
    found = []
    try:
        saved = saved_uuids(connection)
        for domain in connection.handle.listAllDomains(0):
            try:
                found.append(_read(domain, is_saved=domain.UUIDString() in saved))
            except libvirt.libvirtError as error:
                if not is_gone(error):
                    raise
    except libvirt.libvirtError as error:
        raise connection.failed(error, "ask which disks its VMs use") from error
    pools = {pool for each in found for pool, _ in each.volumes if pool}
    folders = {pool: look_up_pool(connection, pool).path for pool in pools}  # stopped ones too
    placed = (replace(each, files=each.files | _paths(each, folders)) for each in found)
    return tuple(sorted(placed, key=lambda each: (each.name, each.uuid)))


def _paths(domain: DomainDisks, folders: Mapping[str, str]) -> set[str]:
    return {posixpath.join(folders[pool], name) for pool, name in domain.volumes if folders.get(pool)}


def _read(domain: libvirt.virDomain, *, is_saved: bool) -> DomainDisks:
    active = domain.ID() >= 0
    texts = [str(domain.XMLDesc(0))]
    if active and domain.isPersistent():
        texts.append(str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))
    elif is_saved and (saved := saved_definition(domain)) is not None:
        texts.append(saved)
    mark, sources = None, []
    open_chains, told = set(), set()
    for text in texts:
        try:
            element = parse(text, "domain")
        except XmlRefused:  # libvirt writes no such XML
            continue
        mark = mark or mark_of(element)
        sources += list(_sources(element))
        for disk in element.iterfind("devices/disk"):
            source, driver = disk.find("source"), disk.find("driver")
            path = (source.get("file") or source.get("dev") or "") if source is not None else ""
            if disk.find("backingStore") is not None:
                told.add(path)
            elif path and driver is not None and driver.get("type", "raw") != "raw":
                open_chains.add(path)
    return DomainDisks(
        name=str(domain.name()),
        uuid=str(domain.UUIDString()),
        active=active,
        mark=mark,
        files=frozenset(path for source in sources for path in (source.get("file"), source.get("dev")) if path),
        volumes=frozenset(
            (source.get("pool", ""), source.get("volume", "")) for source in sources if source.get("volume")
        ),
        open_chains=frozenset(open_chains - told),
    )


def _sources(domain: ET.Element) -> Iterator[ET.Element]:
    """Return the sources of all disks, of what they are overlays of, and of copies that are being made of them."""
    for disk in domain.iterfind("devices/disk"):
        yield from disk.iter("source")
        yield from disk.iter("mirror")
