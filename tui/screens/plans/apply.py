"""Plans of moves carried out from their area: asked about, begun as a task, stopped, resumed, and given up."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from textual.screen import ModalScreen

from core.errors import RealmsError
from core.hosts import HostState
from core.operations.plans.run import InterruptedRun, MoveState, PlanRun, forget_run
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.placement.plans.demand import MovePolicy
from core.text import plural
from tui.commands import Command
from tui.context import AppContext
from tui.forms.fields import YES, FormField
from tui.render.plans.progress import capital, order_in_words
from tui.render.plans.questions import ask_apply, ask_policy, ask_resume, ask_stop, can_cordon
from tui.render.plans.sheet import PlanKind
from tui.screens.dialogs.form import VMForm
from tui.screens.plans.dialogs import Agreement, ApplyPlan, ResumePlan
from tui.screens.plans.planner import Planner
from tui.screens.plans.runs import AppliedPlan, PlanRuns

DEADLINE = 20.0
"""Seconds that connecting to a host may take."""


@dataclass(frozen=True, slots=True)
class PlanActions:
    """Applies, stops, resumes and gives up plans of moves, after asking.

    `ask` opens a dialog and takes its answer; `show` brings a plan to the front, of a host where it is one of a host;
    `look` reads what was left.
    """

    realms: AppContext
    planner: Planner
    runs: PlanRuns
    ask: Callable[[ModalScreen[Any], Callable[[Any], None]], object]
    show: Callable[[PlanKind, str], None]
    look: Callable[[], None]

    def allows(self, command: Command) -> bool:
        """Return whether a command can be done with the plan in front."""
        match command.action:
            case "apply":
                return self.planner.kind.moves and self._under_way() is None
            case "stop":
                return bool(self.runs.under_way)
            case "resume":
                return bool(self.runs.resumable(self.planner.key))
        return True

    def _under_way(self) -> AppliedPlan | None:
        course = self.runs.course(self.planner.key)
        return course if course is not None and not self.runs.has_ended(course) else None

    def _may_change(self) -> bool:
        session = self.realms.session
        if not session.is_writable:
            self.realms.tell(f"Nothing can be changed: {session.why_not}.", "warning")
        return session.is_writable

    def apply(self) -> None:
        """Ask, then carry out the plan in front, as a task; one that was left is resumed."""
        planner, runs, tell = self.planner, self.runs, self.realms.tell
        if not self._may_change():
            return
        resumable = [left for left in runs.resumable(planner.key) if planner.is_of(left.order, self.realms.request)]
        if not planner.kind.moves:
            tell("Only drain (d), rebalance (b) and make room (o) can be applied.")
        elif (course := self._under_way()) is not None:
            tell(f"{capital(order_in_words(course.run.view.order))} is running.")
        elif runs.course(planner.key) is not None:
            runs.put_away(planner.key)
            self.show(planner.kind, "")
            tell("The plan was updated: review it, then apply.")
        elif resumable:
            self._ask_to_resume(resumable[0])
        elif (other := runs.in_the_way(planner.kind)) is not None:
            tell(f"{capital(order_in_words(other))} is running: wait for it to finish.", "warning")
        else:
            self.ask_to_apply()

    def ask_to_apply(self) -> None:
        """Ask, then carry out the plan in front, where it is made and moves anything."""
        realms, desk, sheet = self.realms, self.planner.desk, self.planner.desk.sheet
        fleet = realms.fleet
        if fleet is None or not desk.is_current or sheet is None:
            realms.tell("The plan is not ready yet.", "warning")
            return
        if not sheet.moves:
            realms.tell("Nothing to move.", hint=sheet.said[0][0] if sheet.said else "")
            return
        order, gain = self.planner.order(sheet), sheet.gain if sheet.request is not None else ""
        cordons = order.host if order.host and can_cordon(fleet.host(order.host)) else ""

        def answered(agreement: Agreement | None) -> None:
            if agreement is not None:
                run = PlanRun(replace(order, parallel=agreement.parallel), sheet.moves)
                self._start(run, cordons if agreement.cordon else "", gain)

        self.ask(ApplyPlan(ask_apply(order, sheet, fleet.hosts), cordons=cordons), answered)

    def _start(self, run: PlanRun, cordon: str = "", gain: str = "") -> None:
        """Carry a run out as a task, once a host takes no new VMs; `gain` is said when all its moves are made."""
        realms, session, order = self.realms, self.realms.session, run.view.order

        def job(control: Control) -> str:
            from core.operations.plans.apply import apply_plan

            try:
                if cordon:
                    with control.step(StepKind.CONTROL, "set to No Scheduling", cordon):
                        session.set_state(cordon, HostState.NO_SCHEDULING)
            except RealmsError:
                run.change(ended=True)
                raise
            return apply_plan(control, session, run, deadline=DEADLINE)

        def ended(told: str) -> None:
            view = run.view
            bad = view.count(MoveState.FAILED, MoveState.IN_DOUBT, MoveState.WAITING)
            then = f". {gain}" if gain and view.count(MoveState.DONE) == len(view.moves) else ""
            realms.tell(f"{capital(order.what)}: {told}{then}", "warning" if bad else "information")

        target = order.host or plural(len(run.view.moves), "VM")
        what = order.kind.value if order.request is None else "make room by moving"
        self.follow(run, realms.run_task(what, target, job, ended))

    def follow(self, run: PlanRun, task: int) -> None:
        """Bring a plan to the front that a task carries out."""
        order = run.view.order
        self.runs.begin(run, task, self.realms.session.clock.now())
        self.show(PlanKind(order.kind.value), order.host)

    def stop(self) -> None:
        """Ask, then begin no further move of a plan that is carried out."""
        realms, course = self.realms, self.runs.to_stop(self.planner.key)
        if course is None:
            several = bool(self.runs.under_way)
            realms.tell("Select the plan to stop." if several else "No plan is running.")
            return
        tick = FormField(key="off", tick="also cancel running moves (their VMs stay on the source)")

        def answered(values: dict[str, str] | None) -> None:
            if values is None:
                return
            course.run.stop()
            if values["off"]:
                realms.session.tasks.cancel(course.task)
            realms.tick()

        self.ask(VMForm(ask_stop(course.run.view), [tick]), answered)

    def resume(self) -> None:
        """Ask, then go on with a plan that was stopped or broken off, or give it up."""
        if not self._may_change():
            return
        resumable = self.runs.resumable(self.planner.key)
        if resumable:
            self._ask_to_resume(resumable[0])
        else:
            self.realms.tell("No plan to resume.")

    def _ask_to_resume(self, left: InterruptedRun) -> None:
        def answered(wanted: bool | None) -> None:
            if wanted:
                self._start(PlanRun.resumed(left))
            elif wanted is not None:
                self._give_up(left)

        self.ask(ResumePlan(ask_resume(left)), answered)

    def _give_up(self, left: InterruptedRun) -> None:
        realms = self.realms

        def job(control: Control) -> str:
            with control.step(StepKind.NOTE, "discard the interrupted plan"):
                forget_run(realms.session, left.id)
            return f"{capital(order_in_words(left.order))} discarded: moved VMs stay on their new hosts"

        def ended(told: str) -> None:
            realms.tell(told)
            self.look()

        realms.run_task("discard plan", left.order.what, job, ended)

    def take_along(self) -> None:
        """Ask which VMs the plan in front may move."""
        planner, policy = self.planner, self.planner.policy
        if not planner.kind.moves or self._under_way() is not None:
            self.realms.tell("Only for drain (d), rebalance (b) and make room (o).")
            return
        foreign, devices = YES * policy.foreign, YES * policy.with_devices
        fields = [
            FormField(key="foreign", tick="unmanaged VMs", value=foreign),
            FormField(key="devices", tick="VMs with devices (moved offline)", value=devices),
        ]

        def answered(values: dict[str, str] | None) -> None:
            if values is None:
                return
            self.runs.put_away(planner.key)
            chosen = MovePolicy(foreign=bool(values["foreign"]), with_devices=bool(values["devices"]))
            planner.policies[planner.kind] = chosen
            self.show(planner.kind, "")

        self.ask(VMForm(ask_policy(), fields), answered)
