"""Where VMs move: the hosts as placement judges them, and what stands in the way of the one that is chosen."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from core.driver.migration.migration import MigrationMode
from core.errors import RealmsError, UsageError
from core.fleet.fleet import VM, Fleet
from core.operations.migration.options import MigrationOptions
from core.operations.migration.plan import MigrationPlan
from core.operations.session import Session
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control, TaskView
from core.text import one_line, printable
from core.units import NotAQuantity
from tui.forms.fields import YES, FormField
from tui.render.cells import Piece, Tone
from tui.render.vms.fields import read_seconds
from tui.render.vms.host_ranking import RankedHosts
from tui.render.vms.migration import TICKS, migration_choice, plan_lines, progress_line
from tui.render.vms.questions import title_of, vm_lines
from tui.screens.background import BackgroundWork
from tui.screens.dialogs.dialog import Dialog
from tui.screens.vms.host_table import HostChoice
from tui.widgets.fields import FieldRow
from tui.widgets.grid import Grid
from tui.widgets.tones import paragraphs

REST_SECONDS = 0.4
"""How long the cursor rests on a host before that is checked."""

AT_ONCE = 200
"""Judgements that are made between two keys; more are left to a thread."""

_MODES = (
    (MigrationMode.CLIENT.value, "client-driven"),
    (MigrationMode.P2P.value, "peer-to-peer"),
    (MigrationMode.TUNNELLED.value, "tunnelled"),
)
_MODE = FormField(key="mode", label="Mode", value=MigrationMode.CLIENT.value, choices=_MODES)
_TICKS = tuple(FormField(key=key, tick=words) for key, words in TICKS.items())
_LIMITS = (
    FormField(key="timeout", label=" Timeout", hint="never"),
    FormField(key="bandwidth", label=" Limit MiB/s", hint="no limit"),
)


class MigrateVMs(Dialog[MigrationOptions | None], BackgroundWork):
    """Gives how and where VMs are to move, None where they stay. The host under the cursor is the one chosen."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Cancel")]
    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "../dialogs/forms.tcss"]

    def __init__(self, vms: Sequence[VM]) -> None:
        super().__init__()
        self.vms = tuple(vms)
        self.host: str | None = None
        """The host that is chosen; None: the best."""
        self.plans: dict[MigrationOptions, MigrationPlan | RealmsError] = {}
        """What came of checks, by what was wished."""
        self._choice: RankedHosts | None = None
        self._view: TaskView | None = None
        self._values = {field.key: field.value for field in (_MODE, *_TICKS, *_LIMITS)}

    # Layout --------------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Lay out the VMs, the hosts, the options, what was found, and the buttons."""
        foreign = any(not vm.managed for vm in self.vms)
        with Vertical(classes="dialog listing migration" + (" destructive" if foreign else "")) as dialog:
            dialog.border_title = Content(printable(title_of("Migrate", self.vms)))
            dialog.border_subtitle = Content("Ctrl+S migrate, Esc cancel")
            with VerticalScroll(classes="told", can_focus=False):
                yield Static(paragraphs(vm_lines(self.vms)))
            yield HostChoice("", id="targets")
            with Horizontal(classes="options"):
                yield FieldRow(_MODE, label_width=5)
                for field in _LIMITS:
                    yield FieldRow(field, label_width=15)
            with Horizontal(classes="options ticks"):
                for field in _TICKS:
                    yield FieldRow(field, label_width=0)
            with VerticalScroll(id="findings"):
                yield Static(id="found")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                if len(self.vms) > 1:
                    yield Button("Check", id="check", compact=True)
                yield Button("Migrate", id="do", compact=True)

    def on_mount(self) -> None:
        """Begin at the hosts."""
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)
        self.query_one(HostChoice).focus()
        self._wish_anew()

    # Hosts ---------------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Judge the hosts as they are now."""
        judge = partial(migration_choice, self.realms.session.configuration, fleet, self.vms, self.host)
        if len(fleet.hosts) * len(self.vms) <= AT_ONCE:
            self._show_choice(judge())
        elif not self.background.awaits("judge"):
            self.background.ask("judge", lambda _: judge(), self._show_choice, self._fail_to_judge)

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show nothing of tasks."""

    def _show_choice(self, choice: RankedHosts) -> None:
        self._choice = choice
        hosts = self.query_one(HostChoice)
        hosts.styles.height = len(choice.verdicts) + 2
        hosts.show_choice(choice)
        self._show()

    def _fail_to_judge(self, error: RealmsError) -> None:
        self.query_one(HostChoice).fail(str(error))

    @on(Grid.Moved)
    def choose(self, event: Grid.Moved) -> None:
        """Take the host under the cursor."""
        host = str(event.key) if event.key else None
        if host != self.host:
            self.host = host
            if self.realms.fleet is not None:
                self.show_fleet(self.realms.fleet)
            self._wish_anew()

    @on(Grid.Chosen)
    def go_on(self) -> None:
        """Go to the button that does it."""
        button = self.query_one("#do", Button)
        if not button.disabled:
            button.focus()

    # Wishes and checks ---------------------------------------------------------------------------------------------

    @on(FieldRow.Changed)
    def take_over(self, event: FieldRow.Changed) -> None:
        """Wish something else."""
        self._values[event.row.field.key] = event.row.value
        self._wish_anew()

    @on(FieldRow.Submitted)
    def leave_field(self) -> None:
        """Go to the next field on Enter."""
        self.focus_next()

    def wish(self) -> MigrationOptions:
        """Return what is wished by now; raises UsageError where its parts exclude each other, or can't be read."""
        values = self._values
        given: dict[str, Any] = {key: values[key] == YES for key in TICKS}
        try:
            timeout = read_seconds(values["timeout"]) if values["timeout"].strip() else None
        except NotAQuantity as error:
            raise UsageError(f"timeout: {error.hint or error}") from error
        bandwidth = values["bandwidth"].strip() or "0"
        if not (bandwidth.isascii() and bandwidth.isdigit() and int(bandwidth) <= 1_000_000):
            raise UsageError("limit: a whole number of MiB/s up to 1 000 000")
        return MigrationOptions(
            to=self.host,
            mode=MigrationMode(values["mode"]),
            foreign=any(not vm.managed for vm in self.vms),  # the dialog has warned
            timeout=timeout,
            bandwidth=int(bandwidth),
            **given,
        )

    def _wish_anew(self) -> None:
        self.background.forget("check")
        self._view = None
        try:
            wish = self.wish()
        except UsageError:
            self._show()
            return
        if len(self.vms) == 1 and wish not in self.plans:
            self._check(wish, after=REST_SECONDS)
        self._show()

    @on(Button.Pressed, "#check")
    def check(self) -> None:
        """Ask source and target what stands in the way, off this thread."""
        try:
            wish = self.wish()
        except UsageError:
            return
        self._view = None
        self._check(wish)
        self._show()

    def _check(self, wish: MigrationOptions, *, after: float = 0.0) -> None:
        if len(self.vms) == 1:
            job = _plan(self.realms.session, self.vms[0], wish)
            learn = partial(self._learn, wish)
            self.background.ask("check", job, learn, learn, self._follow, after=after)
        else:
            job_of_all = _plans(self.realms.session, self.vms, wish)
            self.background.ask("check", job_of_all, self._learn_all, self._fail_all, self._follow)

    def _learn(self, wish: MigrationOptions, found: MigrationPlan | RealmsError) -> None:
        self.plans[wish] = found
        self._show()

    def _learn_all(self, lines: list[tuple[Piece, ...]]) -> None:
        self._of_all = lines
        self._show()

    def _fail_all(self, error: RealmsError) -> None:
        self._learn_all([((str(error), Tone.BAD),)])

    def _follow(self, view: TaskView) -> None:
        self._view = view
        self._show()

    # What is shown -------------------------------------------------------------------------------------------------

    _of_all: Sequence[tuple[Piece, ...]] = ()

    def _show(self) -> None:
        lines, may_go = self._found()
        self.query_one("#found", Static).update(paragraphs(lines))
        self.query_one("#do", Button).disabled = not may_go

    def _found(self) -> tuple[Sequence[tuple[Piece, ...]], bool]:
        """Return what is to be read, and whether the VMs may move."""
        try:
            wish = self.wish()
        except UsageError as error:
            return [((error.message, Tone.BAD),), ((error.hint, Tone.MUTED),)], False
        if self.background.awaits("check"):
            return [progress_line(self._view)], self._can_be_taken()
        if len(self.vms) > 1:
            told = "Each VM is checked before it moves, one per host at a time. Check runs the checks now."
            return self._of_all or [((told, Tone.MUTED),)], self._can_be_taken()
        found = self.plans.get(wish)
        if found is None:
            return [progress_line(None)], self._can_be_taken()
        if isinstance(found, RealmsError):
            return [((one_line(found.message), Tone.BAD),), ((one_line(found.hint), Tone.MUTED),)], False
        return plan_lines(found), found.ok

    def _can_be_taken(self) -> bool:
        """Whether placement lets them go there, as far as anyone knows by now: what is checked then decides."""
        choice = self._choice
        if choice is None or len(self.vms) > 1:
            return choice is not None
        return choice.taken is not None or self._values["force"] == YES

    # Answers -------------------------------------------------------------------------------------------------------

    @on(Button.Pressed, "#cancel")
    def action_leave(self) -> None:
        """Lift the table's filter, then close."""
        if not (self.query_one(HostChoice).has_focus and self.query_one(HostChoice).clear()):
            self.dismiss(None)

    @on(Button.Pressed, "#do")
    def go(self) -> None:
        """Give what is wished."""
        self.dismiss(self.wish())


def _plan(session: Session, vm: VM, wish: MigrationOptions) -> Callable[[Control], MigrationPlan]:
    def job(control: Control) -> MigrationPlan:
        from core.operations.migration.plan import MigrationSource, plan_migration
        from core.operations.selection import find_vm

        session.require_writable()
        fleet = session.fleet()
        departure = MigrationSource(fleet, *find_vm(fleet, f"{vm.host}/{vm.uuid}"))
        return plan_migration(control, session, departure, wish, prove=not session.read_only)

    return job


def _plans(session: Session, vms: Sequence[VM], wish: MigrationOptions) -> Callable[[Control], list[tuple[Piece, ...]]]:
    def job(control: Control) -> list[tuple[Piece, ...]]:
        lines: list[tuple[Piece, ...]] = []
        for vm in vms:
            name = (f"{vm.host}/{vm.name}  ", Tone.STRONG)
            if wish.to == vm.host:
                lines.append((name, ("already there", Tone.MUTED)))
                continue
            try:
                with control.step(StepKind.LOOK, f"{vm.name}, {len(lines) + 1} of {len(vms)}", vm.host, vm=vm.name):
                    plan = _plan(session, vm, wish)(control.branch())
            except RealmsError as error:
                control.check()
                lines.append((name, (one_line(error.message), Tone.BAD)))
                continue
            if plan.ok:
                lines.append((name, (f"can move to {plan.target.name}", Tone.GOOD)))
            else:
                lines.append((name, (one_line(plan.blockers[0].what), Tone.BAD)))
        return lines

    return job
