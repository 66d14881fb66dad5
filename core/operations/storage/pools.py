"""A realm's pools: how they stand on every host, and setting them up on all of them (specification, section 10)."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.codes import ErrorCode
from core.driver.storage.pool_setup import ANY_PERMISSIONS, Permissions, PoolPlan, PoolType
from core.errors import RealmsError, UsageError
from core.hosts import Host
from core.operations.hosts.fanout import map_hosts
from core.operations.storage.pool_capacity import look_anew
from core.operations.storage.pool_report import (
    NEED,
    HostPools,
    PoolRole,
    PoolSharing,
    PoolsReport,
    RealmPool,
    pool_name,
    removal_command,
)
from core.operations.storage.pool_setup import MadeFolders, set_up_host
from core.operations.storage.sharing import prove, told_by_source
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.realms import Realm
from core.units import show_size

DEADLINE = 30.0
"""Seconds that a host may take to connect, or to answer."""


class PoolsNotSetUp(RealmsError):
    """Some host's pools could not be set up, or are not shared; `report` tells which, and what stands."""

    code = ErrorCode.POOLS_NOT_SET_UP

    def __init__(self, message: str, report: PoolsReport, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.report = report


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRequest:
    """What pools are to be like. A pool lies at its own path, or at BASE/<its name>; the same with its source."""

    roles: tuple[PoolRole, ...] = tuple(PoolRole)
    base: str = ""
    paths: Mapping[PoolRole, str] = field(default_factory=dict)
    type: PoolType = PoolType.DIR
    source: str = ""
    sources: Mapping[PoolRole, str] = field(default_factory=dict)
    format: str = ""
    permissions: Permissions = ANY_PERMISSIONS
    need: int = 0
    """Bytes that should be free in each pool."""

    def plans(self, realm: Realm) -> dict[PoolRole, PoolPlan]:
        """Describe every pool that is asked for; raises UsageError where a path or source is missing or wrong."""
        plans = {role: self._plan(role, pool_name(realm, role)) for role in PoolRole if role in self.roles}
        for attribute in ("path", "source"):
            places = [getattr(plan, attribute) for plan in plans.values() if getattr(plan, attribute)]
            twice = next((place for place in places if places.count(place) > 1), None)
            if twice is not None:
                raise UsageError(
                    f"two pools can't have the same {attribute}, {twice}", hint="set a different one for each"
                )
        return plans

    def _plan(self, role: PoolRole, name: str) -> PoolPlan:
        path = self.paths.get(role) or (posixpath.join(self.base, name) if self.base else "")
        if not path:
            raise UsageError(f"no path is given for the pool of {role}", hint=f"--path BASE, or --path {role}=PATH")
        check_path(path)
        source = self.sources.get(role) or self._below_source(name)
        if self.type is PoolType.DIR and source:
            raise UsageError("a pool of type dir has no source", hint="use --type netfs to mount one")
        if self.type is not PoolType.DIR and not source:
            raise UsageError(f"no source is given for the pool of {role}", hint=f"--source {role}=SOURCE")
        if self.type is PoolType.NETFS and not re.fullmatch(r"[^\s/]+:/.*", source):
            raise UsageError(f"{source!r} is not a network file system", hint="write it as HOST:/export")
        return PoolPlan(
            name=name, path=posixpath.normpath(path), type=self.type, source=source, format=self.format,
            permissions=self.permissions,
        )  # fmt: skip

    def _below_source(self, name: str) -> str:
        return posixpath.join(self.source, name) if self.source and self.type is PoolType.NETFS else self.source


def check_path(path: str) -> None:
    """Raise UsageError for a path that can't be a pool's."""
    if not path.startswith("/") or not path.isprintable():
        raise UsageError(f"{path!r} is not an absolute path", hint="a folder on the hosts, such as /shared/realms")
    if posixpath.normpath(path) in ("/", "//"):
        raise UsageError("a pool can't be the root folder", hint="choose a folder of its own")


def look_at_pools(
    control: Control, realm: Realm, hosts: Sequence[Host], *, prove_sharing: bool = False, deadline: float = DEADLINE
) -> PoolsReport:
    """Ask every host for the realm's pools as they are now, all at once; with a proof of shared storage if asked for.

    Each host may take up to `deadline` seconds; a pool that it could not look into is told with a warning.
    """

    def look(host: Host) -> tuple[RealmPool, ...]:
        with control.step(StepKind.LOOK, "ask for its pools", host.name):
            return look_anew(host, realm, deadline, stop=control.cancel_asked)

    found = tuple(HostPools(answer.host, answer.value or (), answer.error) for answer in map_hosts(hosts, look))
    for host in found:
        for pool in host.pools:
            if pool.unread:
                control.warn(f"{host.host.name}: {pool.unread}")
    sharing = prove(control, found, deadline) if prove_sharing else told_by_source(found)
    return PoolsReport(realm, found, sharing)


def set_up_pools(
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    request: PoolRequest,
    *,
    proof: bool = True,
    deadline: float = DEADLINE,
) -> PoolsReport:
    """Set the pools up on all hosts at once, and prove that their storage is shared.

    Each host gets all of them or none: what fails there is undone there, and the other hosts keep theirs. A cancelled
    task is undone on all. Raises UsageError before anything is done, PoolsNotSetUp, Cancelled.
    """
    plans, folders = request.plans(realm), MadeFolders()
    control.on_failure("undo: remove the empty folders that were made", lambda: folders.remove(control, deadline))
    answers = map_hosts(
        hosts, lambda host: set_up_host(control, realm, host, plans, folders=folders, deadline=deadline)
    )
    control.check()  # told to end while only hosts were waited for that do nothing more
    found = tuple(
        HostPools(answer.host, error=answer.error) if answer.value is None else answer.value for answer in answers
    )
    found = tuple(_counted(control, found, realm, deadline))
    for warning in _space_warnings(found, request.need):
        control.warn(warning)
    ready = [host for host in found if host.error is None]
    sharing: tuple[PoolSharing, ...] = told_by_source(ready)
    if proof and len(ready) > 1:
        sharing = prove(control, ready, deadline)
    report = PoolsReport(realm, found, sharing)
    if not report.ok:
        if ready:
            control.keep()
        for host in report.hosts:
            if ready and host.error is not None and (left := folders.on(host.host)):
                control.warn(f"{host.host.name}: kept, since other hosts may share them: {', '.join(left)}")
        raise PoolsNotSetUp(_what_is_wrong(report), report, hint=_way_back(report, request.roles))
    return report


def _counted(control: Control, found: Sequence[HostPools], realm: Realm, deadline: float) -> Iterator[HostPools]:
    """Have hosts count their free space again: what was there before was counted when libvirt last looked there."""
    ready = [each.host for each in found if each.error is None]
    seen = {
        answer.host.name: {pool.role: pool for pool in answer.value or ()}
        for answer in map_hosts(ready, lambda host: look_anew(host, realm, deadline, stop=control.cancel_asked))
    }
    for each in found:
        anew = seen.get(each.host.name, {})
        pools = tuple(replace(anew.get(pool.role, pool), changes=pool.changes) for pool in each.pools)
        yield replace(each, pools=pools)


def _space_warnings(found: Sequence[HostPools], need: int) -> Iterator[str]:
    wanted = max(need, NEED)
    short: dict[tuple[str, str], list[str]] = defaultdict(list)
    for host in found:
        for pool in host.pools:
            free = pool.facts.available
            if free is not None and free < wanted:
                short[pool.facts.name, show_size(free)].append(host.host.name)
    for (pool_named, left), names in short.items():
        yield f"pool {pool_named} has {left} free on {', '.join(names)}, less than {show_size(wanted)}"


def _way_back(report: PoolsReport, roles: Sequence[PoolRole]) -> str:
    """Return how pools that stand where storage is not shared are taken back."""
    if not any(sharing.shared is False for sharing in report.sharing):
        return ""
    ready = [host.host.name for host in report.hosts if host.error is None]
    command = removal_command(
        report.realm,
        () if len(ready) == len(report.hosts) else ready,
        () if len(set(roles)) == len(PoolRole) else roles,
    )
    return f"they are kept: mount the shared storage there, or remove them: {command}"


def _what_is_wrong(report: PoolsReport) -> str:
    failed = [host for host in report.hosts if host.error is not None]
    parts = [f"pools could not be set up on {len(failed)} of {len(report.hosts)} hosts"] if failed else []
    unshared = [sharing.pool for sharing in report.sharing if sharing.shared is False]
    unproven = [sharing.pool for sharing in report.sharing if sharing.error and sharing.shared is not False]
    silent = [host.host.name for host in report.hosts if any(pool.silent for pool in host.pools)]
    parts += [f"the storage of {', '.join(silent)} does not answer"] if silent else []
    parts += [f"not shared: {', '.join(unshared)}"] if unshared else []
    parts += [f"verification failed for {', '.join(unproven)}"] if unproven else []
    return "; ".join(parts)
