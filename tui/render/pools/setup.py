"""What the wizard that sets pools up shows before it runs: what hosts have, and exactly what will be done there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.driver.storage.pool_setup import PoolPlan
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.operations.storage.pool_report import NEED, HostPools, PoolRole, PoolStep
from core.text import one_line, plural
from core.units import show_size
from tui.render.cells import Piece, Tone, width_of
from tui.render.pools.table import HostPoolsView
from tui.render.wrapping import cut_middle, wrapped

Line = tuple[Piece, ...]


def what_it_has(view: HostPoolsView) -> Piece:
    """Return in a few words what a host's pools lack."""
    if not view.freshness.is_current:
        return ("pools unknown", Tone.WARN)
    lacking = [pool for pool in view.pools if pool.state is not PoolState.ACTIVE]
    if not lacking:
        low = [pool.role.value for pool in view.pools if pool.is_low]
        return (f"all four active; low: {', '.join(low)}", Tone.WARN) if low else ("all four active", Tone.GOOD)
    states = [
        state for state in (PoolState.MISSING, PoolState.INACTIVE) if any(pool.state is state for pool in lacking)
    ]
    told = [
        f"{', '.join(pool.role.value for pool in lacking if pool.state is state)} {state.value}" for state in states
    ]
    if len(lacking) == len(view.pools) and states == [PoolState.MISSING]:
        told = ["no pools"]
    return ("; ".join(told) or "not checked yet", Tone.WARN)


def where_it_is(role: PoolRole, views: Sequence[HostPoolsView]) -> Piece:
    """Return in a few words on which of the chosen hosts a pool is missing or inactive."""
    told = []
    for state in (PoolState.MISSING, PoolState.INACTIVE):
        names = [
            view.snapshot.name for view in views
            if (pool := view.pool(role)) is not None and pool.state is state and view.freshness.is_current
        ]  # fmt: skip
        if names:
            told.append(f"{state.value} on {', '.join(names[:4])}" + (f" and {len(names) - 4} more" * (len(names) > 4)))
    known = sum(view.freshness.is_current for view in views)
    if told:
        return ("; ".join(told), Tone.WARN)
    return (f"active on all {known} that answer" if known > 1 else "active" if known else "unknown", Tone.GOOD)


# Checks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostCheck:
    """What was found on one chosen host; `found` None: it has not answered, or won't."""

    host: Host
    found: HostPools | None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Checks:
    """What setting the planned pools up would do, on all chosen hosts."""

    hosts: tuple[HostCheck, ...]
    plans: Mapping[PoolRole, PoolPlan]
    need: int

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Return the pools that are there already and are other ones: these are refused."""
        from core.operations.storage.pool_setup import what_differs

        return tuple(
            f"{check.host.name}: {told}"
            for check in self.hosts
            if check.found is not None
            for role, plan in self.plans.items()
            if (facts := check.found.pool(role)) is not None
            and (told := what_differs(replace(plan, name=facts.name), facts))
        )

    def steps(self, check: HostCheck, role: PoolRole) -> tuple[PoolStep, ...] | None:
        """Name what has to be done for a pool; None where that is unknown."""
        from core.operations.storage.pool_setup import what_is_to_do

        facts = check.found.pool(role) if check.found is not None else None
        return None if facts is None else what_is_to_do(facts)

    @property
    def waits(self) -> bool:
        """Whether a host is still to answer."""
        return any(check.waiting for check in self.hosts)

    def headline(self) -> Line:
        """Return it all in one line."""
        each = [self.steps(check, role) for check in self.hosts for role in self.plans]
        made = sum(PoolStep.DEFINE in (steps or ()) for steps in each)
        mended = sum(bool(steps) and PoolStep.DEFINE not in (steps or ()) for steps in each)
        so = sum(steps == () for steps in each)
        parts = [
            f"{plural(made, 'pool')} to create" if made else "",
            f"{mended} to start or fix" if mended else "",
            f"{so} already set up" if so else "",
        ]
        unknown = sum(check.found is None or check.found.error is not None for check in self.hosts)
        line: list[Piece] = [(", ".join(filter(None, parts)) or "nothing known yet", Tone.STRONG)]
        if self.conflicts:
            line.append((f"; {plural(len(self.conflicts), 'conflict')}", Tone.BAD))
        if unknown:
            told = f"asking {plural(unknown, 'host')}" if self.waits else f"{plural(unknown, 'host')} did not answer"
            line.append((f"; {told}", Tone.WARN))
        return tuple(line)

    def lines(self, width: int) -> tuple[Line, ...]:
        """Return for each pool of each host what is there, and what will be done."""
        lines: list[Line] = [self.headline()]
        if self.conflicts:
            told = "Existing pools are never redefined. Go back: choose another location, or leave the pool out."
            lines += [((text, Tone.PLAIN),) for text in wrapped(told, width, 3)]
        lines.append(())
        names = min(28, max((width_of(plan.name) for plan in self.plans.values()), default=8))
        for check in self.hosts:
            lines.append(((check.host.name, Tone.STRONG), (f"  {one_line(check.host.uri)}", Tone.MUTED)))
            if check.found is None or check.found.error is not None:
                lines += self._unknown(check, width)
                continue
            for role, plan in self.plans.items():
                lines += self._pool(check, role, plan, names, width)
        return tuple(lines)

    def _unknown(self, check: HostCheck, width: int) -> list[Line]:
        if check.waiting:
            return [(("  asking", Tone.MUTED),)]
        why = check.found.error.bare if check.found is not None and check.found.error is not None else "no answer"
        told = f"{why} \N{EM DASH} skipped unless it answers"
        return [((f"  {text}", Tone.WARN),) for text in wrapped(told, width - 2, 3)]

    def _pool(self, check: HostCheck, role: PoolRole, plan: PoolPlan, names: int, width: int) -> list[Line]:
        from core.operations.storage.pool_setup import what_differs

        facts = check.found.pool(role) if check.found is not None else None
        if facts is None:
            return []
        head: Line = ((f"  {role.value:<10}", Tone.MUTED), (f"{cut_middle(facts.name, names):<{names}}  ", Tone.PLAIN))
        if told := what_differs(replace(plan, name=facts.name), facts):
            first, *rest = wrapped(told, width - names - 16, 4)
            more: list[Line] = [((" " * (names + 16), Tone.PLAIN), (text, Tone.BAD)) for text in rest]
            return [(*head, ("\N{BALLOT X} ", Tone.BAD), (first, Tone.BAD)), *more]
        steps = self.steps(check, role) or ()
        what: Piece = (", ".join(steps), Tone.ACCENT) if steps else ("already set up", Tone.GOOD)
        free, wanted = facts.available, max(self.need, NEED)
        if free is None:
            return [(*head, what)]
        short = free < wanted
        room = (f"   {show_size(free)} free" + (f", less than {show_size(wanted)}" if short else ""), _tone(bad=short))
        return [(*head, what, room)]


def _tone(*, bad: bool) -> Tone:
    return Tone.WARN if bad else Tone.MUTED


# Preview -----------------------------------------------------------------------------------------------------------


def preview_lines(checks: Checks) -> tuple[Line, ...]:
    """Return the pools' definitions, and for each host the equal virsh commands of what has to be done there."""
    from core.driver.storage.pool_setup import virsh_command

    lines: list[Line] = []
    for role, plan in checks.plans.items():
        lines.append(((f"{role.value}: {plan.name}", Tone.STRONG),))
        lines += [((text, Tone.PLAIN),) for text in plan.xml().splitlines()]
        lines.append(())
    for check in checks.hosts:
        lines.append(((f"# {check.host.name}", Tone.STRONG),))
        count = len(lines)
        for role, plan in checks.plans.items():
            facts = check.found.pool(role) if check.found is not None else None
            named = plan if facts is None else replace(plan, name=facts.name)
            steps = checks.steps(check, role)
            for step in tuple(PoolStep) if steps is None else steps:
                command = (
                    named.virsh_definition(check.host.uri)
                    if step is PoolStep.DEFINE
                    else virsh_command(check.host.uri, f"pool-{step}", named.name)
                )
                lines += [((text, Tone.PLAIN),) for text in command.splitlines()]
        if len(lines) == count:
            lines.append((("# nothing to do", Tone.GOOD),))
        lines.append(())
    return tuple(lines)
