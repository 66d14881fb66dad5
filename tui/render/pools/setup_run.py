"""How far setting pools up is on each host, and what came of it."""

from dataclasses import dataclass

from core.operations.storage.pool_report import HostPools, PoolRole, PoolSharing, PoolsReport
from core.operations.tasks.step_kinds import StepKind, StepOutcome
from core.operations.tasks.task import Progress, Step, TaskView
from core.text import one_line
from tui.render.cells import Piece, Tone, lay_out, width_of
from tui.render.pools.setup import Checks, HostCheck
from tui.render.wrapping import cut_middle, wrapped

Line = tuple[Piece, ...]

_MARKS = {
    Progress.RUNNING: (">", Tone.ACCENT),
    Progress.DONE: ("\N{CHECK MARK}", Tone.GOOD),
    Progress.FAILED: ("\N{BALLOT X}", Tone.BAD),
    Progress.CANCELLED: ("\N{EN DASH}", Tone.WARN),
    Progress.UNDONE: ("\N{LEFTWARDS ARROW}", Tone.WARN),
}
_OUTCOMES: dict[StepOutcome | None, str] = {StepOutcome.MADE: "set up", StepOutcome.UNCHANGED: "already set up"}


@dataclass(frozen=True, slots=True)
class SetupRun:
    """How far the task is, or what came of it. `report` is there once it has ended, unless it was cancelled."""

    view: TaskView
    checks: Checks
    report: PoolsReport | None = None

    def lines(self, width: int) -> tuple[Line, ...]:
        """Show each pool of each host, then the proof, then what went wrong."""
        hosts = min(20, max(6, *(width_of(check.host.name) for check in self.checks.hosts)))
        cell = max(10, (width - hosts - 2) // max(1, len(self.checks.plans)) - 1)
        head = [(f"{'HOST':<{hosts}}  ", Tone.MUTED)]
        head += [(f"{role.value.upper():<{cell}} ", Tone.MUTED) for role in self.checks.plans]
        lines: list[Line] = [tuple(head)]
        for check in self.checks.hosts:
            line: list[Piece] = [*lay_out(cut_middle(check.host.name, hosts), hosts), ("  ", Tone.PLAIN)]
            for role in self.checks.plans:
                line += [*lay_out(self._cell(check, role), cell), (" ", Tone.PLAIN)]
            lines.append(tuple(line))
        proof = self._proof(width)
        return (*lines, (), *proof, *([()] if proof else []), *self._outcome(width))

    def _hosts(self) -> tuple[HostPools, ...]:
        return self.report.hosts if self.report is not None else ()

    def _cell(self, check: HostCheck, role: PoolRole) -> Line:
        of_host = [step for step in self.view.steps if step.host == check.host.name]
        mine = next((step for step in of_host if step.kind is StepKind.SET_UP_POOL and step.role == role), None)
        undone = any(step.kind is StepKind.UNDO and step.progress is Progress.DONE for step in of_host)
        if mine is None:
            failed = any(host.error is not None and host.host == check.host for host in self._hosts())
            if failed and not undone:
                return ((f"{_MARKS[Progress.FAILED][0]} failed", Tone.BAD),)
            return (("waiting" if self.view.is_running and not undone else "-", Tone.DIM),)
        mark, tone = _MARKS[mine.progress]
        if undone and mine.progress is Progress.DONE and mine.outcome is not StepOutcome.UNCHANGED:
            return ((f"{_MARKS[Progress.UNDONE][0]} undone", Tone.WARN),)
        words = {Progress.FAILED: "failed", Progress.CANCELLED: "stopped"}.get(mine.progress, "")
        if not words:
            words = _OUTCOMES.get(mine.outcome, mine.detail)
        return ((f"{mark} ", tone), (words, tone if mine.progress is Progress.FAILED else Tone.PLAIN))

    def _proof(self, width: int) -> list[Line]:
        steps = [step for step in self.view.steps if step.kind is StepKind.PROVE_SHARING]
        if self.report is None or not any(sharing.by or sharing.error for sharing in self.report.sharing):
            return [_step_line(step) for step in steps]
        lines: list[Line] = [(("Shared storage", Tone.STRONG),)]
        for sharing in self.report.sharing:
            lines += _sharing_lines(sharing, width)
        return lines

    def _outcome(self, width: int) -> list[Line]:
        view = self.view
        lines: list[Line] = []
        for host in self._hosts():
            if host.error is not None:
                lines += _wrapped(str(host.error), Tone.BAD, width)
        if view.is_running:
            word = "Stopping and rolling back" if view.cancelling else "Working"
            lines.append(((word, Tone.WARN if view.cancelling else Tone.ACCENT),))
        elif view.progress is Progress.DONE:
            changed = any(pool.changes for host in self._hosts() for pool in host.pools)
            told = "Done: the pools are set up." if changed else "Nothing to do: the pools are already set up."
            lines.append(((told, Tone.GOOD),))
        elif view.progress is Progress.CANCELLED:
            lines.append((("Stopped. All changes are rolled back.", Tone.WARN),))
        else:
            lines += _wrapped(view.error, Tone.BAD, width)
            kept = [host.host.name for host in self._hosts() if host.error is None]
            told = f"Pools are set up on {', '.join(kept)}. " if kept else "No changes were kept. "
            lines += _wrapped(told + "Go back to change the plan, or run it again to complete it.", Tone.PLAIN, width)
        for warning in view.warnings:
            lines += _wrapped(warning, Tone.WARN, width)
        return lines


def _step_line(step: Step) -> Line:
    mark, tone = _MARKS[step.progress]
    return ((f"{mark} ", tone), (one_line(step.what), Tone.PLAIN), (f"  {one_line(step.detail)}", Tone.MUTED))


def _sharing_lines(sharing: PoolSharing, width: int) -> list[Line]:
    head = f"{sharing.role.value:<10} "
    if sharing.shared:
        how = "same source" if sharing.by == "source" else "proved"
        return [
            ((f"\N{CHECK MARK} {head}", Tone.GOOD), (one_line(f"{', '.join(sharing.groups[0])}: {how}"), Tone.PLAIN)),
            *_wrapped(sharing.error, Tone.WARN, width),
        ]
    if sharing.shared is False:
        told = "; ".join(
            f"{', '.join(group)} see{'s' if len(group) == 1 else ''} only "
            + ("its own" if len(group) == 1 else "each other's")
            for group in sharing.groups
        )
        first, *rest = wrapped(told, width - 13, 4)
        more: list[Line] = [((" " * 13, Tone.PLAIN), (text, Tone.BAD)) for text in rest]
        lines: list[Line] = [((f"\N{BALLOT X} {head}", Tone.BAD), (first, Tone.BAD)), *more]
        return [*lines, *_wrapped(sharing.error, Tone.WARN, width)]
    why = sharing.error or "nothing to compare"
    return [((f"? {head}", Tone.WARN), (one_line(f"unknown: {why}"), Tone.WARN))]


def _wrapped(text: str, tone: Tone, width: int) -> list[Line]:
    return [((line, tone),) for line in wrapped(text, width, 4)] if text else []
