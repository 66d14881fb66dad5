"""What hosts tell of their storage: pools, what lies in them, and the disks of their VMs. Here nothing is judged.

Any host may use a volume, and none knows of the others: so each is asked (specification, section 9).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from core.driver.connection.asking import answer_within
from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.pool_setup import PoolFacts, look_up_pool
from core.driver.storage.pools import list_pools
from core.driver.storage.volumes import PoolBusy, Volume, known_volumes, list_volumes
from core.driver.vms.disks import DomainDisks, read_disks
from core.errors import DriverError
from core.fleet.fleet import Connection, PoolState
from core.hosts import Host
from core.operations.hosts.fanout import map_hosts
from core.operations.session import Session
from core.operations.storage.pool_report import PoolRole, pool_name
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.realms import Realm

LOOKING_SECONDS = 30.0
"""Seconds that a host of another realm has for its answer, once it is connected: nobody waits forever for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolContents:
    """A pool of a host."""

    name: str
    role: PoolRole | None = None
    """What the realm has it for; None for a pool of nobody's or of another realm."""
    path: str = ""
    export: str = ""
    """What libvirt mounts it from, as HOST:/export; empty where it mounts nothing of the net."""
    volumes: tuple[Volume, ...] | None = None
    """None where it was not looked into."""
    is_stale: bool = False
    """Whether they are those of an earlier look: libvirt can't look while a volume is written there."""
    problem: str = ""
    """Why it could not be looked into."""


@dataclass(frozen=True, slots=True)
class HostStorage:
    """What one host told: its pools, the realm's among them even where they are missing, and its domains' disks."""

    host: Host
    pools: tuple[PoolContents, ...] = ()
    domains: tuple[DomainDisks, ...] = ()

    def pool(self, role: PoolRole) -> PoolContents | None:
        """Return the pool that the realm has for something."""
        return next((pool for pool in self.pools if pool.role is role), None)

    def volumes(self) -> Iterator[tuple[PoolContents, Volume]]:
        """Return all that was seen in the pools."""
        return ((pool, volume) for pool in self.pools for volume in pool.volumes or ())


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """What the hosts of a realm told, and those of other realms, whose pools may lie on the same storage."""

    realm: str
    told: tuple[HostStorage, ...] = ()
    unasked: Mapping[Host, str] = field(default_factory=dict)
    """Those that could not be asked, disabled ones too, and why."""

    @property
    def own(self) -> tuple[HostStorage, ...]:
        """What the realm's own hosts told."""
        return tuple(each for each in self.told if each.host.realm == self.realm)

    def joined(self, others: StorageFacts) -> StorageFacts:
        """Return these facts with those of other hosts."""
        return replace(self, told=(*self.told, *others.told), unasked={**self.unasked, **others.unasked})

    def running_on(self, uuid: str) -> tuple[str, ...]:
        """Return the names of the realm's hosts that run a domain now."""
        return tuple(each.host.name for each in self.own if any(d.uuid == uuid and d.active for d in each.domains))


def read_storage(connection: HostConnection, host: Host, realm: Realm | None, *, contents: bool) -> HostStorage:
    """Ask a host for its pools and its domains' disks; with `contents` also for what lies in them.

    For a host of the realm these are the realm's pools only; for one of another realm, where `realm` is None, all.
    Raises DriverError.
    """
    names = list_pools(connection)
    roles = {role: pool_name(realm, role, names) for role in PoolRole} if realm is not None else {}
    others = [name for name in names if name not in roles.values()]
    pools = []
    for role, name in (*roles.items(), *((None, name) for name in others)):
        facts = look_up_pool(connection, name)
        # A device's path is one host's own; what is mounted of the net is the same for all.
        pool = PoolContents(name=name, role=role, path=facts.path, export=facts.source if facts.type == "netfs" else "")
        if contents and (realm is None or role is not None):
            pool = _look_into(connection, pool, facts)
        pools.append(pool)
    return HostStorage(host, tuple(pools), read_disks(connection))


def _look_into(connection: HostConnection, pool: PoolContents, facts: PoolFacts) -> PoolContents:
    if facts.state is not PoolState.ACTIVE:
        return replace(pool, problem=f"pool {pool.name} is {facts.state}")
    try:
        try:
            return replace(pool, volumes=list_volumes(connection, pool.name, or_stale=False))
        except PoolBusy:
            return replace(pool, volumes=known_volumes(connection, pool.name), is_stale=True)
    except DriverError as error:
        if not connection.is_alive():
            raise
        return replace(pool, problem=error.bare)


def look_at_storage(realm: Realm, host: Host, deadline: float, *, contents: bool = True) -> HostStorage:
    """Ask one of a realm's hosts, on a connection of its own. Raises DriverError."""
    with job_connection(host, deadline) as connection:
        return read_storage(connection, host, realm, contents=contents)


def ask_hosts(
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    deadline: float,
    *,
    contents: Collection[str] = (),
    others: Callable[[], StorageFacts] | None = None,
) -> StorageFacts:
    """Ask all hosts of a realm at once; those named by `contents` also for what lies in the realm's pools.

    `others` waits for what the hosts of other realms tell, as `ask_other_realms` returns it.
    """
    with control.step(StepKind.LOOK, "ask all hosts who uses what") as step:
        answers = map_hosts(hosts, lambda host: look_at_storage(realm, host, deadline, contents=host.name in contents))
        told = tuple(answer.value for answer in answers if answer.value is not None)
        silent = {answer.host: answer.error.bare for answer in answers if answer.error is not None}
        facts = StorageFacts(realm.id, told, silent)
        if others is not None:
            facts = facts.joined(others())
        problems = (f"{each.host.name}: {pool.problem}" for each in told for pool in each.pools if pool.problem)
        answered = f"{len(facts.told)} of {len(facts.told) + len(facts.unasked)} answered"
        step.detail("; ".join((answered, *problems)))
    return facts


def ask_other_realms(
    session: Session, realm: str, deadline: float, *, contents: bool, in_lanes: bool = False
) -> Callable[[], StorageFacts]:
    """Begin to ask the hosts of all realms but one, by its id, and return what waits for their answers.

    `in_lanes`: who is known to be silent is not asked. Disabled hosts and realms are never asked.
    """
    snapshots = (session.fleet() if in_lanes else session.registered()).hosts
    silent: dict[Host, str] = {}
    asked: list[Host] = []
    for snapshot in snapshots:
        host = snapshot.host
        if host.realm == realm:
            continue
        its_realm = session.configuration.realms.get(host.realm)
        if its_realm is None or its_realm.disabled:
            silent[host] = f"its realm {host.realm} is {'not configured' if its_realm is None else 'disabled'}"
        elif not host.state.connects:
            silent[host] = "the host is disabled"
        elif in_lanes and snapshot.connection is Connection.UNREACHABLE:
            silent[host] = snapshot.error or "does not answer"
        else:
            asked.append(host)
    if not asked:
        return lambda: StorageFacts(realm, (), silent)
    outcome: Future[StorageFacts] = Future()

    def see(host: Host) -> HostStorage:
        with job_connection(host, deadline) as connection:
            return read_storage(connection, host, None, contents=contents)

    def look(host: Host) -> HostStorage:
        return answer_within(host.name, deadline + LOOKING_SECONDS, lambda: see(host))

    def work() -> None:
        try:
            answers = map_hosts(asked, look)
            silent.update({answer.host: answer.error.bare for answer in answers if answer.error is not None})
            told = tuple(answer.value for answer in answers if answer.value is not None)
            outcome.set_result(StorageFacts(realm, told, silent))
        finally:
            if not outcome.done():  # a defect: whoever waits must not wait forever
                outcome.set_result(StorageFacts(realm, (), {**silent, **dict.fromkeys(asked, "internal error")}))

    threading.Thread(target=work, name="asking other realms", daemon=True).start()
    return outcome.result
