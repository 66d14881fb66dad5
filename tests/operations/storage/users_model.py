"""A model of what truly lies where, and of what hosts tell of it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from core.driver.storage.volumes import Volume
from core.driver.vms.disks import DomainDisks
from core.hosts import Host
from core.operations.storage.host_facts import HostStorage, PoolContents, StorageFacts
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.users import Users, VolumeUser, unasked_about, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator


NAMES = ("x", "y")
FILE_SYSTEMS = ("A", "B", "C")
"""The realm's volumes lie on A, its bricks on B."""

VOLUME_FOLDERS = ("/p/vm", "/m/vm")
BRICKS_FOLDER = "/p/bricks"
FOLDERS = (*VOLUME_FOLDERS, BRICKS_FOLDER, "/srv/link")
SOME_FOLDER = st.sampled_from((*VOLUME_FOLDERS, *FOLDERS))
"""What is rare in a realm is frequent here: that things meet."""

WANTED = ("A", "x")
SIZE = 1 << 20

Place = tuple[str, str]
"""A file system, and the name of a file on it."""


@dataclass(frozen=True)
class File:
    """A file that truly is somewhere. No two are changed at the same moment."""

    size: int
    changed_at: float
    backing: str = ""


@dataclass(frozen=True)
class Pool:
    """A pool that is defined on a host."""

    name: str
    folder: str
    netfs: bool
    role: PoolRole | None = None
    looked: bool = True
    stale: bool = False


@dataclass(frozen=True)
class Disk:
    """A VM's disk: a path, or a volume of a pool."""

    name: str
    folder: str = ""
    pool: str = ""


@dataclass(frozen=True)
class Machine:
    """A VM."""

    name: str
    active: bool
    disks: tuple[Disk, ...]


@dataclass(frozen=True)
class Node:
    """A host, what it mounts where, its pools and VMs. One that is silent tells nothing of it."""

    name: str
    realm: str
    mounts: dict[str, str]
    pools: tuple[Pool, ...]
    machines: tuple[Machine, ...]
    answers: bool = True

    @property
    def host(self) -> Host:
        """As it is registered."""
        return Host(name=self.name, realm=self.realm, uri=f"test:///{self.name}", profile="node")

    def pool(self, name: str) -> Pool:
        """Find a pool."""
        return next(pool for pool in self.pools if pool.name == name)

    def path(self, disk: Disk) -> str:
        """Return the path of a disk."""
        return f"{self.pool(disk.pool).folder if disk.pool else disk.folder}/{disk.name}"

    def truly(self, path: str) -> Place:
        """Return the file that a path leads to here."""
        return self.mounts[posixpath.dirname(path)], posixpath.basename(path)

    def export(self, pool: Pool) -> str:
        """Return what a pool is mounted from."""
        return f"nas:/{self.mounts[pool.folder]}" if pool.netfs else ""


@dataclass(frozen=True)
class Truth:
    """All file systems and hosts."""

    files: dict[Place, File]
    nodes: tuple[Node, ...]
    facts: StorageFacts = field(init=False)

    def __post_init__(self) -> None:
        told = tuple(self._told(node) for node in self.nodes if node.answers)
        silent = {node.host: "does not answer" for node in self.nodes if not node.answers}
        object.__setattr__(self, "facts", StorageFacts("main", told, silent))

    def _told(self, node: Node) -> HostStorage:
        domains = tuple(
            DomainDisks(
                name=vm.name, uuid=vm.name, active=vm.active,
                files=frozenset(map(node.path, vm.disks)),
                volumes=frozenset((disk.pool, disk.name) for disk in vm.disks if disk.pool),
            )
            for vm in node.machines
        )  # fmt: skip
        pools = tuple(
            PoolContents(
                name=pool.name, role=pool.role, path=pool.folder, export=node.export(pool),
                volumes=tuple(self._listed(node, pool)) if pool.looked else None, is_stale=pool.stale,
            )
            for pool in node.pools
        )  # fmt: skip
        return HostStorage(node.host, pools, domains)

    def _listed(self, node: Node, pool: Pool) -> Iterator[Volume]:
        for (system, name), file in self.files.items():
            if system == node.mounts[pool.folder] and not (pool.stale and name == WANTED[1]):
                yield Volume(
                    pool=pool.name, name=name, path=f"{pool.folder}/{name}", format="qcow2", capacity=file.size,
                    allocation=0, backing_path=file.backing, changed_at=file.changed_at,
                )  # fmt: skip

    @property
    def volume(self) -> Volume:
        """The volume whose users are looked for, as the first host sees it, which always is one of the realm."""
        file, folder = self.files[WANTED], self.nodes[0].pool("vm").folder
        return Volume(
            pool="vm", name="x", path=f"{folder}/x", format="qcow2", capacity=file.size, allocation=0,
            changed_at=file.changed_at,
        )  # fmt: skip

    def users(self) -> tuple[VolumeUser, ...]:
        """Ask the product."""
        return Users(self.facts).of(wanted(self.facts, self.volume))

    def unasked(self) -> dict[str, str]:
        """Ask the product which silent hosts count."""
        return unasked_about(self.facts, [wanted(self.facts, self.volume)])


@dataclass(frozen=True)
class Model:
    """What ought to be said of each path on a host: "certain", "possible", or nothing. As simple as can be."""

    truth: Truth

    @property
    def own(self) -> list[Node]:
        """The hosts of the realm that answer, and the one that has told of the volume."""
        return [node for node in self.truth.nodes if node.realm == "main" and node.answers]

    @property
    def folders(self) -> set[str]:
        """Where the volume's pool is on the realm's hosts."""
        folder = posixpath.dirname(self.truth.volume.path)
        return {node.pool("vm").folder for node in self.own} | {folder}

    @property
    def exports(self) -> set[str]:
        """What it is mounted from there."""
        return {node.export(node.pool("vm")) for node in self.own} - {""}

    def verdict(self, node: Node, path: str) -> str:
        """Return what a path on a host is."""
        folder, name = posixpath.split(path)
        over = [pool for pool in node.pools if pool.folder == folder]
        if name != "x":
            return ""
        if any(node.export(pool) in self.exports for pool in over):
            return "certain"
        if node.realm == "main":
            if folder in self.folders:
                return "certain"
            return "" if any(pool.role is not None for pool in over) else "possible"
        if folder not in self.folders:
            return ""
        if not over:
            return "possible"
        return max((self._seen(node, pool) for pool in over), key=("", "possible", "certain").index)

    def _seen(self, node: Node, pool: Pool) -> str:
        if not pool.looked:
            return "possible"
        there, sought = self.truth.files.get((node.mounts[pool.folder], "x")), self.truth.files[WANTED]
        if pool.stale:  # the list is older than the file
            return "possible"
        if there is None or there.size != sought.size:
            return ""
        return "certain" if there.changed_at == sought.changed_at else "possible"

    def machines(self) -> dict[tuple[str, str], str]:
        """Return of each VM that ought to be told whether that is certain."""
        found = {}
        for node in self.truth.nodes:
            for vm in node.machines if node.answers else ():
                verdicts = {self.verdict(node, node.path(disk)) for disk in vm.disks} - {""}
                if verdicts:
                    found[node.name, vm.name] = min(verdicts)
        return found

    def overlays(self) -> dict[tuple[str, str, str], str]:
        """Return the same of each overlay, by its realm, its pool and its name."""
        found: dict[tuple[str, str, str], str] = {}
        for node in self.truth.nodes:
            for pool in node.pools if node.answers else ():
                for (system, name), file in self.truth.files.items():
                    listed = pool.looked and system == node.mounts[pool.folder] and not (pool.stale and name == "x")
                    verdict = self.verdict(node, file.backing) if listed and file.backing else ""
                    if verdict:
                        key = (node.realm, pool.name, name)
                        found[key] = min(verdict, found.get(key, verdict))
        return found

    def silent(self) -> set[str]:
        """Name the silent hosts that may use it: all of the realm, and of those others that are seen to share it."""
        sharing = {"main"} | {
            node.realm
            for node in self.truth.nodes
            for pool in node.pools
            if node.answers and node.realm != "main" and self.verdict(node, f"{pool.folder}/x")
        }
        return {node.name for node in self.truth.nodes if not node.answers and node.realm in sharing}


def pools_of(draw: st.DrawFn, realm: str) -> tuple[Pool, ...]:
    """Define pools: on the realm's hosts its own, on others any; and perhaps one that is nobody's."""
    found = []
    flag = st.booleans()
    if realm == "main":
        found.append(Pool("vm", draw(st.sampled_from(VOLUME_FOLDERS)), draw(flag), PoolRole.VOLUMES, looked=draw(flag)))
        found.append(Pool("bricks", BRICKS_FOLDER, draw(flag), PoolRole.BRICKS, looked=draw(flag)))
    else:
        for name in ("vm", "bricks"):
            if draw(flag):
                folder, netfs, stale = draw(SOME_FOLDER), draw(flag), draw(flag)
                found.append(Pool(name, folder, netfs, looked=stale or draw(flag), stale=stale))
    if draw(flag):
        found.append(Pool("extra", draw(SOME_FOLDER), draw(flag), looked=realm != "main"))
    return tuple(found)


@st.composite
def nodes(draw: st.DrawFn, number: int) -> Node:
    """Make a host; the first is one of the realm, and answers."""
    realm = "main" if not number else draw(st.sampled_from(("main", "other", "other", "third")))
    pools = pools_of(draw, realm)
    mounts = {folder: draw(st.sampled_from(("A", *FILE_SYSTEMS))) for folder in FOLDERS}
    if realm == "main":
        mounts |= {BRICKS_FOLDER: "B", pools[0].folder: "A"}
    names = st.sampled_from(("x", "x", "over", "y"))
    paths = st.builds(Disk, names, folder=SOME_FOLDER)
    named = st.builds(Disk, names, pool=st.sampled_from([pool.name for pool in pools] or [""]))
    disks = st.lists(st.one_of(paths, named if pools else paths), max_size=2)
    machines = tuple(
        Machine(f"vm{index}", draw(st.booleans()), tuple(draw(disks))) for index in range(draw(st.integers(0, 2)))
    )
    answers = not number or draw(st.sampled_from((True, True, False)))
    return Node(f"h{number}", realm, mounts, pools, machines, answers=answers)


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Make all file systems and hosts."""
    files, moment = {}, 1000.0
    backing = st.one_of(st.just(""), st.builds("{}/{}".format, SOME_FOLDER, st.sampled_from(("x", "x", "y"))))
    for system in FILE_SYSTEMS:
        for name in (*NAMES, "over"):
            if (system, name) == WANTED or draw(st.booleans()):
                moment += 1
                size = draw(st.sampled_from((SIZE, 2 * SIZE)))
                files[system, name] = File(size, moment, draw(backing) if name == "over" else "")
    return Truth(files, tuple(draw(nodes(number)) for number in range(draw(st.integers(1, 4)))))
