"""Who uses a volume, judged by what hosts told.

An answer is certain: the same pool, the same export, the same file by path, size and time of change. Or it is a doubt:
a file of the same name in no pool, to which a symbolic link may lead (libvirt compares paths, and so can't tell), or
the same path in another realm, where other storage may be mounted. A host that could not be asked is a doubt too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.driver.storage.volumes import Volume
from core.driver.vms.disks import DomainDisks
from core.operations.storage.host_facts import HostStorage, PoolContents, StorageFacts
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.sight import VolumeIdentity, VolumeMatch, VolumeSight, plain_path, sight_of
from core.text import printable


class UseKind(StrEnum):
    """How something uses a volume."""

    DISK = "disk"
    """A VM has it as a disk, or its disk is based on it."""
    OVERLAY = "overlay"
    """A volume is an overlay of it."""
    COPY = "copy"
    """A VM was made from it by a full copy: it can go."""
    MARK = "mark"
    """A VM is marked as made from it, and it is unknown whether it is a copy: no volume of the VM was found."""
    OPERATION = "operation"
    """An operation is working on it, or a killed one has left it: `active` tells which."""


@dataclass(frozen=True, slots=True)
class VolumeUser:
    """One that uses a volume, or may. `name` is a VM's, a volume's in `pool`, or says an operation."""

    kind: UseKind
    name: str
    host: str = ""
    active: bool | None = None
    """Whether the VM, or one that uses the volume, holds resources now."""
    pool: str = ""
    vms: tuple[str, ...] = ()
    """VMs that use such a volume, as HOST/NAME."""
    realm: str = ""
    """Another realm, where the user is one of its own."""
    path: str = ""
    """What it names, where it is unknown whether that is the same file."""
    certain: bool = True
    """Whether it is known to use, or to have used, this very volume."""

    @property
    def keeps(self) -> bool:
        """Whether what is used must stay, whatever anyone says."""
        held = self.kind in (UseKind.DISK, UseKind.OVERLAY) or (self.kind is UseKind.OPERATION and bool(self.active))
        return self.certain and held

    @property
    def may_need_it(self) -> bool:
        """Whether it is unknown if it needs the volume."""
        return not self.certain or (self.kind is UseKind.OPERATION and not self.active)

    def __str__(self) -> str:
        if self.kind is UseKind.OPERATION:
            return printable(f"{self.name}, {'in progress' if self.active else 'interrupted'}")
        state = {True: "running", False: "off", None: ""}[self.active]
        realm = f"realm {self.realm}" if self.realm else ""
        how = {UseKind.COPY: "a copy", UseKind.MARK: "by its mark"}.get(self.kind, "")
        if self.path and not self.certain:
            how = f"possibly: it has {self.path}"
        what = f"VM {self.host}/{self.name}"
        if self.pool:
            what = f"overlay {self.pool}/{self.name}"
            state = f"VM {', '.join(self.vms)}, {state}" if self.vms else ""
        told = ", ".join(filter(None, (state, realm, how)))
        return printable(what + (f" ({told})" if told else ""))


def wanted(facts: StorageFacts, volume: Volume, *, exists: bool = True) -> VolumeIdentity:
    """Describe a volume as the realm's hosts see it: one that has not looked into its pool again may use it too.

    What does not exist yet has neither a size nor a time of change.
    """
    pools = [pool for told in facts.own for pool in told.pools]
    roles = {pool.role for pool in pools if pool.name == volume.pool and pool.role is not None}
    same = [pool for pool in pools if pool.name == volume.pool or pool.role in roles]
    paths = {posixpath.join(pool.path, volume.name) for pool in same if pool.path}
    paths |= {each.path for pool in same for each in pool.volumes or () if each.name == volume.name}
    return VolumeIdentity(
        volume.name,
        frozenset({volume.pool, *(pool.name for pool in same)}),
        frozenset(plain_path(path) for path in (*paths, volume.path) if path),
        frozenset(pool.export for pool in same if pool.export),
        volume.capacity if exists else None,
        volume.changed_at if exists else None,
        PoolRole.BRICKS in roles,
    )


class Users:
    """Finds who uses volumes by what the hosts told, which is looked through once for all of them."""

    def __init__(self, facts: StorageFacts) -> None:
        self._facts = facts
        self._hosts = tuple(map(_Named, facts.told))
        self._known = {plain_path(volume.path) for told in facts.own for _, volume in told.volumes()}
        self._elsewhere = {
            told.host.name: {plain_path(volume.path) for _, volume in told.volumes()}
            for told in facts.told
            if told.host.realm != facts.realm
        }

    def of(self, volume: VolumeIdentity, *, but: tuple[str, str] | None = None) -> tuple[VolumeUser, ...]:
        """Return who uses a volume, or may: what is certain first, an overlay that many hosts see once.

        `but` is a VM that does not count, by host and UUID.
        """
        names = {volume.name, *map(posixpath.basename, volume.paths)}
        sights = [(named, sight_of(self._facts, named.told, volume)) for named in self._hosts]
        overlays = [(overlay, self._having(overlay)) for overlay in _overlays(sights, names)]
        found = [self._overlay(overlay, having) for overlay, having in overlays]
        on_overlays = {id(vm) for _, having in overlays for _, vm in having}
        for named, sight in sights:
            host, realm = named.told.host, self._other_realm(named.told)
            for vm in named.vms(names, open_chains=volume.is_brick):
                if (host.name, vm.uuid) == but:
                    continue
                match = sight.match(vm.files, vm.volumes)
                marked = volume.is_brick and vm.mark is not None and vm.mark.brick == volume.name
                if marked and not realm and id(vm) not in on_overlays and (match is None or not match.certain):
                    copied = self._has_volumes(named.told, vm)
                    kind = UseKind.COPY if copied else UseKind.MARK
                    found.append(VolumeUser(kind, vm.name, host.name, vm.active, certain=copied))
                if match is None and volume.is_brick:
                    match = self._hidden(named.told, vm)
                if match is not None:
                    user = VolumeUser(
                        UseKind.DISK, vm.name, host.name, vm.active,
                        realm=realm, path=match.path, certain=match.certain,
                    )  # fmt: skip
                    found.append(user)
        return tuple(sorted(found, key=lambda user: not user.certain))

    def _hidden(self, told: HostStorage, vm: DomainDisks) -> VolumeMatch | None:
        """Tell a disk that may be an overlay of anything: it lies in no pool, and its VM has never started."""
        known = self._elsewhere.get(told.host.name, self._known)
        lost = min((file for file in vm.open_chains if plain_path(file) not in known), default=None)
        return None if lost is None else VolumeMatch(certain=False, path=f"{lost}, based on an unknown file")

    def _other_realm(self, told: HostStorage) -> str:
        return told.host.realm if told.host.realm != self._facts.realm else ""

    def _having(self, overlay: _Overlay) -> list[tuple[HostStorage, DomainDisks]]:
        """Find the VMs of its realm that have an overlay as a disk."""
        name, found = overlay.volume.name, []
        for named in self._hosts:
            if named.told.host.realm == overlay.told.host.realm:
                pools = [pool for pool in named.told.pools if _key(pool) == _key(overlay.pool)]
                places = {(pool.name, name) for pool in pools}
                paths = {plain_path(posixpath.join(pool.path, name)) for pool in pools if pool.path}
                paths.add(plain_path(overlay.volume.path))
                found += [
                    (named.told, vm)
                    for vm in named.vms({name, posixpath.basename(overlay.volume.path)})
                    if places & vm.volumes or any(plain_path(file) in paths for file in vm.files)
                ]
        return found

    def _overlay(self, overlay: _Overlay, having: Sequence[tuple[HostStorage, DomainDisks]]) -> VolumeUser:
        realm = self._other_realm(overlay.told)
        return VolumeUser(
            UseKind.OVERLAY,
            overlay.volume.name,
            host=overlay.told.host.name if realm else "",
            active=any(vm.active for _, vm in having) if having else None,
            pool=overlay.pool.name,
            vms=tuple(f"{told.host.name}/{vm.name}" for told, vm in having),
            realm=realm,
            path=overlay.match.path,
            certain=overlay.match.certain,
        )

    def _has_volumes(self, told: HostStorage, vm: DomainDisks) -> bool:
        names = {pool.name for pool in told.pools if pool.role is not None}
        return any(plain_path(file) in self._known for file in vm.files) or any(pool in names for pool, _ in vm.volumes)


class _Named:
    """What one host told, by the names of the files that it names: whoever uses a volume names a file of its name."""

    def __init__(self, told: HostStorage) -> None:
        self.told = told
        self._vms: dict[str, list[int]] = {}
        self._open_chains: list[int] = []
        self.overlays: dict[str, list[tuple[PoolContents, Volume]]] = {}
        for number, vm in enumerate(told.domains):
            if vm.open_chains:
                self._open_chains.append(number)
            names = {posixpath.basename(plain_path(file)) for file in vm.files} | {name for _, name in vm.volumes}
            if vm.mark is not None and vm.mark.brick:
                names.add(vm.mark.brick)
            for name in names:
                self._vms.setdefault(name, []).append(number)
        for pool, volume in told.volumes():
            if volume.backing_path:
                name = posixpath.basename(plain_path(volume.backing_path))
                self.overlays.setdefault(name, []).append((pool, volume))

    def vms(self, names: Iterable[str], *, open_chains: bool = False) -> Iterator[DomainDisks]:
        """Return the VMs that name a file, a volume or a brick of one of these names, in their order.

        With `open_chains` those too whose disks may be based on anything.
        """
        numbers = {number for name in names for number in self._vms.get(name, ())}
        numbers.update(self._open_chains if open_chains else ())
        return (self.told.domains[number] for number in sorted(numbers))


@dataclass(frozen=True, slots=True)
class _Overlay:
    """A volume that is based on another, as the host told that is surest of it."""

    told: HostStorage
    pool: PoolContents
    volume: Volume
    match: VolumeMatch


def _key(pool: PoolContents) -> str:
    """Return what a pool is known by on all hosts of its realm."""
    return pool.role or pool.name


def _overlays(sights: Sequence[tuple[_Named, VolumeSight]], names: Collection[str]) -> Iterable[_Overlay]:
    found: dict[tuple[str, str, str], _Overlay] = {}
    for named, sight in sights:
        for pool, volume in (each for name in names for each in named.overlays.get(name, ())):
            match = sight.match((volume.backing_path,))
            if match is not None:
                key = (named.told.host.realm, _key(pool), volume.name)
                if key not in found or (match.certain and not found[key].match.certain):
                    found[key] = _Overlay(named.told, pool, volume, match)
    return found.values()


def unasked_about(
    facts: StorageFacts, volumes: Iterable[VolumeIdentity], *, pools: Collection[str] | None = None
) -> dict[str, str]:
    """Return which hosts could not be asked who uses volumes, or not for all, and why.

    All of the realm count, and a pool that could not be looked into: one of these, where `pools` are named. Those of
    other realms count where a host of theirs that answered sees one of the volumes, or may.
    """
    looked_for = tuple(volumes)
    silent = {host.name: reason for host, reason in facts.unasked.items() if host.realm == facts.realm}
    for told in facts.own:
        problems = [pool.problem for pool in told.pools if pool.problem and (pools is None or pool.name in pools)]
        if problems:
            silent[told.host.name] = "; ".join(problems)
    sharing = {
        told.host.realm
        for told in facts.told
        if told.host.realm != facts.realm and any(sight_of(facts, told, volume).is_shared for volume in looked_for)
    }
    return silent | {host.name: reason for host, reason in facts.unasked.items() if host.realm in sharing}


def unknown_realms(facts: StorageFacts) -> str:
    """Return of which realms nobody answered: whether they share the storage is not known; empty where all did."""
    answering = {told.host.realm for told in facts.told} | {facts.realm}
    silent = sorted({host.realm for host in facts.unasked} - answering)
    return f"no host of realm {', '.join(silent)} answers: make sure that its VMs use other storage" if silent else ""


def users_of_pools(told: HostStorage, roles: Collection[PoolRole]) -> Iterator[tuple[str, tuple[VolumeUser, ...]]]:
    """Return which of the realm's pools a host's VMs need, running or off, also for what their disks are based on."""
    backing = {plain_path(each.path): plain_path(each.backing_path) for _, each in told.volumes() if each.backing_path}
    paths = {(each.pool, each.name): plain_path(each.path) for _, each in told.volumes()}
    needed = [
        (
            vm,
            _with_backing(
                {*map(plain_path, vm.files), *(paths[place] for place in vm.volumes if place in paths)}, backing
            ),
        )
        for vm in told.domains
    ]
    for pool in told.pools:
        if pool.role in roles:
            users = tuple(
                VolumeUser(UseKind.DISK, vm.name, told.host.name, vm.active)
                for vm, files in needed
                if any(name == pool.name for name, _ in vm.volumes) or any(_lies_in(file, pool.path) for file in files)
            )
            if users:
                yield pool.name, users


def _with_backing(files: set[str], backing: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    while files:
        found |= files
        files = {backing[file] for file in files if file in backing} - found
    return found


def _lies_in(file: str, folder: str) -> bool:
    return bool(folder) and file.startswith(plain_path(folder).rstrip("/") + "/")
