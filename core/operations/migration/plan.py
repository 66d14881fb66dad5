"""A migration before it begins: the VM, the host that it goes to and why, and everything that was checked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from core.codes import Check, ErrorCode
from core.diagnostics import Severity
from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.migration.migration import MigrationMode, migration_address
from core.driver.migration.survey import SourceReport, ask_source, ask_target
from core.errors import DriverError, RealmsError, UsageError
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, VMState
from core.hosts import Host
from core.operations.migration.checks import Findings, check_migration
from core.operations.migration.options import MigrationOptions, Obstacle, error, judged, warning
from core.operations.migration.storage import compare_storage, unshared_disks
from core.operations.migration.target_room import Demand, NoTarget, can_be_forced, demand_of, rank_targets
from core.operations.selection import check_known
from core.operations.session import Session
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.placement.engine.verdicts import Verdict
from core.text import printable

DEADLINE = 20.0
"""Seconds that connecting to each side may take by default."""


class MigrationRefused(RealmsError):
    """Something stands in the way; `plan` has all that was checked."""

    code = ErrorCode.MIGRATION_REFUSED

    def __init__(self, message: str, plan: MigrationPlan, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.plan = plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A better host that was passed over, and what stands in the way there."""

    host: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    """A VM, its source and target, what placement says of the target, and what was checked."""

    vm: VM
    source: Host
    target: Host
    wish: MigrationOptions
    demand: Demand
    verdict: Verdict
    verdicts: tuple[Verdict, ...]
    """Of all other hosts of the realm, best first."""
    obstacles: tuple[Obstacle, ...]
    here: SourceReport
    migrate_uri: str
    unsafe: bool
    """Storage is proven to be shared, or the administrator says so: libvirt's own doubt is passed."""
    copy_disks: tuple[str, ...] = ()
    passed_over: tuple[Passed, ...] = ()

    @property
    def live(self) -> bool:
        """Whether it moves while it is active."""
        return self.here.sight.active

    @property
    def blockers(self) -> tuple[Obstacle, ...]:
        """What stands in the way."""
        return tuple(obstacle for obstacle in self.obstacles if obstacle.blocks)

    @property
    def warnings(self) -> tuple[Obstacle, ...]:
        """Risks, and errors that the administrator goes past."""
        return tuple(
            obstacle
            for obstacle in self.obstacles
            if obstacle.severity is Severity.WARNING or (obstacle.severity is Severity.ERROR and obstacle.overridden)
        )

    @property
    def ok(self) -> bool:
        """Whether the migration can begin."""
        return not self.blockers

    def check(self) -> None:
        """Raise MigrationRefused where something stands in the way."""
        if self.blockers:
            first, more = self.blockers[0], len(self.blockers) - 1
            others = f" (and {more} more: --check lists them)" if more else ""
            message = f"{printable(self.vm.name)} can't move to {self.target.name}: {first.what}{others}"
            hint = first.mend or (f"override with {first.overridden_by}" if first.overridden_by else "")
            raise MigrationRefused(message, self, hint=hint)


@dataclass(frozen=True, slots=True)
class MigrationSource:
    """A VM on its host, in the fleet as it was seen last."""

    fleet: Fleet
    snapshot: HostSnapshot
    vm: VM

    @property
    def name(self) -> str:
        """The VM's name, made fit to show."""
        return printable(self.vm.name)

    def host(self, name: str) -> Host:
        """Return a host of the fleet."""
        return next(snapshot.host for snapshot in self.fleet.hosts if snapshot.name == name)


def plan_migration(
    control: Control,
    session: Session,
    departure: MigrationSource,
    wish: MigrationOptions,
    *,
    prove: bool = True,
    as_if_off: bool = False,
    deadline: float = DEADLINE,
) -> MigrationPlan:
    """Choose the target and check everything; changes nothing but a tiny volume made and deleted where `prove`.

    Without a host in the wish the best other one is taken; where something stands in the way there, the next best. A
    plan that can't be carried out is still given: that of the best host. `as_if_off` checks an active VM as
    what it is once it has been shut down. Connecting to each side may take `deadline` seconds. Raises UsageError,
    NoTarget, DriverError.
    """
    snapshot, vm = departure.snapshot, departure.vm
    if snapshot.connection is not Connection.CONNECTED:
        reason = f": {snapshot.error}" if snapshot.error else ""
        raise DriverError(
            snapshot.name,
            f"it does not answer: the state of {departure.name} is unknown{reason}",
            hint="the source host must be reachable",
        )
    demand = demand_of(session.configuration, snapshot, vm)
    verdicts = rank_targets(session.configuration, departure.fleet, demand.request, snapshot.name)
    candidates = _candidates(departure, wish, verdicts)
    strangers = tuple(_strangers(demand, snapshot))
    passed: list[Passed] = []
    plans: list[MigrationPlan] = []
    with contextlib.ExitStack() as stack:
        with control.step(StepKind.LOOK, "ask for the VM", snapshot.name):
            source = stack.enter_context(job_connection(snapshot.host, deadline))
            here = ask_source(source, vm.uuid)
        if as_if_off and here.sight.defined:
            here = replace(here, sight=replace(here.sight, active=False, state=VMState.OFF))
        for verdict in candidates:
            target = departure.host(verdict.host)
            with control.step(StepKind.LOOK, "check whether the VM can run there", target.name) as step:
                check = _Check(departure, wish, source, here, verdict)
                check.look(prove=prove, deadline=deadline)
                plan = MigrationPlan(
                    vm=vm, source=snapshot.host, target=target, wish=wish, demand=demand, verdict=verdict,
                    verdicts=verdicts, obstacles=judged(chain(check.obstacles, strangers), wish), here=here,
                    migrate_uri=check.address, unsafe=check.unsafe, copy_disks=check.copy_disks,
                    passed_over=tuple(passed),
                )  # fmt: skip
                step.detail("; ".join(each.what for each in plan.blockers) or _cost_words(verdict))
            if plan.ok:
                return plan
            plans.append(plan)
            passed.append(Passed(host=target.name, what=plan.blockers[0].what))
    return plans[0]


def _candidates(
    departure: MigrationSource, wish: MigrationOptions, verdicts: tuple[Verdict, ...]
) -> tuple[Verdict, ...]:
    """Return the hosts to try, best first; at least one."""
    name, realm, source = departure.name, departure.snapshot.host.realm, departure.snapshot.name
    if wish.to is None:
        able = tuple(verdict for verdict in verdicts if verdict.feasible)
        if able:
            return able
        if not verdicts:
            raise NoTarget(f"realm {realm} has no host other than {source}", hint="realms hosts add")
        reasons = "; ".join(f"{verdict.host}: {verdict.refusal}" for verdict in verdicts)
        raise NoTarget(f"no other host can take {name}: {reasons}", verdicts)
    check_known("host", wish.to, (each.name for each in departure.fleet.hosts))
    if wish.to == source:
        raise UsageError(f"{name} is already on {wish.to}", hint="choose another host, or none for the best")
    found = next((verdict for verdict in verdicts if verdict.host == wish.to), None)
    if found is None:
        other = departure.host(wish.to).realm
        raise UsageError(f"{wish.to} belongs to realm {other}, {name} to {realm}", hint="a VM stays in its realm")
    return (found,)


class _Check:
    """Everything that is checked for one target."""

    def __init__(
        self,
        departure: MigrationSource,
        wish: MigrationOptions,
        source: HostConnection,
        here: SourceReport,
        verdict: Verdict,
    ) -> None:
        self._departure = departure
        self._wish = wish
        self._source = source
        self._here = here
        self._target = target = departure.host(verdict.host)
        tunnelled = wish.mode is MigrationMode.TUNNELLED
        self.address = wish.migrate_uri or ("" if tunnelled else migration_address(target.uri))
        self.obstacles = [*_placement(verdict), *_standing(departure, target)]
        self.unsafe = wish.unsafe
        self.copy_disks: tuple[str, ...] = ()

    def look(self, *, prove: bool, deadline: float) -> None:
        """Ask the target, compare the storage, and judge it all. Raises DriverError."""
        if not self._target.state.connects:  # placement has said so
            return
        here = self._here
        with job_connection(self._target, deadline) as connection:
            there = ask_target(connection, here)
            storage = compare_storage(self._source, connection, here, there, prove=prove)
        found = Findings(
            source=self._source.host, target=self._target.name, here=here, there=there, storage=storage,
            target_address=self.address,
        )  # fmt: skip
        self.obstacles += check_migration(found, self._wish)
        unshared = tuple(unshared_disks(here.traits.disks, here.pools, storage))
        if self._wish.copy_storage:
            self.copy_disks = tuple(disk.target for disk in unshared if disk.can_be_copied)
        self.unsafe = self.unsafe or len(self.copy_disks) == len(unshared)


def _placement(verdict: Verdict) -> Iterator[Obstacle]:
    for reason in verdict.reasons:
        unless = "--force" if can_be_forced(verdict) else ""
        mend = f"realms vms migrate without --to takes the best host{', --force this one anyway' if unless else ''}"
        yield error(Check.PLACEMENT, f"{verdict.host} refuses it: {reason}", mend, unless=unless)


def _standing(departure: MigrationSource, target: Host) -> Iterator[Obstacle]:
    snapshot, vm = departure.snapshot, departure.vm
    if not vm.managed:
        what = f"{departure.name} is foreign: no realm created it, and others may rely on its location"
        yield error(Check.FOREIGN, what, "override with --foreign", unless="--foreign")
    for other in departure.fleet.hosts:
        if other.name in (snapshot.name, target.name):
            continue
        if any(each.uuid == vm.uuid and each.active for each in other.vms):
            yield error(Check.IDENTITY, f"a VM of this UUID is active on {other.name} too", "stop one of the two first")
        elif other.host.state.connects and other.connection is not Connection.CONNECTED:
            yield warning(
                Check.IDENTITY, f"cannot verify that {other.name} does not run the VM too", "realms hosts test"
            )


def _strangers(demand: Demand, snapshot: HostSnapshot) -> Iterator[Obstacle]:
    for address in demand.strangers:
        what = f"device {address} is not in the profile of {snapshot.name}: its replacement is unknown"
        yield error(Check.DEVICES, what, "detach it, or add it to the hardware profile")


def _cost_words(verdict: Verdict) -> str:
    if verdict.cost is None or verdict.before is None or not verdict.cost.feasible:
        return "fits"
    return f"fits: cost {verdict.before.total:g} now, {verdict.cost.total:g} with it"
