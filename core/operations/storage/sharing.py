"""Whether a pool lies on storage that its hosts share: told from its source, or proven (specification, section 10)."""

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.pool_setup import refresh_pool
from core.driver.storage.volumes import NewVolume, VolumeExists, create_volume, discard_volume, volume_names
from core.errors import DriverError
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.operations.hosts.fanout import map_hosts
from core.operations.storage.pool_report import HostPools, PoolRole, PoolSharing
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control

WITNESS = "realms-proof-"
"""What the names of the tiny volumes begin with that a proof makes and deletes."""

_one_at_a_time = threading.Lock()
"""Else two hosts that share a pool with each other alone would take each other's attempts for the witness."""

Witnesses = dict[tuple[str, PoolRole], str]
"""Names of the volumes by host and pool."""


def told_by_source(found: Sequence[HostPools]) -> tuple[PoolSharing, ...]:
    """Return what needs no proof: hosts that have mounted the same network file system share it."""
    return tuple(_told(role, found) for role in PoolRole if any(host.pool(role) for host in found))


def prove(control: Control, found: Sequence[HostPools], deadline: float) -> tuple[PoolSharing, ...]:
    """Make a tiny volume in each active pool of each host, and see which of them the other hosts see; then delete them.

    Raises Cancelled; the volumes are still deleted. What fails on a host is told in the answer.
    """
    active = [host for host in found if host.error is None and _active_roles(host)]
    run = uuid.uuid4().hex[:12]
    names: Witnesses = {
        (host.host.name, role): f"{WITNESS}{run}-{number}"
        for number, host in enumerate(active)
        for role in _active_roles(host)
    }
    errors: dict[PoolRole, list[str]] = defaultdict(list)
    made: Witnesses = {}
    seen: dict[tuple[str, PoolRole], frozenset[str]] = {}
    by_name = {host.host.name: host for host in active}

    def make(connection: HostConnection) -> None:
        host = by_name[connection.host]
        for role, pool in _active_roles(host).items():
            key = (connection.host, role)
            try:
                create_volume(connection, pool, NewVolume(name=names[key], capacity=512, format="raw"))
                made[key] = names[key]
            except DriverError as error:
                errors[role].append(error.message)

    def wanted(role: PoolRole) -> frozenset[str]:
        return frozenset(name for (_, other), name in made.items() if other is role)

    def look(connection: HostConnection) -> None:
        for role, pool in _active_roles(by_name[connection.host]).items():
            try:
                seen[connection.host, role] = volume_names(connection, pool) & wanted(role)
            except DriverError as error:
                errors[role].append(error.message)

    def attempt(connection: HostConnection) -> None:
        for role, pool in _active_roles(by_name[connection.host]).items():
            key = (connection.host, role)
            try:
                if key in seen and (missing := wanted(role) - seen[key]):
                    seen[key] |= frozenset(_refused(connection, pool, missing))
            except DriverError as error:
                del seen[key]
                errors[role].append(error.message)

    def remove(connection: HostConnection) -> None:
        for role, pool in _active_roles(by_name[connection.host]).items():
            if (connection.host, role) in made:
                discard_volume(connection, pool, names[connection.host, role])

    def forget(connection: HostConnection) -> None:
        for pool in _active_roles(by_name[connection.host]).values():
            refresh_pool(connection, pool)

    try:
        # Nobody lists while others attempt: what they make for a moment would be taken for the witness.
        for what, work in (
            ("create a test volume in each pool", make),
            ("look for the other hosts' volumes", look),
            ("try to create what is not listed", attempt),
        ):
            for message in _phase(control, what, [host.host for host in active], work, deadline):
                for role in PoolRole:
                    errors[role].append(message)
    finally:
        _clean(control, [host.host for host in active], (remove, forget), deadline)
    return tuple(_proven(role, found, made, seen, errors[role]) for role in PoolRole if _has(role, found))


def _phase(
    control: Control, what: str, hosts: Sequence[Host], work: Callable[[HostConnection], None], deadline: float
) -> list[str]:
    """Do one part of the proof on all hosts; gives what went wrong."""
    with control.step(StepKind.PROVE_SHARING, f"verify that storage is shared: {what}") as step:

        def on_host(host: Host) -> None:
            with job_connection(host, deadline) as connection:
                work(connection)

        failed = [answer.error.message for answer in map_hosts(hosts, on_host) if answer.error is not None]
        step.detail("; ".join(failed) or f"{len(hosts)} hosts")
    control.check()
    return failed


def _clean(
    control: Control, hosts: Sequence[Host], works: Iterable[Callable[[HostConnection], None]], deadline: float
) -> None:
    """Delete the volumes, also when the task has been cancelled; what stays behind is told."""
    for work in works:

        def on_host(host: Host, work: Callable[[HostConnection], None] = work) -> None:
            with job_connection(host, deadline) as connection:
                work(connection)

        for answer in map_hosts(hosts, on_host):
            if answer.error is not None:
                control.warn(f"a volume {WITNESS}... may be left behind: {answer.error}")


def _refused(connection: HostConnection, pool: str, missing: frozenset[str]) -> Iterator[str]:
    """Return those that are there after all, although they were not listed."""
    for name in sorted(missing):
        # A network file system may list a folder as it was half a minute ago. Making a file of the same name asks the
        # server: it is refused where the storage is shared after all.
        with _one_at_a_time:
            try:
                create_volume(connection, pool, NewVolume(name=name, capacity=512, format="raw"))
            except VolumeExists:
                yield name
            else:
                discard_volume(connection, pool, name)


def _active_roles(host: HostPools) -> dict[PoolRole, str]:
    # Whoever asks storage that does not answer waits forever.
    return {
        pool.role: pool.facts.name for pool in host.pools if pool.facts.state is PoolState.ACTIVE and not pool.silent
    }


def _has(role: PoolRole, found: Sequence[HostPools]) -> bool:
    return any(host.pool(role) for host in found)


def _name(role: PoolRole, found: Sequence[HostPools]) -> str:
    return next(facts.name for host in found if (facts := host.pool(role)) is not None)


def _told(role: PoolRole, found: Sequence[HostPools]) -> PoolSharing:
    by_source: dict[str, list[str]] = defaultdict(list)
    for host in found:
        facts = host.pool(role)
        if facts is not None and facts.state is PoolState.ACTIVE:
            by_source[facts.source if facts.type == "netfs" else ""].append(host.host.name)
    one = list(by_source.items())
    if len(one) == 1 and one[0][0] and len(one[0][1]) > 1:
        return PoolSharing(role, _name(role, found), (tuple(one[0][1]),), "source")
    return PoolSharing(role, _name(role, found))


def _proven(
    role: PoolRole,
    found: Sequence[HostPools],
    made: Witnesses,
    seen: dict[tuple[str, PoolRole], frozenset[str]],
    errors: Sequence[str],
) -> PoolSharing:
    """Group the hosts that see the same volumes: each sees at least its own, so a lonely host is a group of one."""
    groups: dict[frozenset[str], list[str]] = defaultdict(list)
    lost = []
    for (host, each), names in sorted(seen.items()):
        if each is not role or (host, role) not in made:
            continue
        if made[host, role] in names:
            groups[names].append(host)
        else:
            lost.append(f"{host} does not see its own test volume")
    largest_first = sorted((tuple(sorted(group)) for group in groups.values()), key=lambda group: (-len(group), group))
    error = "; ".join(dict.fromkeys([*errors, *lost]))
    return PoolSharing(role, _name(role, found), tuple(largest_first), "proof" if largest_first else "", error)
