"""Hosts of other realms: whether they see the same storage, and who uses a volume there (specification, section 9).

Two realms may have pools over one storage. That is certain where libvirt mounts both from the same export, or where
the same file is seen at the same path, unchanged since the same moment. Pools at the same path are the same storage or
not: a volume of the same name and size may be another one. What may be so is a doubt, and never a certainty.
"""

from __future__ import annotations

import posixpath
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import DriverError
from core.fleet.fleet import Connection, PoolState
from core.operations.hosts.access import HostAccess
from core.operations.hosts.fanout import map_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from core.driver.connection.connection import HostConnection
    from core.driver.storage.pool_setup import PoolFacts
    from core.driver.storage.volumes import Volume
    from core.driver.vms.disks import DomainDisks
    from core.hosts import Host
    from core.operations.session import Workplace


LOOKING_SECONDS = 30.0
"""Seconds that a host of another realm has for its answer, once it is connected: nobody waits for ever for that."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A volume whose users are looked for elsewhere, as the hosts of its own realm see it."""

    name: str
    paths: frozenset[str]
    exports: frozenset[str] = frozenset()
    """What its pool is mounted from, as HOST:/export, where libvirt has mounted it."""
    capacity: int | None = None
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class PoolSight:
    """A pool of a host."""

    name: str
    path: str
    export: str
    """As HOST:/export; empty where libvirt does not mount it."""
    volumes: tuple[Volume, ...] | None
    """None where it was not looked into."""
    is_stale: bool = False
    """Whether they are those of an earlier look: libvirt can't look while a volume is written there."""


@dataclass(frozen=True, slots=True)
class HostSight:
    """What a host told: its pools, and its domains' disks."""

    host: Host
    pools: tuple[PoolSight, ...]
    domains: tuple[DomainDisks, ...]


@dataclass(frozen=True, slots=True)
class UseElsewhere:
    """A VM of another realm's host, or a volume there in a `pool`, that uses what is seen at `path` there."""

    host: str
    realm: str
    name: str
    path: str
    sure: bool
    """Whether that certainly is the same volume."""
    active: bool | None = None
    pool: str = ""

    def __str__(self) -> str:
        what = f"overlay {self.pool}/{self.name}" if self.pool else f"VM {self.host}/{self.name}"
        state = {True: "running", False: "off", None: f"on {self.host}"}[self.active]
        doubt = "" if self.sure else f", if {self.path} there is the same storage"
        return f"{what} ({state}, realm {self.realm}{doubt})"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What hosts of other realms told; nothing where there are none."""

    told: tuple[HostSight, ...] = ()
    silent: Mapping[Host, str] = field(default_factory=dict)
    """Those that could not be asked, and why."""

    def uses(self, wanted: Wanted) -> Iterator[UseElsewhere]:
        """Find who uses a volume, or may use it; shared storage is seen by many hosts, and an overlay is told once."""
        overlays: set[tuple[str, str]] = set()
        for sight in self.told:
            for sure, paths, places in _seen_as(sight, wanted):
                for vm in sight.domains:
                    path = min((file for file in vm.files if _plain(file) in paths), default="")
                    if path or places & vm.volumes:
                        named = path or min(paths)
                        yield UseElsewhere(sight.host.name, sight.host.realm, vm.name, named, sure, vm.active)
                for pool in sight.pools:
                    for volume in pool.volumes or ():
                        based_on = _plain(volume.backing_path) if volume.backing_path else ""
                        if based_on in paths and (pool.name, volume.name) not in overlays:
                            overlays.add((pool.name, volume.name))
                            yield UseElsewhere(
                                sight.host.name, sight.host.realm, volume.name, based_on, sure, pool=pool.name
                            )

    def unasked(self, wanted: Iterable[Wanted]) -> dict[str, str]:
        """Give silent hosts, and why, of realms of which a host that answered sees one of these volumes, or may."""
        volumes = tuple(wanted)
        sharing = {
            sight.host.realm
            for sight in self.told
            if any(places for volume in volumes for _, _, places in _seen_as(sight, volume))
        }
        return {host.name: reason for host, reason in self.silent.items() if host.realm in sharing}

    @property
    def remark(self) -> str:
        """Say which realms nobody answered of: whether they share the storage is not known; empty where all did."""
        answering = {sight.host.realm for sight in self.told}
        silent = sorted({host.realm for host in self.silent} - answering)
        if not silent:
            return ""
        return f"no host of realm {', '.join(silent)} could be asked: be sure that its VMs use other storage"


NOWHERE = Elsewhere()
"""There are no other realms, or they were not asked."""


def _seen_as(sight: HostSight, wanted: Wanted) -> Iterator[tuple[bool, frozenset[str], frozenset[tuple[str, str]]]]:
    """Give how a host sees a volume: whether it surely is the same, its paths there, and its pools and names."""
    over_folder = False
    folders = {posixpath.dirname(_plain(path)) for path in wanted.paths}
    for pool in sight.pools:
        there = _plain(posixpath.join(pool.path, wanted.name))
        place = (pool.name, wanted.name)
        same_folder = bool(pool.path) and _plain(pool.path) in folders
        over_folder = over_folder or same_folder
        if pool.export and pool.export in wanted.exports:
            yield True, frozenset((there,)), frozenset((place,))
        elif same_folder:
            sure = _is_same(pool, wanted)
            if sure is not None:
                yield sure, frozenset((there,)), frozenset((place,))
    if not over_folder:  # a VM there may name the file itself
        yield False, frozenset(map(_plain, wanted.paths)), frozenset()


def _is_same(pool: PoolSight, wanted: Wanted) -> bool | None:
    """Tell whether a pool at the same path has the same volume; False where nobody can tell, None where it has not."""
    if pool.volumes is None:
        return False
    volume = next((each for each in pool.volumes if each.name == wanted.name), None)
    if volume is None or (wanted.capacity is not None and volume.capacity != wanted.capacity):
        return False if pool.is_stale else None  # it may have been made, or grown, since
    return wanted.changed_at is not None and volume.changed_at == wanted.changed_at


def ask_elsewhere(
    workplace: Workplace, realm: str, deadline: float, *, volumes: bool, in_lanes: bool = False
) -> Callable[[], Elsewhere]:
    """Begin to ask the hosts of all realms but one, by its id, and give what waits for their answers.

    With `volumes` each also lists what lies in its pools. `in_lanes`: who is known to be silent is not asked. Disabled
    hosts and realms are never asked.
    """
    snapshots = (workplace.fleet() if in_lanes else workplace.registered()).hosts
    silent: dict[Host, str] = {}
    asked: list[Host] = []
    for snapshot in snapshots:
        host = snapshot.host
        if host.realm == realm:
            continue
        its_realm = workplace.configuration.realms.get(host.realm)
        if its_realm is None or its_realm.disabled:
            silent[host] = f"its realm {host.realm} is {'not configured' if its_realm is None else 'disabled'}"
        elif not host.state.connects:
            silent[host] = "the host is disabled"
        elif in_lanes and snapshot.connection is Connection.UNREACHABLE:
            silent[host] = snapshot.error or "does not answer"
        else:
            asked.append(host)
    if not asked:
        return lambda: Elsewhere((), silent)
    outcome: Future[Elsewhere] = Future()

    def see(host: Host) -> HostSight:
        with HostAccess(workplace, host, deadline) as access:
            return access.slow(lambda connection: see_storage(connection, host, volumes=volumes))

    def look(host: Host) -> HostSight:
        from core.driver.connection.asking import answer_within

        return answer_within(host.name, deadline + LOOKING_SECONDS, lambda: see(host))

    def work() -> None:
        try:
            answers = map_hosts(asked, look)
            silent.update({answer.host: answer.error.bare for answer in answers if answer.error is not None})
            told = tuple(answer.value for answer in answers if answer.value is not None)
            outcome.set_result(Elsewhere(told, silent))
        finally:
            if not outcome.done():  # a defect: whoever waits must not wait for ever
                outcome.set_result(Elsewhere((), {**silent, **dict.fromkeys(asked, "internal error")}))

    threading.Thread(target=work, name="asking other realms", daemon=True).start()
    return outcome.result


def see_storage(connection: HostConnection, host: Host, *, volumes: bool) -> HostSight:
    """Ask a host for all its pools and its domains' disks. Raises DriverError."""
    from core.driver.storage.pool_setup import look_up_pool
    from core.driver.storage.pools import list_pools
    from core.driver.vms.disks import read_disks

    pools = [look_up_pool(connection, name) for name in list_pools(connection)]
    return HostSight(
        host,
        tuple(
            PoolSight(facts.name, facts.path, export_of(facts), *(_volumes(connection, facts) if volumes else (None,)))
            for facts in pools
        ),
        read_disks(connection),
    )


def export_of(facts: PoolFacts) -> str:
    """Give what libvirt mounts a pool from, which is the same for all hosts; empty where it mounts nothing of the net.

    A device's path is one host's own.
    """
    return facts.source if facts.type == "netfs" else ""


def _volumes(connection: HostConnection, facts: PoolFacts) -> tuple[tuple[Volume, ...] | None, bool]:
    """Give what lies in a pool, None where nobody can look, and whether that is of an earlier look."""
    from core.driver.storage.volumes import PoolBusy, list_volumes

    if facts.state is not PoolState.ACTIVE:
        return None, False
    try:
        try:
            return list_volumes(connection, facts.name, or_stale=False), False
        except PoolBusy:
            return list_volumes(connection, facts.name), True
    except DriverError:
        if not connection.is_alive():
            raise
        return None, False


def _plain(path: str) -> str:
    return posixpath.normpath(path)
