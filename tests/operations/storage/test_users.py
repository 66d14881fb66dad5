"""Who uses a volume, against a model of what truly lies where: files on file systems, which hosts mount at paths."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.driver.storage.volumes import Volume
from core.driver.vms.disks import DomainDisks
from core.hosts import Host
from core.operations.storage.host_facts import HostStorage, PoolContents, StorageFacts
from core.operations.storage.policy import Allow, VolumeInUse, VolumeUsers, VolumeUseUnknown, ensure_unused, say_in_use
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.users import UseKind, Users, VolumeUser, unasked_about, wanted

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


MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(truths())
def test_what_is_told_is_what_the_model_says(truth: Truth) -> None:
    """Each VM and each overlay, once, and as certain as it can be; and the silent hosts that may have others."""
    users, model = truth.users(), Model(truth)
    told = [
        (user.realm or "main", user.pool, user.name) if user.kind is UseKind.OVERLAY else (user.host, user.name)
        for user in users
    ]
    assert len(told) == len(set(told))
    certain = {key: "certain" if user.certain else "possible" for key, user in zip(told, users, strict=True)}
    assert certain == model.machines() | model.overlays()
    assert set(truth.unasked()) == model.silent()
    assert [user.certain for user in users] == sorted((user.certain for user in users), reverse=True)


@MANY
@given(truths())
def test_what_is_truly_used_is_never_free(truth: Truth) -> None:
    """Whatever a VM of the realm's hosts calls it, and in other realms by what can be known: its path, or an export."""
    told = {(user.host, user.name): user for user in truth.users()}
    model = Model(truth)
    for node in truth.nodes:
        for vm in node.machines if node.answers else ():
            for path in map(node.path, vm.disks):
                folder = posixpath.dirname(path)
                exported = any(node.export(pool) in model.exports for pool in node.pools if pool.folder == folder)
                knowable = node.realm == "main" or folder in model.folders or exported
                if node.truly(path) == WANTED and knowable:
                    assert (node.name, vm.name) in told


@MANY
@given(truths())
def test_what_is_certain_of_another_realm_is_true(truth: Truth) -> None:
    """Its hosts may mount other storage at the same path."""
    for node in truth.nodes:
        for vm in node.machines if node.answers and node.realm != "main" else ():
            if any((user.host, user.name, user.certain) == (node.name, vm.name, True) for user in truth.users()):
                assert WANTED in {node.truly(node.path(disk)) for disk in vm.disks}


@MANY
@given(truths(), st.booleans(), st.booleans())
def test_nothing_in_use_may_go_and_no_doubt_is_passed_over_unsaid(truth: Truth, possible: bool, unasked: bool) -> None:
    """Certain users stay whatever is allowed; a silent host is a doubt always; what nobody can reach is free."""
    model, found = Model(truth), [VolumeUsers("volume x", truth.users())]
    verdicts = {*model.machines().values(), *model.overlays().values()}
    silent = model.silent()
    allow = Allow(possible=possible, unasked=unasked)
    if "certain" in verdicts:
        with pytest.raises(VolumeInUse):
            ensure_unused(found, truth.unasked(), allow)
    elif (silent and not unasked) or ("possible" in verdicts and not possible):
        with pytest.raises(VolumeUseUnknown) as caught:
            ensure_unused(found, truth.unasked(), allow)
        assert unasked or all(name in caught.value.message for name in silent)
    else:
        passed = "; ".join(ensure_unused(found, truth.unasked(), allow))
        assert bool(passed) == bool(verdicts or silent)
        assert all(name in passed for name in silent)


@MANY
@given(truths())
def test_a_volume_that_is_shared_between_vms_that_are_off_is_kept_from_those_that_run(truth: Truth) -> None:
    """A drive may belong to two VMs, but not while one of them runs; overlays hold it always."""
    users = truth.users()
    found, allow = [VolumeUsers("drive x", users)], Allow(off=True, possible=True, unasked=True)
    held = [user for user in users if user.certain and (user.kind is UseKind.OVERLAY or user.active)]
    if held:
        with pytest.raises(VolumeInUse):
            ensure_unused(found, truth.unasked(), allow)
    else:
        passed = "; ".join(ensure_unused(found, truth.unasked(), allow))
        assert all(str(user) in passed for user in users if user.certain or user.active)
    assert bool(say_in_use(found, off=False)) == bool(held)


def node(name: str, realm: str, *pools: Pool, machines: tuple[Machine, ...] = (), **mounts: str) -> Node:
    """Describe a host that mounts A at /p/vm and C elsewhere, unless other `mounts` are given by their number."""
    found = dict.fromkeys(FOLDERS, "C") | {"/p/vm": "A", BRICKS_FOLDER: "B"}
    return Node(name, realm, found | {FOLDERS[int(key[1:])]: system for key, system in mounts.items()}, pools, machines)


VOLUMES = Pool("vm", "/p/vm", netfs=False, role=PoolRole.VOLUMES)
THEIRS = Pool("vm", "/p/vm", netfs=False)
HAVING = (Machine("db", active=True, disks=(Disk("x", "/p/vm"),)),)


@pytest.mark.parametrize(("mounted", "size", "certain"), [("A", SIZE, True), ("C", SIZE, False), ("C", 2 * SIZE, None)])
def test_the_same_path_in_another_realm_is_told_by_what_lies_there(
    mounted: str, size: int, certain: bool | None
) -> None:
    """The same file, another of the same size that may have been changed since, or surely another."""
    files = {("A", "x"): File(SIZE, 1.0), ("C", "x"): File(size, 2.0)}
    truth = Truth(files, (node("h1", "main", VOLUMES), node("far", "other", THEIRS, machines=HAVING, _0=mounted)))
    assert [user.certain for user in truth.users()] == ([] if certain is None else [certain])


def test_an_overlay_is_as_certain_as_the_host_that_is_surest_of_it() -> None:
    """One host sees the path below it in no pool, another where the volume is."""
    files = {("A", "x"): File(SIZE, 1.0), ("A", "over"): File(SIZE, 2.0, backing="/srv/link/x")}
    linked = Pool("extra", "/srv/link", netfs=True, looked=False)
    hosts = (node("h1", "main", VOLUMES), node("h2", "main", replace(VOLUMES, netfs=True), linked, _3="A"))
    for order in (hosts, hosts[::-1]):
        (user,) = Truth(files, order).users()
        assert (user.kind, user.certain) == (UseKind.OVERLAY, True)


def test_overlays_of_one_name_in_two_realms_are_two() -> None:
    """Each realm has a pool of that name."""
    files = {("A", "x"): File(SIZE, 1.0), ("C", "over"): File(SIZE, 2.0, backing="/p/vm/x")}
    theirs = Pool("bricks", BRICKS_FOLDER, netfs=False)
    far = [node(f"far{realm}", realm, THEIRS, theirs, _2="C") for realm in ("other", "third")]
    users = Truth(files, (node("h1", "main", VOLUMES), *far)).users()
    assert [(user.realm, user.pool, user.certain) for user in users] == [
        ("other", "bricks", True),
        ("third", "bricks", True),
    ]


def test_a_disk_that_may_be_based_on_anything_is_a_doubt_for_bricks() -> None:
    """It lies in no pool, and no definition says what it is an overlay of; in a pool its list would."""
    files = {("A", "x"): File(SIZE, 1.0), ("B", "golden"): File(SIZE, 2.0), ("A", "y"): File(SIZE, 3.0)}
    bricks = Pool("bricks", BRICKS_FOLDER, netfs=False, role=PoolRole.BRICKS)
    truth = Truth(files, (node("h1", "main", VOLUMES, bricks, _2="B"),))
    brick = next(volume for _, volume in truth.facts.told[0].volumes() if volume.name == "golden")

    def users(volume: Volume, *paths: str) -> list[tuple[str, bool]]:
        disks = DomainDisks(name="lost", uuid="u", active=False, files=frozenset(paths), open_chains=frozenset(paths))
        facts = replace(truth.facts, told=(replace(truth.facts.told[0], domains=(disks,)),))
        return [(str(user), user.certain) for user in Users(facts).of(wanted(facts, volume))]

    (found,) = users(brick, "/srv/clone.qcow2")
    assert found == ("VM h1/lost (off, possibly: it has /srv/clone.qcow2, based on an unknown file)", False)
    assert users(brick, f"{VOLUMES.folder}/y") == users(truth.volume, "/srv/clone.qcow2") == []
