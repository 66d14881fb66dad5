"""How a host sees a volume whose users are looked for: paths that certainly are it, and those that may be."""

import functools
import posixpath
from collections.abc import Collection
from dataclasses import dataclass

from core.operations.storage.host_facts import HostStorage, PoolContents, StorageFacts


@dataclass(frozen=True, slots=True)
class VolumeIdentity:
    """A volume whose users are looked for, as the hosts of its own realm see it."""

    name: str
    pools: frozenset[str]
    """What its pool is called there."""
    paths: frozenset[str]
    exports: frozenset[str]
    """What its pool is mounted from, as HOST:/export, where libvirt has mounted it."""
    capacity: int | None
    changed_at: float | None
    is_brick: bool


@dataclass(frozen=True, slots=True)
class VolumeMatch:
    """That something on a host names a volume; `path` where that only may be so."""

    certain: bool
    path: str = ""


@dataclass(frozen=True, slots=True)
class VolumeSight:
    """How a host sees a volume: paths that certainly are it, and those that may be."""

    volume: VolumeIdentity
    certain: frozenset[str]
    possible: frozenset[str]
    known: frozenset[str] | None
    """Folders of the realm's pools, whose files are known; None on hosts of other realms."""
    is_shared: bool
    """Whether one of its pools has the volume, or may have it."""

    def match(self, files: Collection[str], volumes: Collection[tuple[str, str]] = ()) -> VolumeMatch | None:
        """Judge what a VM, or an overlay, names."""
        in_pool = self.known is not None and any((pool, self.volume.name) in volumes for pool in self.volume.pools)
        if in_pool or any(plain_path(file) in self.certain for file in files):
            return VolumeMatch(certain=True)
        named = min((file for file in files if self._may_be(plain_path(file))), default=None)
        return None if named is None else VolumeMatch(certain=False, path=named)

    def _may_be(self, file: str) -> bool:
        folder, name = posixpath.split(file)
        return file in self.possible or (
            self.known is not None and name == self.volume.name and folder not in self.known
        )


def sight_of(facts: StorageFacts, told: HostStorage, volume: VolumeIdentity) -> VolumeSight:
    """Return how a host sees a volume."""
    own = told.host.realm == facts.realm
    verdicts: dict[str, bool | None] = {}
    for pool in told.pools:
        if pool.path:
            path = plain_path(posixpath.join(pool.path, volume.name))
            same = True if pool.export and pool.export in volume.exports else None
            if same is None and path in volume.paths and not own:
                same = _is_same(pool, volume)
            verdicts[path] = max(same, verdicts.get(path), key=(None, False, True).index)
    certain = {path for path, same in verdicts.items() if same}
    possible = {path for path, same in verdicts.items() if same is False}
    is_shared = bool(certain or possible)
    if own:
        certain |= volume.paths
    else:  # a VM there may name the file itself, where no pool tells what lies there
        possible |= volume.paths - verdicts.keys()
    known = frozenset(plain_path(pool.path) for pool in told.pools if pool.role is not None and pool.path)
    return VolumeSight(volume, frozenset(certain), frozenset(possible), known if own else None, is_shared)


def _is_same(pool: PoolContents, volume: VolumeIdentity) -> bool | None:
    """Tell whether a pool at the same path has the same volume; False where that is unknown, None where it has not."""
    if pool.volumes is None:
        return False
    seen = next((each for each in pool.volumes if each.name == volume.name), None)
    if seen is None or (volume.capacity is not None and seen.capacity != volume.capacity):
        return False if pool.is_stale else None  # it may have been made, or grown, since
    return volume.changed_at is not None and seen.changed_at == volume.changed_at


@functools.lru_cache(maxsize=1 << 16)
def plain_path(path: str) -> str:
    """Return a path as it is compared. Two slashes at its begin are one: POSIX leaves them, libvirt does not."""
    return posixpath.normpath(path).replace("//", "/")
