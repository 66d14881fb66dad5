"""What can be done to VMs, wherever one or several are chosen."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual.app import App, SuspendNotSupported
from textual.screen import ModalScreen

from core.fleet.fleet import VM, Connection
from core.operations.migration.options import MigrationOptions
from core.operations.tasks.task import Control
from core.operations.vms.console import ESCAPE, ConsoleCommand
from core.operations.vms.delete import Deletion
from core.operations.vms.target import Target
from core.text import one_line
from tui.context import context_of
from tui.jobs.vm_disks import delete_job
from tui.jobs.vms import console_job, migrate_job, shutdown_job, vm_job
from tui.render.vms.actions import ACTIONS, VMAction, applies
from tui.render.vms.fields import check_patience, patience_field, patience_of
from tui.render.vms.questions import ask_action, ask_to_cut_power, vm_names
from tui.screens.area import AreaScreen
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.form import VMForm
from tui.screens.vms.delete import DeleteVMs
from tui.screens.vms.drives import DriveList
from tui.screens.vms.migrate import MigrateVMs
from tui.screens.vms.snapshots import SnapshotList, ask_for_snapshot
from tui.terminal.foreground import run_in_foreground

LATER_SECONDS = 0.5
"""How long a question waits that comes uncalled for while another dialog is open."""


class VMActions(AreaScreen):
    """A screen on which VMs are chosen. Subclasses say which: `chosen_vms`."""

    def chosen_vms(self) -> tuple[VM, ...]:
        """Return the VMs that an action is for."""
        return ()

    def after_action(self) -> None:
        """Tidy up once an action was asked for."""

    def vms_keyed(self, keys: Iterable[object]) -> tuple[VM, ...]:
        """Find VMs in the fleet as shown, by (host, UUID)."""
        fleet = self.realms.fleet
        if fleet is None:
            return ()
        wanted = list(keys)
        hosts = {key[0] for key in wanted if isinstance(key, tuple)}
        found = {vm.key: vm for snapshot in fleet.hosts if snapshot.name in hosts for vm in snapshot.vms}
        return tuple(found[key] for key in wanted if key in found)

    def may_change(self) -> bool:
        """Return whether anything may be changed here; says why not."""
        session = self.realms.session
        if not session.is_writable:
            self.realms.tell(f"Nothing can be changed: {session.why_not}.", "warning")
        return session.is_writable

    def _may_act(self, vms: Sequence[VM]) -> bool:
        fleet = self.realms.fleet
        if not self.may_change():
            return False
        silent = sorted(
            {
                vm.host
                for vm in vms
                if fleet is None or (host := fleet.host(vm.host)) is None or host.connection is not Connection.CONNECTED
            }
        )
        if silent:
            verb = "does" if len(silent) == 1 else "do"
            names = one_line(", ".join(silent), 80)
            hint = "the state of their VMs is unknown; no actions are possible"
            self.realms.tell(f"{names} {verb} not answer.", "warning", hint=hint)
        return bool(vms) and not silent

    def _the_one(self, what: str) -> VM | None:
        """Return the one VM that is chosen; says so where there are several."""
        chosen = self.chosen_vms()
        if not self._may_act(chosen):
            return None
        if len(chosen) > 1:
            self.realms.tell(f"{what}: choose one VM; clear the marks first.", "warning")
            return None
        return chosen[0]

    def run_on(self, what: str, vms: Sequence[VM], job: Callable[[Control], str]) -> None:
        """Start a task that is about VMs."""
        self.after_action()
        self.realms.run_task(what, vm_names(vms), job)

    # States --------------------------------------------------------------------------------------------------------

    def action_act(self, word: str) -> None:
        """Ask, then do something to the chosen VMs, as a task."""
        action = VMAction(word)
        chosen = self.chosen_vms()
        if not self._may_act(chosen):
            return
        vms = [vm for vm in chosen if applies(action, vm)]
        if not vms:
            state = chosen[0].state.label if len(chosen) == 1 else "not in the right state"
            verb = "is" if len(chosen) == 1 else "are"
            told = f"Cannot {ACTIONS[action].verb.lower()}: {vm_names(chosen)} {verb} {state}."
            self.realms.tell(told)
            return
        if action is VMAction.SHUTDOWN:
            self._shut_down(vms, len(chosen) - len(vms))
            return

        def answered(wanted: bool | None) -> None:
            if wanted:
                self.run_on(ACTIONS[action].verb.lower(), vms, vm_job(self.realms.session, action, _keys(vms)))

        self.app.push_screen(Confirm(ask_action(action, vms, len(chosen) - len(vms))), answered)

    def _shut_down(self, vms: Sequence[VM], left_out: int) -> None:
        def answered(values: dict[str, str] | None) -> None:
            if values is None:
                return
            app, realms, seconds = self.app, self.realms, patience_of(values)
            holdouts: list[Target] = []
            job = shutdown_job(realms.session, _keys(vms), seconds, holdouts)
            self.after_action()

            def ended(told: str) -> None:
                realms.tell(told, "warning" if holdouts else "information")
                offer_to_cut_power(app, holdouts, seconds)

            realms.run_task(ACTIONS[VMAction.SHUTDOWN].verb.lower(), vm_names(vms), job, ended)

        question = ask_action(VMAction.SHUTDOWN, vms, left_out)
        self.app.push_screen(VMForm(question, [patience_field()], check_patience), answered)

    # Places --------------------------------------------------------------------------------------------------------

    def action_migrate(self) -> None:
        """Choose where the chosen VMs go, then move them, as a task."""
        chosen = self.chosen_vms()
        if not self._may_act(chosen):
            return

        def answered(wish: MigrationOptions | None) -> None:
            if wish is not None:
                job = migrate_job(self.realms.session, _keys(chosen), wish)
                self.run_on(ACTIONS[VMAction.MIGRATE].verb.lower(), chosen, job)

        self.app.push_screen(MigrateVMs(chosen), answered)

    # Disks ---------------------------------------------------------------------------------------------------------

    def action_delete(self) -> None:
        """Ask what goes with the chosen VMs, then delete them, as a task."""
        chosen = self.chosen_vms()
        if not self._may_act(chosen):
            return
        if active := [vm for vm in chosen if vm.active]:
            verb = "is" if len(active) == 1 else "are"
            self.realms.tell(f"{vm_names(active)} {verb} not shut off.", "warning", hint="shut the VM down first")
            return

        def answered(wish: Deletion | None) -> None:
            if wish is not None:
                job = delete_job(self.realms.session, _keys(chosen), wish)
                self.run_on(ACTIONS[VMAction.DELETE].verb.lower(), chosen, job)

        self.app.push_screen(DeleteVMs(chosen), answered)

    def action_snapshot(self) -> None:
        """Ask for a name, then take a snapshot of the chosen VMs, as a task."""
        chosen = self.chosen_vms()
        if self._may_act(chosen):
            ask_for_snapshot(self.app, chosen, self.run_on)

    def action_snapshots(self) -> None:
        """List the snapshots of the VM under the cursor."""
        vm = self._the_one("Snapshots")
        if vm is not None:
            self.app.push_screen(SnapshotList(self.run_on, vm))

    def action_drives(self) -> None:
        """List the drives of the VM under the cursor."""
        vm = self._the_one("Drives")
        if vm is not None:
            self.app.push_screen(DriveList(self.run_on, vm))

    # Console -------------------------------------------------------------------------------------------------------

    def action_console(self) -> None:
        """Find out how the console of the VM under the cursor is opened, then hand the terminal over."""
        vm = self._the_one("Console")
        if vm is not None:
            job = console_job(self.realms.session, f"{vm.host}/{vm.uuid}")
            self.realms.run_task("console of", vm_names([vm]), job, self._open_console)

    def _open_console(self, command: ConsoleCommand) -> None:
        try:
            with self.app.suspend():
                sys.stderr.write(f"console of {one_line(command.vm)} on {one_line(command.host)}; {ESCAPE} to exit\n")
                sys.stderr.flush()
                code = run_in_foreground(command.arguments)
        except SuspendNotSupported:
            self.realms.tell("Cannot open a console in this terminal.", "warning")
            return
        except OSError as error:
            told = f"cannot start {command.arguments[0]}: {error.strerror or error}"
            self.realms.tell(told, "error")
            return
        self.app.refresh(layout=True)
        if code:
            self.realms.tell(f"Console exited with code {code}.", "warning")


def offer_to_cut_power(app: App[Any], holdouts: Sequence[Target], seconds: float) -> None:
    """Ask about VMs that did not shut down, as soon as no other dialog is open; by then some may have."""
    if isinstance(app.screen, ModalScreen):
        app.set_timer(LATER_SECONDS, lambda: offer_to_cut_power(app, holdouts, seconds))
        return
    realms = context_of(app)
    wanted = {target.vm.key for target in holdouts}
    vms = [vm for vm in (realms.fleet.vms() if realms.fleet is not None else ()) if vm.key in wanted and vm.active]
    if not vms:
        return

    def answered(cut: bool | None) -> None:
        if cut:
            job = vm_job(realms.session, VMAction.OFF, _keys(vms))
            realms.run_task(ACTIONS[VMAction.OFF].verb.lower(), vm_names(vms), job)

    app.push_screen(Confirm(ask_to_cut_power(vms, seconds)), answered)


def _keys(vms: Sequence[VM]) -> list[str]:
    return [f"{vm.host}/{vm.uuid}" for vm in vms]
