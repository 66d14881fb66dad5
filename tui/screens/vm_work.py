"""What can be done to VMs, wherever one or several are chosen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from core.fleet import Connection
from core.text import one_line
from tui.render.vm_changes import ask_action, vm_names
from tui.screens.area import AreaScreen
from tui.vm_actions import ACTIONS, VMAction, applies
from tui.vm_jobs import console_job, vm_job

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.fleet import VM
    from core.operations.console import ConsoleCommand


class VMWork(AreaScreen):
    """A screen on which VMs are chosen. Subclasses say which: `chosen_vms`."""

    def chosen_vms(self) -> tuple[VM, ...]:
        """Give the VMs that an action is for."""
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

    def _may_act(self, vms: Sequence[VM]) -> bool:
        workplace, fleet = self.realms.workplace, self.realms.fleet
        if not workplace.can_change:
            self.realms.tell(f"Nothing can be changed: {workplace.why_not}.", "warning")
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
            hint = "what their VMs do is unknown, and nothing can be done to them"
            self.realms.tell(f"{names} {verb} not answer now.", "warning", hint=hint)
        return bool(vms) and not silent

    def action_act(self, word: str) -> None:
        """Ask, then do something to the chosen VMs, as a task."""
        action = VMAction(word)
        chosen = self.chosen_vms()
        if not self._may_act(chosen):
            return
        if action is VMAction.DELETE and (active := [vm for vm in chosen if vm.active]):
            verb = "is" if len(active) == 1 else "are"
            self.realms.tell(f"{vm_names(active)} {verb} active.", "warning", hint="only VMs that are off are deleted")
            return
        vms = [vm for vm in chosen if applies(action, vm)]
        if not vms:
            state = chosen[0].state.value if len(chosen) == 1 else "such"
            verb = "is" if len(chosen) == 1 else "are"
            told = f"{vm_names(chosen)} {verb} {state}: there is nothing to {ACTIONS[action].verb.lower()}."
            self.realms.tell(told)
            return
        from tui.screens.confirm import Confirm

        def answered(wanted: bool | None) -> None:
            if wanted:
                job = vm_job(self.realms.workplace, action, [f"{vm.host}/{vm.uuid}" for vm in vms])
                self.after_action()
                self.realms.run_task(ACTIONS[action].verb.lower(), vm_names(vms), job)

        self.app.push_screen(Confirm(ask_action(action, vms, len(chosen) - len(vms))), answered)

    def action_console(self) -> None:
        """Find out how the console of the VM under the cursor is opened, then hand the terminal over."""
        chosen = self.chosen_vms()
        if not self._may_act(chosen):
            return
        if len(chosen) > 1:
            self.realms.tell("A console is for one VM: take the marks off first.", "warning")
            return
        vm = chosen[0]
        job = console_job(self.realms.workplace, f"{vm.host}/{vm.uuid}")
        self.realms.run_task("console of", vm_names([vm]), job, self._open_console)

    def _open_console(self, command: ConsoleCommand) -> None:
        from core.operations.console import ESCAPE
        from tui.foreground import run_in_foreground

        try:
            with self.app.suspend():
                sys.stderr.write(f"console of {one_line(command.vm)} on {one_line(command.host)}; {ESCAPE} ends it\n")
                sys.stderr.flush()
                code = run_in_foreground(command.arguments)
        except SuspendNotSupported:
            self.realms.tell("This terminal can't be handed over to a console.", "warning")
            return
        except OSError as error:
            told = f"{command.arguments[0]} can't be started: {error.strerror or error}"
            self.realms.tell(told, "error")
            return
        self.app.refresh(layout=True)
        if code:
            self.realms.tell(f"The console ended with exit code {code}.", "warning")
