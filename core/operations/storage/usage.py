"""What lies in a realm's pools, and who uses it: asked of every host, because any of them might (specification, 9)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import DriverError
from core.fleet.fleet import PoolState
from core.operations.hosts.fanout import map_hosts
from core.operations.storage.other_realms import NOWHERE, Elsewhere, Wanted, export_of
from core.operations.storage.pool_report import PoolRole
from core.operations.tasks.step_kinds import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from core.driver.storage.volumes import Volume
    from core.driver.vms.disks import DomainDisks
    from core.hosts import Host
    from core.operations.tasks.task import Control
    from core.realms import Realm

INCOMPLETE = ".incomplete"
"""Ends the name of a volume that stands beside one that is being made: who finds it must not use that one yet."""


class UseKind(StrEnum):
    """How something uses a brick or a drive."""

    DISK = "disk"
    """A VM has it as a disk, or its disk is based on it."""
    OVERLAY = "overlay"
    """A volume is an overlay of it."""
    COPY = "copy"
    """A VM was made from it by a full copy: it can go."""
    MARK = "mark"
    """A VM is marked as made from it, and nobody can tell whether it is a copy: no volume of the VM was found."""
    PERHAPS = "perhaps"
    """A VM, or an overlay, names what may be the same file: by another path that may lead there, or in another realm at
    the same path, which may be other storage."""
    OPERATION = "operation"
    """An operation is working on it, or a killed one has left it: `active` tells which."""


@dataclass(frozen=True, slots=True)
class Use:
    """One user. `name` is a VM's, a volume's in `pool`, or says an operation; `vms` use such a volume, as HOST/NAME."""

    kind: UseKind
    name: str
    host: str = ""
    active: bool | None = None
    """Whether the VM, or one that uses the volume, holds resources now."""
    pool: str = ""
    vms: tuple[str, ...] = ()
    realm: str = ""
    """Another realm, where the user is one of its own."""
    path: str = ""
    """What it names, where nobody can tell whether that is the same file."""

    @property
    def keeps(self) -> bool:
        """Whether what is used must stay, whatever anyone says."""
        return self.kind in (UseKind.DISK, UseKind.OVERLAY) or (self.kind is UseKind.OPERATION and bool(self.active))

    def __str__(self) -> str:
        if self.kind is UseKind.OPERATION:
            return f"{self.name}, {'at work' if self.active else 'left behind by a killed program'}"
        state = {True: "running", False: "off", None: ""}[self.active]
        realm = f"realm {self.realm}" if self.realm else ""
        how = {UseKind.COPY: "a copy", UseKind.MARK: "by its mark", UseKind.PERHAPS: f"perhaps: it has {self.path}"}
        if self.pool:
            vms = f"VM {', '.join(self.vms)}, {state}" if self.vms else ""
            told = ", ".join(filter(None, (vms, realm, how.get(self.kind, ""))))
            return f"overlay {self.pool}/{self.name}" + (f" ({told})" if told else "")
        told = ", ".join(filter(None, (state, realm, how.get(self.kind, ""))))
        return f"VM {self.host}/{self.name}" + (f" ({told})" if told else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A brick or a drive. Sizes are bytes, times seconds since the epoch."""

    name: str
    pool: str
    path: str
    format: str
    capacity: int
    allocation: int
    changed_at: float | None = None
    complete: bool = True
    """False while it is being made, or where that was never finished."""
    backing_path: str = ""
    hosts: tuple[str, ...] = ()
    """Those that see it."""
    uses: tuple[Use, ...] = ()

    @property
    def users(self) -> tuple[Use, ...]:
        """Those that use it, each once: a VM that runs on an overlay of it is told with that."""
        told = {vm for use in self.uses if use.kind is UseKind.OVERLAY for vm in use.vms}
        return tuple(use for use in self.uses if use.kind is not UseKind.DISK or f"{use.host}/{use.name}" not in told)


@dataclass(frozen=True, slots=True)
class ImagesReport:
    """The bricks or drives of a realm. `unasked` are hosts that could not be asked, or not for everything, and why."""

    realm: Realm
    role: PoolRole
    images: tuple[Image, ...] = ()
    unasked: Mapping[str, str] = field(default_factory=dict)
    hosts_answering: int = 0
    hosts_total: int = 0
    """Hosts that are not disabled."""
    remark: str = ""
    """What could not be found out about other realms; empty where there is nothing to say."""

    def image(self, name: str) -> Image | None:
        """Find one by its name."""
        return next((image for image in self.images if image.name == name), None)


@dataclass(frozen=True, slots=True)
class HostStorage:
    """What one host told: names of its pools, their volumes, and its domains' disks."""

    host: Host
    pools: Mapping[PoolRole, str]
    volumes: Mapping[PoolRole, tuple[Volume, ...]]
    domains: tuple[DomainDisks, ...]
    problems: tuple[str, ...] = ()
    folders: Mapping[PoolRole, str] = field(default_factory=dict)
    """Paths of the pools that it has."""
    exports: Mapping[PoolRole, str] = field(default_factory=dict)
    """What libvirt mounts them from, as HOST:/export; empty where it mounts nothing of the net."""


def look_at_images(
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    role: PoolRole,
    deadline: float,
    *,
    elsewhere: Callable[[], Elsewhere] = lambda: NOWHERE,
) -> ImagesReport:
    """Ask every host for the realm's volumes and its domains' disks, all at once, and put the answers together.

    `elsewhere` waits for what hosts of other realms tell.
    """

    def look(host: Host) -> HostStorage:
        with control.step(StepKind.LOOK, "ask for volumes and who uses them", host.name) as step:
            seen = look_at_storage(realm, host, deadline)
            step.detail("; ".join(seen.problems))
            return seen

    answers = map_hosts(hosts, look)
    unasked = {answer.host.name: answer.error.bare for answer in answers if answer.error is not None}
    told = [answer.value for answer in answers if answer.value is not None]
    return put_together(realm, role, hosts, told, unasked, elsewhere=elsewhere())


def put_together(
    realm: Realm,
    role: PoolRole,
    hosts: Sequence[Host],
    told: Sequence[HostStorage],
    unasked: Mapping[str, str],
    *,
    elsewhere: Elsewhere = NOWHERE,
) -> ImagesReport:
    """Make one report of what hosts told; `unasked` says of others why they have not."""
    problems = {each.host.name: "; ".join(each.problems) for each in told if each.problems}
    enabled = sum(host.state.connects for host in hosts)
    images, wanted = [], []
    for image, looked_for in _images(told, role):
        images.append(replace(image, uses=(*image.uses, *_uses_elsewhere(elsewhere, looked_for))))
        wanted.append(looked_for)
    silent = {**unasked, **problems, **elsewhere.unasked(wanted)}
    return ImagesReport(realm, role, tuple(images), silent, len(told), enabled, elsewhere.remark)


def _uses_elsewhere(elsewhere: Elsewhere, wanted: Wanted) -> Iterator[Use]:
    for use in elsewhere.uses(wanted):
        certain = UseKind.OVERLAY if use.pool else UseKind.DISK
        yield Use(
            certain if use.sure else UseKind.PERHAPS,
            use.name,
            use.host,
            use.active,
            pool=use.pool,
            realm=use.realm,
            path="" if use.sure else use.path,
        )


def look_at_storage(realm: Realm, host: Host, deadline: float) -> HostStorage:
    """Ask one host for the realm's volumes and its domains' disks. Raises DriverError."""
    from core.driver.connection.jobs import job_connection
    from core.driver.storage.volumes import list_volumes
    from core.driver.vms.disks import read_disks
    from core.operations.storage.pool_setup import look_up_realm_pools

    with job_connection(host, deadline) as connection:
        pools = look_up_realm_pools(connection, realm)
        volumes: dict[PoolRole, tuple[Volume, ...]] = {}
        problems = []
        for role, facts in pools.items():
            if facts.state is not PoolState.ACTIVE:
                problems.append(f"pool {facts.name} is {facts.state}")
                continue
            try:
                volumes[role] = list_volumes(connection, facts.name)
            except DriverError as error:
                problems.append(error.bare)
        domains = read_disks(connection)
    names = {role: facts.name for role, facts in pools.items()}
    folders = {role: facts.path for role, facts in pools.items()}
    exports = {role: export_of(facts) for role, facts in pools.items()}
    return HostStorage(host, names, volumes, domains, tuple(problems), folders, exports)


def _images(told: Sequence[HostStorage], role: PoolRole) -> Iterator[tuple[Image, Wanted]]:
    """Give each image with its users in the realm, and what of it is to be looked for in others."""
    exports = frozenset(export for each in told if (export := each.exports.get(role)))
    seen: dict[str, dict[str, Volume]] = {}
    for each in told:
        for volume in each.volumes.get(role, ()):
            seen.setdefault(volume.name, {})[each.host.name] = volume
    unfinished = {name.removesuffix(INCOMPLETE) for name in seen if name.endswith(INCOMPLETE)}
    for name in sorted((seen.keys() | unfinished) - {name + INCOMPLETE for name in unfinished}):
        by_host = seen.get(name) or seen[name + INCOMPLETE]
        volume = next(iter(by_host.values()))
        exists = name in seen
        paths = {_plain(each.path) for each in by_host.values()} if exists else set()
        if exists:  # a host that has not looked into its pool again may use what it does not list
            paths |= {_plain(posixpath.join(folder, name)) for each in told if (folder := each.folders.get(role))}
        image = Image(
            name=name,
            pool=volume.pool,
            path=volume.path.removesuffix(INCOMPLETE) if not exists else volume.path,
            format=volume.format if exists else "",
            capacity=volume.capacity if exists else 0,
            allocation=volume.allocation if exists else 0,
            changed_at=volume.changed_at,
            complete=name not in unfinished,
            backing_path=volume.backing_path,
            hosts=tuple(by_host),
            uses=(*_uses(told, role, name, paths), *_uses_by_other_paths(told, role, name, paths)),
        )
        size = volume.capacity if exists else None
        yield image, Wanted(name, frozenset(paths), exports, size, volume.changed_at if exists else None)


def _uses(told: Sequence[HostStorage], role: PoolRole, name: str, paths: set[str]) -> Iterator[Use]:
    """Find who uses an image that lies at these paths. The same volume is seen by many hosts: it is told once."""
    overlays: dict[tuple[PoolRole, str], Volume] = {}
    for each in told:
        for other, volumes in each.volumes.items():
            for volume in volumes:
                if volume.backing_path and _plain(volume.backing_path) in paths:
                    overlays.setdefault((other, volume.name), volume)
    for (other, overlay_name), overlay in overlays.items():
        users = [(each, vm) for each in told for vm in each.domains if _has(each, vm, other, overlay_name, overlay)]
        active = any(vm.active for _, vm in users) if users else None
        vms = tuple(f"{each.host.name}/{vm.name}" for each, vm in users)
        yield Use(UseKind.OVERLAY, overlay_name, active=active, pool=overlay.pool, vms=vms)
    for each in told:
        for vm in each.domains:
            marked = role is PoolRole.BRICKS and vm.mark is not None and vm.mark.brick == name
            if any(_plain(file) in paths for file in vm.files) or (each.pools.get(role), name) in vm.volumes:
                kind = UseKind.DISK
            elif marked and not any(_has(each, vm, *key, volume) for key, volume in overlays.items()):
                kind = UseKind.COPY if _has_volumes(told, each, vm) else UseKind.MARK
            else:
                continue
            yield Use(kind, vm.name, each.host.name, vm.active)


def _uses_by_other_paths(told: Sequence[HostStorage], role: PoolRole, name: str, paths: set[str]) -> Iterator[Use]:
    """Find who names a file of an image's name that lies in no pool: a symbolic link may lead from there to the image.

    Libvirt compares paths, and so can't tell.
    """

    def may_be(each: HostStorage, file: str) -> bool:
        folder = posixpath.dirname(_plain(file))
        in_pool = any(folder == _plain(known) for known in each.folders.values() if known)
        return bool(paths) and posixpath.basename(file) == name and _plain(file) not in paths and not in_pool

    overlays: set[tuple[PoolRole, str]] = set()
    for each in told:
        for other, volumes in each.volumes.items():
            for volume in volumes:
                if may_be(each, volume.backing_path) and (other, volume.name) not in overlays:
                    overlays.add((other, volume.name))
                    yield Use(UseKind.PERHAPS, volume.name, pool=volume.pool, path=volume.backing_path)
        for vm in each.domains:
            if (each.pools.get(role), name) in vm.volumes:
                continue
            file = min((file for file in vm.files if may_be(each, file)), default="")
            if file:
                yield Use(UseKind.PERHAPS, vm.name, each.host.name, vm.active, path=file)


def _has(each: HostStorage, vm: DomainDisks, role: PoolRole, name: str, volume: Volume) -> bool:
    path = _plain(volume.path)
    return (each.pools.get(role), name) in vm.volumes or any(_plain(file) == path for file in vm.files)


def _has_volumes(told: Sequence[HostStorage], each: HostStorage, vm: DomainDisks) -> bool:
    known = {_plain(volume.path) for other in told for volumes in other.volumes.values() for volume in volumes}
    return any(_plain(file) in known for file in vm.files) or any(pool in each.pools.values() for pool, _ in vm.volumes)


def _plain(path: str) -> str:
    return posixpath.normpath(path)
