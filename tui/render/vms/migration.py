"""The hosts that VMs could move to, and what was checked before they do."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.codes import Check
from core.config.model import Configuration
from core.diagnostics import Severity
from core.fleet.fleet import VM, Fleet, HostSnapshot
from core.operations.migration.options import Obstacle
from core.operations.migration.plan import MigrationPlan
from core.operations.migration.target_room import demand_of, rank_targets
from core.operations.tasks.task import TaskView
from core.placement.engine.engine import judge, order, with_vm
from core.placement.engine.verdicts import Verdict
from core.text import plural
from tui.render.cells import Piece, Tone
from tui.render.vms.host_ranking import RankedHosts

Line = tuple["Piece", ...]

TICKS = {
    "tls": "TLS",
    "copy_storage": "copy disks",
    "unsafe": "trust storage",
    "force": "force",
    "offline": "offline only",
}
"""Options of a migration that are ticked: encrypted, disks copied that are not shared, disks taken as shared that
are not proven to be, a host that refuses, only while the VM is off."""

_PASSED_BY = {"--force": "force", "--unsafe": "unsafe", "--copy-storage": "copy_storage"}

_TONES = {
    Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.INFO: Tone.MUTED, Severity.OK: Tone.GOOD,
}  # fmt: skip


def migration_choice(configuration: Configuration, fleet: Fleet, vms: Sequence[VM], host: str | None) -> RankedHosts:
    """Judge every host for one VM, or for several, one after another on each host."""
    placed = [(snapshot, vm) for vm in vms if (snapshot := fleet.host(vm.host)) is not None]
    if len(vms) == 1 and placed:
        snapshot, vm = placed[0]
        request = demand_of(configuration, snapshot, vm).request
        return RankedHosts(rank_targets(configuration, fleet, request, snapshot.name), host)
    realms = {snapshot.host.realm for snapshot, _ in placed}
    verdicts, takes = [], {}
    for target in fleet.hosts:
        if target.host.realm in realms:
            verdict, number = _of_all(configuration, fleet, placed, target)
            takes[target.name] = number
            if verdict is not None:
                verdicts.append(verdict)
    return RankedHosts(order(verdicts), host, takes, len(vms))


def _of_all(
    configuration: Configuration, fleet: Fleet, placed: Sequence[tuple[HostSnapshot, VM]], target: HostSnapshot
) -> tuple[Verdict | None, int]:
    """Put VMs onto one host, one after another; gives what it costs with those that it takes, and their number."""
    room, number = type(fleet)(fleet.taken, (target,)), 0
    first: Verdict | None = None
    last: Verdict | None = None
    for source, vm in placed:
        if source.name == target.name:
            number += 1
            continue
        if source.host.realm != target.host.realm:
            continue
        snapshot = room.hosts[0]
        verdict = judge(configuration, room, demand_of(configuration, source, vm).request, snapshot)
        first = first or verdict
        if verdict.feasible and not any(other.uuid == vm.uuid for other in snapshot.vms):
            room = with_vm(room, replace(vm, host=target.name, active=True, devices=verdict.devices))
            number, last = number + 1, verdict
    if first is None or last is None:
        return first, number
    return replace(last, before=first.before, use=first.use), number


def progress_line(view: TaskView | None) -> Line:
    """Return what a check is at."""
    step = view.steps[-1] if view is not None and view.steps else None
    if step is None:
        return (("Checking\N{HORIZONTAL ELLIPSIS}", Tone.MUTED),)
    where = f"{step.host}: " if step.host else ""
    return ((f"Checking: {where}{step.what}\N{HORIZONTAL ELLIPSIS}", Tone.MUTED),)


def plan_lines(plan: MigrationPlan) -> list[Line]:
    """Return whether a VM can migrate, and what the checks found, worst first; passed checks are only counted."""
    manner = "live" if plan.live else "offline"
    head: list[Piece] = [(f"{plan.source.name} \N{RIGHTWARDS ARROW} {plan.target.name}, {manner}: ", Tone.STRONG)]
    errors = len(plan.blockers)
    if plan.ok:
        head.append(("ready to migrate", Tone.GOOD))
    else:
        head.append((f"{plural(errors, 'check')} failed", Tone.BAD))
    lines: list[Line] = [tuple(head)]
    lines += [((f"{each.host} skipped: {each.what}", Tone.WARN),) for each in plan.passed_over]
    for obstacle in plan.obstacles:
        if obstacle.severity is not Severity.OK and not (obstacle.check is Check.FOREIGN and obstacle.overridden):
            lines += _obstacle(obstacle)
    well = sum(obstacle.severity is Severity.OK for obstacle in plan.obstacles)
    if well:
        lines.append(((f"{plural(well, 'check')} passed", Tone.MUTED),))
    return lines


def _obstacle(obstacle: Obstacle) -> Iterator[Line]:
    passed = obstacle.overridden and obstacle.severity is Severity.ERROR
    word = "ignored" if passed else obstacle.severity.value
    tone = Tone.WARN if passed else _TONES[obstacle.severity]
    yield ((f"{word:<8}", tone), (f"{obstacle.check}: ", Tone.MUTED), (obstacle.what, Tone.PLAIN))
    tick = TICKS.get(_PASSED_BY.get(obstacle.overridden_by, ""))
    if passed:
        return
    if tick:
        yield (("        ", Tone.PLAIN), (f"\N{RIGHTWARDS ARROW} tick '{tick}' to override", Tone.ACCENT))
    elif obstacle.mend:
        yield (("        ", Tone.PLAIN), (f"\N{RIGHTWARDS ARROW} {obstacle.mend}", Tone.MUTED))
