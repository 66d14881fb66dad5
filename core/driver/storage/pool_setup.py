"""Storage pools: what a host has, and how one is defined, built, started and undone (specification, section 10)."""

from __future__ import annotations

import contextlib
import errno
import posixpath
import uuid
from dataclasses import dataclass, replace
from enum import StrEnum
from xml.etree import ElementTree as ET

import libvirt

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import translated
from core.driver.storage.pool_refresh import refresh
from core.driver.xml.reader import XmlRefused, parse
from core.errors import DriverError
from core.fleet.fleet import PoolState
from core.text import shell_command
from core.units import whole_number


class FolderMissing(DriverError):
    """A pool can't be started because its folder isn't there."""

    code = ErrorCode.FOLDER_MISSING


class PoolType(StrEnum):
    """Pools that can be made of a path alone, or of a path and a source."""

    DIR = "dir"
    """A folder, on storage that the host has mounted itself."""
    NETFS = "netfs"
    """A network file system that libvirt mounts at the path: source HOST:/export."""
    FS = "fs"
    """A block device with a file system, which libvirt mounts at the path: for cluster file systems on shared disks."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Of a pool's folder, as libvirt sets them when it builds one; None leaves the choice to libvirt."""

    mode: int | None = None
    owner: int | None = None
    """Number of a user on the host."""
    group: int | None = None

    @property
    def is_asked(self) -> bool:
        """Whether anything is asked for."""
        return (self.mode, self.owner, self.group) != (None, None, None)

    def is_met_by(self, other: Permissions) -> bool:
        """Return whether a folder with other permissions has all that is asked for."""
        wanted = ((self.mode, other.mode), (self.owner, other.owner), (self.group, other.group))
        return all(mine in (None, theirs) for mine, theirs in wanted)

    def __str__(self) -> str:
        mode = "" if self.mode is None else f"mode {self.mode:04o}"
        owner = "" if self.owner is None else f"owner {self.owner}"
        group = "" if self.group is None else f"group {self.group}"
        return ", ".join(filter(None, (mode, owner, group))) or "as libvirt likes"


ANY_PERMISSIONS = Permissions()
"""Libvirt's choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """A pool as it should be. `source` is HOST:/export for netfs, a device's path for fs, empty for dir."""

    name: str
    path: str
    type: PoolType = PoolType.DIR
    source: str = ""
    format: str = ""
    permissions: Permissions = ANY_PERMISSIONS

    def xml(self) -> str:
        """Write the pool's definition."""
        pool = ET.Element("pool", type=self.type.value)
        ET.SubElement(pool, "name").text = self.name
        if self.type is not PoolType.DIR:
            source = ET.SubElement(pool, "source")
            if self.type is PoolType.NETFS:
                host, folder = split_export(self.source)
                ET.SubElement(source, "host", name=host)
                ET.SubElement(source, "dir", path=folder)
            else:
                ET.SubElement(source, "device", path=self.source)
            if self.format:
                ET.SubElement(source, "format", type=self.format)
        target = ET.SubElement(pool, "target")
        ET.SubElement(target, "path").text = self.path
        if self.permissions.is_asked:
            permissions = ET.SubElement(target, "permissions")
            if self.permissions.mode is not None:
                ET.SubElement(permissions, "mode").text = f"{self.permissions.mode:04o}"
            if self.permissions.owner is not None:
                ET.SubElement(permissions, "owner").text = str(self.permissions.owner)
            if self.permissions.group is not None:
                ET.SubElement(permissions, "group").text = str(self.permissions.group)
        ET.indent(pool)
        return ET.tostring(pool, encoding="unicode")

    def virsh_definition(self, uri: str) -> str:
        """Return the shell command that defines the pool, as an administrator would type it."""
        # pool-define-as has no options for permissions, and puts what it is given into XML as it is.
        unsafe = self.name.startswith("-") or set(self.name + self.path + self.source + self.format) & set("<>&'\"")
        if self.permissions.is_asked or unsafe:
            return f"{_virsh(uri, 'pool-define', '/dev/stdin')} <<'END'\n{self.xml()}\nEND"
        if self.type is PoolType.DIR:
            return _virsh(uri, "pool-define-as", self.name, "dir", "-", "-", "-", "-", self.path)
        if self.type is PoolType.NETFS:
            host, folder = split_export(self.source)
            origin = ["--source-host", host, "--source-path", folder]
        else:
            origin = ["--source-dev", self.source]
        origin += ["--source-format", self.format] if self.format else []
        return _virsh(uri, "pool-define-as", self.name, self.type.value, *origin, "--target", self.path)

    def virsh_commands(self, uri: str) -> tuple[str, ...]:
        """Return all commands that set the pool up from nothing."""
        rest = ("pool-build", "pool-start", "pool-autostart")
        return (self.virsh_definition(uri), *(virsh_command(uri, command, self.name) for command in rest))


def virsh_command(uri: str, command: str, pool: str) -> str:
    """Return a virsh command about one pool, quoted for a shell."""
    return _virsh(uri, command, *([f"--pool={pool}"] if pool.startswith("-") else [pool]))


def _virsh(uri: str, *arguments: str) -> str:
    return shell_command("virsh --connect", uri, *arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """A pool as a host has it. Sizes are bytes, None where the pool is not active."""

    name: str
    state: PoolState = PoolState.MISSING
    type: str = ""
    path: str = ""
    source: str = ""
    format: str = ""
    autostart: bool = False
    persistent: bool = False
    """Defined for good; another is gone once it is stopped."""
    capacity: int | None = None
    allocation: int | None = None
    available: int | None = None
    permissions: Permissions = ANY_PERMISSIONS


def look_up_pool(connection: HostConnection, name: str) -> PoolFacts:
    """Ask for one pool; its state is MISSING where there is none. Raises DriverError."""
    try:
        pool = connection.handle.storagePoolLookupByName(name)
        active = bool(pool.isActive())
        facts = _read(str(pool.XMLDesc(0)), name)
        return replace(
            facts,
            state=PoolState.ACTIVE if active else PoolState.INACTIVE,
            autostart=bool(pool.autostart()),
            persistent=bool(pool.isPersistent()),
            capacity=facts.capacity if active else None,
            allocation=facts.allocation if active else None,
            available=facts.available if active else None,
        )
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_POOL:
            return PoolFacts(name=name)
        raise connection.failed(error, f"ask for pool {name}") from error


def same_place(one: str, other: str) -> bool:
    """Return whether two paths are the same by their text."""
    return posixpath.normpath(one or "/") == posixpath.normpath(other or "/")


def split_export(source: str) -> tuple[str, str]:
    """Split HOST:/export; an IPv6 address stands in brackets."""
    host, _, folder = source.partition(":/")
    return host.removeprefix("[").removesuffix("]"), "/" + folder


def look_at_folder(connection: HostConnection, path: str) -> Permissions | None:
    """Return the permissions of a folder on the host; None where nothing is there. Changes nothing.

    Raises DriverError where something else than a folder is there, or where another pool has it.
    """
    doing = f"look at {path}"
    # A pool that is never defined, only started: the one way to look at a folder through libvirt.
    glance = PoolPlan(name=f"realms-glance-{uuid.uuid4().hex}", path=path)
    try:
        pool = connection.handle.storagePoolCreateXML(glance.xml(), 0)
    except libvirt.libvirtError as error:
        number = error_number(error)
        if number == errno.ENOENT:
            return None
        if number == errno.ENOTDIR:
            hint = "a pool needs a folder: choose another --path"
            raise DriverError(connection.host, f"{doing}: it is not a folder", hint=hint) from error
        raise connection.failed(error, doing) from error
    try:
        return _read(str(pool.XMLDesc(0)), path).permissions
    except libvirt.libvirtError as error:
        raise connection.failed(error, doing) from error
    finally:
        with translated(connection.host, doing):
            pool.destroy()


def missing_parents(connection: HostConnection, path: str) -> tuple[str, ...]:
    """Return the folders above a path that aren't there, the innermost first: building a pool makes them too."""
    missing = []
    parent = posixpath.dirname(posixpath.normpath(path))
    with contextlib.suppress(DriverError):  # something else than a free folder is there: it isn't missing
        while parent != "/" and look_at_folder(connection, parent) is None:
            missing.append(parent)
            parent = posixpath.dirname(parent)
    return tuple(missing)


def remove_empty_folder(connection: HostConnection, path: str) -> None:
    """Remove a folder that no pool has, if it is there and empty."""
    doing = f"remove {path}"
    with translated(connection.host, doing):
        pool = connection.handle.storagePoolDefineXML(
            PoolPlan(name=f"realms-removal-{uuid.uuid4().hex}", path=path).xml(), 0
        )
    try:
        pool.delete(libvirt.VIR_STORAGE_POOL_DELETE_NORMAL)
    except libvirt.libvirtError as error:
        if error_number(error) not in (errno.ENOENT, errno.ENOTEMPTY):
            raise connection.failed(error, doing) from error
    finally:
        with translated(connection.host, doing):
            pool.undefine()


def define_pool(connection: HostConnection, plan: PoolPlan) -> None:
    """Define a pool of a name that no other has."""
    with translated(connection.host, f"define pool {plan.name}"):
        connection.handle.storagePoolDefineXML(plan.xml(), 0)


def pool_definition(connection: HostConnection, name: str) -> str:
    """Return a pool's definition as libvirt keeps it, its UUID included."""
    with translated(connection.host, f"read the definition of pool {name}"):
        pool = connection.handle.storagePoolLookupByName(name)
        stored = pool.isPersistent() and not connection.is_embedded  # the embedded driver knows no such flag
        return str(pool.XMLDesc(libvirt.VIR_STORAGE_XML_INACTIVE if stored else 0))


def define_again(connection: HostConnection, definition: str) -> None:
    """Define a pool as it was before it was undefined."""
    with translated(connection.host, "define a pool again"):
        connection.handle.storagePoolDefineXML(definition, 0)


def build_pool(connection: HostConnection, name: str) -> None:
    """Make the folder of a pool that is not active, with its permissions; one that is there keeps its files."""
    _act(connection, name, "build", "build", 0)


def start_pool(connection: HostConnection, name: str) -> None:
    """Start a pool; raises FolderMissing where it can't because its folder isn't there."""
    try:
        connection.handle.storagePoolLookupByName(name).create(0)
    except libvirt.libvirtError as error:
        failure = connection.failed(error, f"start pool {name}")
        if error_number(error) == errno.ENOENT:
            raise FolderMissing(connection.host, failure.bare_message) from error
        raise failure from error


def stop_pool(connection: HostConnection, name: str) -> None:
    """Stop a pool; what lies in it stays. One that is stopped already is fine."""
    with translated(connection.host, f"stop pool {name}"):
        pool = connection.handle.storagePoolLookupByName(name)
        if pool.isActive():
            pool.destroy()


def set_autostart(connection: HostConnection, name: str, *, on: bool) -> None:
    """Have a pool started with its host, or not."""
    _act(connection, name, "setAutostart", "set autostart of", int(on))


def refresh_pool(connection: HostConnection, name: str) -> None:
    """Have libvirt look again at what lies in a pool: it doesn't notice what other hosts do there."""
    try:
        refresh(connection.handle.storagePoolLookupByName(name))
    except libvirt.libvirtError as error:
        raise connection.failed(error, f"refresh pool {name}") from error


def undefine_pool(connection: HostConnection, name: str) -> None:
    """Forget a pool that is not active; what lies in it stays. One that is gone is fine."""
    _act(connection, name, "undefine", "undefine", fine=libvirt.VIR_ERR_NO_STORAGE_POOL)


def error_number(error: libvirt.libvirtError) -> int:
    """Return the operating system's number of an error on the host, 0 where it was none."""
    return int(error.get_int1()) if error.get_error_code() == libvirt.VIR_ERR_SYSTEM_ERROR else 0


def _act(
    connection: HostConnection, name: str, method: str, doing: str, *arguments: int, fine: int | None = None
) -> None:
    try:
        getattr(connection.handle.storagePoolLookupByName(name), method)(*arguments)
    except libvirt.libvirtError as error:
        if error.get_error_code() != fine:
            raise connection.failed(error, f"{doing} pool {name}") from error


def _read(xml: str, name: str) -> PoolFacts:
    try:
        pool = parse(xml, "pool")
    except XmlRefused:  # libvirt writes no such XML; the state of the pool is still known
        return PoolFacts(name=name)
    source_format = pool.find("source/format")
    return PoolFacts(
        name=name,
        type=pool.get("type", ""),
        path=pool.findtext("target/path", ""),
        source=_source(pool),
        format="" if source_format is None else source_format.get("type", ""),
        capacity=whole_number(pool.findtext("capacity")),
        allocation=whole_number(pool.findtext("allocation")),
        available=whole_number(pool.findtext("available")),
        permissions=Permissions(
            whole_number(pool.findtext("target/permissions/mode"), base=8),
            whole_number(pool.findtext("target/permissions/owner")),
            whole_number(pool.findtext("target/permissions/group")),
        ),
    )


def _source(pool: ET.Element) -> str:
    host, folder, device, name = (pool.find(f"source/{tag}") for tag in ("host", "dir", "device", "name"))
    if host is not None:
        address = host.get("name", "")
        folder_path = folder.get("path", "") if folder is not None else (name.text or "" if name is not None else "")
        return f"[{address}]:{folder_path}" if ":" in address else f"{address}:{folder_path}"
    if device is not None:
        return device.get("path", "")
    return name.text or "" if name is not None else ""
