"""Sets a realm's pools up on one host: what is missing is made, what is there stays, what fails is undone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.pool_setup import (
    FolderMissing,
    Permissions,
    PoolFacts,
    PoolPlan,
    PoolType,
    build_pool,
    define_pool,
    look_at_folder,
    look_up_pool,
    missing_parents,
    remove_empty_folder,
    same_place,
    set_autostart,
    start_pool,
    stop_pool,
    undefine_pool,
)
from core.driver.storage.pools import list_pools
from core.errors import DriverError, RealmsError
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.operations.storage.pool_report import HostPools, PoolRole, PoolStep, RealmPool, pool_name, removal_command
from core.operations.tasks.step_kinds import StepKind, StepOutcome
from core.operations.tasks.task import Control
from core.realms import Realm


class PoolDiffers(DriverError):
    """There is a pool of that name which is not what was asked for; nothing was changed."""

    code = ErrorCode.POOL_DIFFERS


def look_up_realm_pools(
    connection: HostConnection, realm: Realm, roles: Iterable[PoolRole] = tuple(PoolRole)
) -> dict[PoolRole, PoolFacts]:
    """Ask a host for a realm's pools, under the names that they have there. Raises DriverError."""
    names = list_pools(connection)
    return {role: look_up_pool(connection, pool_name(realm, role, names)) for role in roles}


class MadeFolders:
    """Folders that a run has made on shared storage: the pools of other hosts may lie in the same ones.

    So a host that fails leaves them, and they go only where no host's pools stand in the end.
    """

    def __init__(self) -> None:
        self._made: list[tuple[Host, tuple[str, ...]]] = []

    def add(self, host: Host, *innermost_first: str) -> None:
        """Remember folders that were made through a host."""
        self._made.append((host, innermost_first))

    def on(self, host: Host) -> tuple[str, ...]:
        """Return those that were made through a host."""
        return tuple(folder for maker, folders in self._made for folder in folders if maker == host)

    def remove(self, control: Control, deadline: float) -> None:
        """Remove those that are empty; what can't be removed is told."""
        with ExitStack() as opened:
            connections: dict[str, HostConnection | None] = {}
            for host in dict.fromkeys(maker for maker, _ in self._made):
                try:
                    connections[host.name] = opened.enter_context(job_connection(host, deadline))
                except DriverError as error:
                    connections[host.name] = None
                    control.warn(f"empty folders may be left behind on {host.name}: {error}")
            made = [(host, folder) for host, folders in self._made for folder in folders]
            # The innermost of all hosts first: each may have made a part of what they share.
            for host, folder in sorted(made, key=lambda each: len(each[1]), reverse=True):
                connection = connections[host.name]
                if connection is not None:
                    try:
                        remove_empty_folder(connection, folder)
                    except DriverError as error:
                        control.warn(f"an empty folder may be left behind on {host.name}: {error}")
        self._made.clear()


class _PoolSetup:
    """Pools being set up on one host, with what undoes it: by the connection at hand, or by another one later."""

    def __init__(
        self, control: Control, host: Host, connection: HostConnection, *, folders: MadeFolders, deadline: float
    ) -> None:
        self.connection = connection
        self.folders = folders
        self.host = host
        self.did_something = False
        self._whole = control
        self._control = control.branch()
        self._deadline = deadline

    def did(self, what: str, undo: Callable[[HostConnection], None]) -> None:
        """Remember how something is undone."""
        self.did_something = True
        self._control.on_failure(f"undo: {what}", lambda: undo(self.connection), self.host.name)

    def undo(self) -> None:
        """Undo everything, last first. Where the connection was lost meanwhile another one is tried."""
        if self.connection.is_alive():
            self._control.undo_all()
        elif self.did_something:
            try:
                self.undo_later()
            except DriverError as error:
                self._whole.warn(f"pools that were set up on {self.host.name} are left behind: {error}")

    def undo_later(self) -> None:
        """Undo everything by a connection of its own. Raises DriverError where there is none."""
        with job_connection(self.host, self._deadline) as self.connection:
            self._control.undo_all()


def set_up_host(
    control: Control,
    realm: Realm,
    host: Host,
    plans: Mapping[PoolRole, PoolPlan],
    *,
    folders: MadeFolders,
    deadline: float,
) -> HostPools:
    """Set all these pools up on a host, or none of them. Raises DriverError, Cancelled; this run's work is undone then.

    Where the task is cancelled later, it is undone too. Folders that were made are noted in `folders`, and stay.
    """
    with job_connection(host, deadline) as connection:
        work = _PoolSetup(control, host, connection, folders=folders, deadline=deadline)
        try:
            found = look_up_realm_pools(connection, realm, plans)
            adapted = {role: replace(plan, name=found[role].name) for role, plan in plans.items()}
            _refuse_others(connection, realm, adapted, found)
            pools = tuple(_set_up_pool(control, work, role, plan, found[role]) for role, plan in adapted.items())
        except RealmsError:
            work.undo()
            raise
    if work.did_something:
        control.on_failure("undo what was set up", work.undo_later, host.name)
    return HostPools(host, pools)


def _set_up_pool(control: Control, work: _PoolSetup, role: PoolRole, plan: PoolPlan, found: PoolFacts) -> RealmPool:
    connection = work.connection
    with control.step(StepKind.SET_UP_POOL, f"set up {plan.name}", connection.host, role=role.value) as step:
        changes: list[str] = []
        for change in _changes(work, plan, found):
            changes.append(change)
            step.detail(change)
            control.check()
        facts = look_up_pool(connection, plan.name)
        if not facts.persistent:
            control.warn(f"{connection.host}: pool {plan.name} is transient: it disappears when stopped")
        if not plan.permissions.is_met_by(facts.permissions):
            control.warn(
                f"{connection.host}: the folder of pool {plan.name} has {facts.permissions}, not "
                f"{plan.permissions}: change it on the host, at {plan.path}"
            )
        made = found.state is PoolState.MISSING
        outcome = StepOutcome.MADE if made else StepOutcome.CHANGED if changes else StepOutcome.UNCHANGED
        step.outcome(outcome, ", ".join(changes) or "already set up")
        return RealmPool(role, facts, tuple(changes))


def _changes(work: _PoolSetup, plan: PoolPlan, found: PoolFacts) -> Iterator[str]:
    """Make the changes that a pool needs, one after the other, and tell each in words."""
    connection, name = work.connection, plan.name
    if found.state is PoolState.MISSING:
        before = look_at_folder(connection, plan.path)
        define_pool(connection, plan)
        work.did(f"undefine {name}", lambda to: undefine_pool(to, name))
        yield "defined"
        if before is None:
            yield _build(work, plan)
        elif plan.type is PoolType.DIR and not plan.permissions.is_met_by(before):
            build_pool(connection, name)
            work.did(f"restore {before} of {plan.path}", lambda to: _give_back(to, plan, before))
            yield f"{plan.path} changed to {plan.permissions}"
    if found.state is not PoolState.ACTIVE:
        try:
            start_pool(connection, name)
        except FolderMissing:  # of a pool that was defined before
            yield _build(work, plan)
            start_pool(connection, name)
        work.did(f"stop {name}", lambda to: stop_pool(to, name))
        yield "started"
    if not found.autostart and (found.persistent or found.state is PoolState.MISSING):
        set_autostart(connection, name, on=True)
        work.did(f"autostart of {name} off", lambda to: set_autostart(to, name, on=False))
        yield "autostart on"


def _build(work: _PoolSetup, plan: PoolPlan) -> str:
    parents = missing_parents(work.connection, plan.path)
    build_pool(work.connection, plan.name)
    work.folders.add(work.host, plan.path, *parents)
    return f"{plan.path} made"


def _give_back(to: HostConnection, plan: PoolPlan, before: Permissions) -> None:
    undefine_pool(to, plan.name)  # defined anew it would be another pool of the same name
    define_pool(to, replace(plan, permissions=before))
    build_pool(to, plan.name)


def _refuse_others(
    connection: HostConnection, realm: Realm, plans: Mapping[PoolRole, PoolPlan], found: Mapping[PoolRole, PoolFacts]
) -> None:
    others = {role: message for role, plan in plans.items() if (message := what_differs(plan, found[role]))}
    if others:
        it, its = ("it", "its") if len(others) == 1 else ("them", "their")
        command = removal_command(realm, [connection.host], () if len(others) == len(PoolRole) else list(others))
        hint = f"set {its} own --path, or remove {it} there (files are kept): {command}"
        first, *more = others.items()
        also = f"; likewise {', '.join((plans[role].name for role, _ in more))}" if more else ""
        raise PoolDiffers(connection.host, first[1] + also, hint=hint)


def what_differs(plan: PoolPlan, found: PoolFacts) -> str:
    """Say how the pool that a host has is not the one planned: it is refused then; empty where it is, or is missing."""
    same = found.type == plan.type and same_place(found.path, plan.path) and _same_source(plan, found)
    if found.state is PoolState.MISSING or same:
        return ""
    is_of = f"{found.type} at {found.path}" + (f" from {found.source}" if found.source else "")
    asked = f"{plan.type} at {plan.path}" + (f" from {plan.source}" if plan.source else "")
    return f"pool {plan.name} already exists: {is_of}; requested: {asked}"


def what_is_to_do(found: PoolFacts) -> tuple[PoolStep, ...]:
    """Name the steps that setting a pool up takes, as far as its libvirt tells; none where it is set up already."""
    if found.state is PoolState.MISSING:
        return tuple(PoolStep)
    autostart = (PoolStep.AUTOSTART,) if found.persistent and not found.autostart else ()
    return autostart if found.state is PoolState.ACTIVE else (PoolStep.START, *autostart)


def _same_source(plan: PoolPlan, found: PoolFacts) -> bool:
    if plan.type is not PoolType.NETFS:
        return plan.source == found.source
    mine, theirs = plan.source.partition(":/"), found.source.partition(":/")
    return mine[0] == theirs[0] and same_place("/" + mine[2], "/" + theirs[2])
