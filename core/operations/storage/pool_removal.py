"""Takes a realm's pools away from hosts: stopped and forgotten there; the files stay (specification, section 10)."""

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from core.codes import ErrorCode
from core.driver.connection.asking import answer_within
from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.pool_setup import (
    PoolFacts,
    define_again,
    look_up_pool,
    pool_definition,
    set_autostart,
    start_pool,
    stop_pool,
    undefine_pool,
    virsh_command,
)
from core.errors import DriverError, HostTimeout, RealmsError
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.operations.hosts.fanout import map_hosts
from core.operations.session import Session
from core.operations.storage.host_facts import look_at_storage
from core.operations.storage.policy import Allow, VolumeInUse, VolumeUsers, ensure_unused, say_in_use
from core.operations.storage.pool_report import HostPools, PoolRole, PoolsReport, RealmPool, pool_name
from core.operations.storage.pool_setup import look_up_realm_pools
from core.operations.storage.pools import DEADLINE
from core.operations.storage.users import users_of_pools
from core.operations.tasks.journal import Journal
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.realms import Realm
from core.text import shell_command


class PoolsNotRemoved(RealmsError):
    """Some host's pools could not be taken away; `report` tells which."""

    code = ErrorCode.POOLS_NOT_REMOVED

    def __init__(self, message: str, report: PoolsReport) -> None:
        super().__init__(message)
        self.report = report


def virsh_commands(realm: Realm, host: Host, roles: Sequence[PoolRole]) -> tuple[str, ...]:
    """Return the shell commands that do the same, as an administrator would type them."""
    names = [pool_name(realm, role) for role in PoolRole if role in roles]
    return tuple(
        virsh_command(host.uri, command, name) for name in names for command in ("pool-destroy", "pool-undefine")
    )


def remove_pools(
    session: Session,
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    roles: Sequence[PoolRole],
    *,
    deadline: float = DEADLINE,
) -> PoolsReport:
    """Stop and forget pools on hosts, after each was asked what its VMs need of them; no file is deleted.

    Raises VolumeInUse before anything is done, PoolsNotRemoved where a host failed (its own pools are as before then,
    the other hosts' are gone; of one that stopped answering in the midst that is unknown, and its error says so), and
    Cancelled.
    """
    if session.registry is not None:
        _refuse_operations(realm, Journal(session.registry.path, session.clock))
    answers = map_hosts(hosts, lambda host: _users(control, realm, host, roles, deadline))
    # A host that does not answer keeps its pools: that leaves no doubt about the others'.
    needed = [users for answer in answers for users in answer.value or ()]
    hint = "move or delete those VMs, or exclude the host with --host; nothing was changed"
    ensure_unused(needed, {}, Allow(), hint=hint)
    control.check()
    silent = {answer.host.name: answer.error for answer in answers if answer.error is not None}
    ready = [host for host in hosts if host.name not in silent]
    removed = {
        answer.host.name: answer
        for answer in map_hosts(ready, lambda host: _remove(control, realm, host, roles, deadline))
    }
    found = tuple(
        HostPools(host, error=silent[host.name])
        if host.name in silent
        else HostPools(host, removed[host.name].value or (), removed[host.name].error)
        for host in hosts
    )
    report = PoolsReport(realm, found)
    failed = [host for host in found if host.error is not None]
    if failed:
        control.keep()
        raise PoolsNotRemoved(f"pools could not be removed on {len(failed)} of {len(found)} hosts", report)
    return report


def _refuse_operations(realm: Realm, journal: Journal) -> None:
    at_work = [record for record in journal.records() if record.may_run and record.realm == realm.id]
    if at_work:
        listed = ", ".join(f"{record.operation} of VM {record.vm} ({record.owner})" for record in at_work)
        raise VolumeInUse(
            f"realm {realm.id} has operations in progress: {listed}", hint="wait until they have finished"
        )


def _users(
    control: Control, realm: Realm, host: Host, roles: Sequence[PoolRole], deadline: float
) -> tuple[VolumeUsers, ...]:
    """Find the VMs of a host, running or off, whose disks need one of the pools."""
    with control.step(StepKind.LOOK, "ask which VMs need the pools", host.name) as step:
        told = answer_within(host.name, deadline, lambda: look_at_storage(realm, host, deadline), control.cancel_asked)
        found = tuple(VolumeUsers(f"pool {name}", users) for name, users in users_of_pools(told, roles))
        step.detail(say_in_use(found))
        return found


def _remove(
    control: Control, realm: Realm, host: Host, roles: Sequence[PoolRole], deadline: float
) -> tuple[RealmPool, ...]:
    """Take the pools away from one host, all or none; the end of the task puts them back where it is cancelled."""
    taken = _Takings()

    def put_back_later() -> None:
        with job_connection(host, deadline) as connection:
            put_back(connection)

    def put_back(connection: HostConnection) -> None:
        rollback = control.branch()
        for each in taken.pools:
            rollback.on_failure(f"undo: restore {each.name}", functools.partial(each.put_back, connection), host.name)
        rollback.undo_all()

    def work() -> tuple[RealmPool, ...]:
        with job_connection(host, deadline) as connection:
            found = look_up_realm_pools(connection, realm, [role for role in PoolRole if role in roles])
            try:
                return tuple(_take_away(control, connection, role, facts, taken) for role, facts in found.items())
            except _GivenUp:
                raise
            except RealmsError:
                put_back(connection)
                raise

    try:
        gone = answer_within(host.name, deadline, work)
    except HostTimeout as error:
        begun = taken.give_up()
        if not begun:
            raise HostTimeout(host.name, f"no answer in {deadline:g} s; nothing was started there") from error
        raise HostTimeout(
            host.name,
            f"no answer in {deadline:g} s; removing {', '.join(begun)} was started and may still finish",
            hint=f"{shell_command('realms pools status --host', host.name)} shows the pools; "
            "remove them again or set them up again",
        ) from error
    control.on_failure("undo: restore the pools", put_back_later, host.name)
    return gone


@dataclass(frozen=True, slots=True)
class _Taken:
    """A pool that is being taken away, as it was."""

    facts: PoolFacts
    definition: str

    @property
    def name(self) -> str:
        return self.facts.name

    def put_back(self, connection: HostConnection) -> None:
        """Have it as it was; a transient one can only be made anew, by whoever made it."""
        if not self.facts.persistent:
            return
        now = look_up_pool(connection, self.name)
        if not now.persistent:
            define_again(connection, self.definition)
        if now.state is not self.facts.state and self.facts.state is PoolState.ACTIVE:
            start_pool(connection, self.name)
        set_autostart(connection, self.name, on=self.facts.autostart)


class _GivenUp(DriverError):
    """Nobody waits for the host any more."""


class _Takings:
    """The pools of a host whose removal was begun: none any more once nobody waits for it."""

    def __init__(self) -> None:
        self.pools: list[_Taken] = []
        self._given_up = False
        self._deciding = threading.Lock()

    def begin(self, host: str, pool: _Taken) -> None:
        """Note a pool that is about to be taken away; raises _GivenUp."""
        with self._deciding:
            if self._given_up:
                raise _GivenUp(host, "gave up")
            self.pools.append(pool)

    def check(self, host: str) -> None:
        """Raise _GivenUp where nobody waits any more."""
        if self._given_up:
            raise _GivenUp(host, "gave up")

    def give_up(self) -> tuple[str, ...]:
        """Have no more taken away; gives the names of those that were begun: a call about the last may go on."""
        with self._deciding:
            self._given_up = True
            return tuple(pool.name for pool in self.pools)


def _take_away(
    control: Control, connection: HostConnection, role: PoolRole, facts: PoolFacts, taken: _Takings
) -> RealmPool:
    name = facts.name
    with control.step(StepKind.REMOVE_POOL, f"remove {name}", connection.host) as step:
        if facts.state is PoolState.MISSING:
            step.detail("does not exist")
            return RealmPool(role, facts)
        definition = pool_definition(connection, name)
        taken.begin(connection.host, _Taken(facts, definition))
        changes = []
        if facts.state is PoolState.ACTIVE:
            stop_pool(connection, name)
            changes.append("stopped")
        taken.check(connection.host)
        if facts.persistent:
            undefine_pool(connection, name)
            changes.append("undefined")
        step.detail(f"{', '.join(changes)}; its files remain in {facts.path}")
        return RealmPool(role, facts, tuple(changes))
