"""What can be done to hosts, wherever one or several are chosen."""

from collections.abc import Iterable, Sequence
from functools import partial

from core.fleet.fleet import Fleet, HostSnapshot
from core.hosts import HostState
from core.text import natural
from tui.commands import Command
from tui.jobs.realm_choice import one_realm
from tui.jobs.registry import Step
from tui.render.hosts.questions import ask_removal, ask_state, names
from tui.render.question import Question
from tui.screens.area import AreaScreen

HOST_KEYS = (
    Command("a", "add_host", "Add", "Add a host.", footer=True, changes=True),
    Command("e", "edit_host", "Edit", "Edit the host.", footer=True, changes=True),
    Command(
        "c", "set_state('no-scheduling')", "No sched", "No Scheduling: accept no new VMs; present VMs stay managed.",
        footer=True, changes=True,
    ),
    Command("u", "set_state('enabled')", "Enable", "Enable: connect and accept new VMs.", footer=True, changes=True),
    Command(
        "x", "set_state('disabled')", "Disable", "Disable: disconnect; VMs keep running, unmonitored.",
        footer=True, changes=True,
    ),
    Command("r,delete", "remove_host", "Remove", "Remove the host from the registry.", changes=True),
    Command("t", "test_host", "Test", "Connect once and compare the host with its profile."),
    Command("d", "examine_hosts", "Doctor", "Doctor: check everything the host needs.", footer=True),
    Command("p", "set_up_pools", "Set up pools", "Set up pools on the chosen hosts.", changes=True),
    Command("m", "plan_drain", "Plan drain", "Show where the host's VMs would go."),
    Command("f", "findings", "Findings", "List Doctor findings of all hosts, worst first.", footer=True),
)  # fmt: skip


class HostActions(AreaScreen):
    """A screen on which hosts are chosen. Subclasses say which: `chosen_hosts`, `host_under_cursor`."""

    def chosen_hosts(self) -> tuple[HostSnapshot, ...]:
        """Return the hosts that an action is for."""
        return ()

    def host_under_cursor(self) -> HostSnapshot | None:
        """Return the one host that is looked at."""
        return None

    def after_change(self) -> None:
        """Tidy up once a change was asked for."""

    def hosts_named(self, keys: Iterable[object]) -> tuple[HostSnapshot, ...]:
        """Find hosts in the fleet as shown."""
        fleet = self.realms.fleet
        if fleet is None:
            return ()
        by_name = {snapshot.name: snapshot for snapshot in fleet.hosts}
        return tuple(by_name[key] for key in keys if isinstance(key, str) and key in by_name)

    def _may_change(self) -> bool:
        session = self.realms.session
        if not session.is_writable:
            self.realms.tell(f"Nothing can be changed: {session.why_not}.", "warning")
        return session.is_writable

    def _ask(
        self,
        question: Question,
        fleet: Fleet,
        hosts: Sequence[HostSnapshot],
        state: HostState | None,
        steps: list[Step],
    ) -> None:
        """Ask with what it would mean that hosts are put into a state, or removed; then do it."""
        from core.operations.hosts.impact import HostsChange
        from tui.screens.hosts.confirm_change import ChangePreview, ConfirmChange

        what = f"{names(hosts)}: {state.label if state is not None else 'removed'}"

        def answered(wanted: bool | None) -> None:
            if wanted:
                self.realms.change(what, steps)
                self.after_change()

        change = HostsChange(tuple(snapshot.name for snapshot in hosts), state)
        outlook = ChangePreview(self.realms.session.configuration, fleet, change, self.realms.request)
        self.app.push_screen(ConfirmChange(question, outlook), answered)

    def action_set_state(self, wanted: str) -> None:
        """Ask, then put the chosen hosts into a state."""
        state = HostState(wanted)
        chosen = self.chosen_hosts()
        if not chosen or not self._may_change():
            return
        others = [snapshot for snapshot in chosen if snapshot.host.state is not state]
        fleet = self.realms.fleet
        if not others or fleet is None:
            verb = "is" if len(chosen) == 1 else "are"
            self.realms.tell(f"{names(chosen)} {verb} already {state.label}.")
            return
        session = self.realms.session
        steps: list[Step] = [(snapshot.name, partial(session.set_state, snapshot.name, state)) for snapshot in others]
        self._ask(ask_state(others, state, fleet.taken), fleet, others, state, steps)

    def action_remove_host(self) -> None:
        """Ask, then remove the chosen hosts."""
        chosen = self.chosen_hosts()
        fleet = self.realms.fleet
        if not chosen or fleet is None or not self._may_change():
            return
        session = self.realms.session
        steps: list[Step] = [(snapshot.name, partial(session.remove_host, snapshot.name)) for snapshot in chosen]
        self._ask(ask_removal(chosen, fleet.taken), fleet, chosen, None, steps)

    def action_add_host(self) -> None:
        """Go through the wizard of a new host."""
        if self._may_change():
            from tui.screens.hosts.wizard.wizard import HostWizard

            self.app.push_screen(HostWizard(), self._go_to_new)

    def _go_to_new(self, name: str | None) -> None:
        if name is not None:
            self.go_to_row(name)

    def action_edit_host(self) -> None:
        """Change the host that is looked at."""
        snapshot = self.host_under_cursor()
        if snapshot is not None and self._may_change():
            from tui.screens.hosts.edit_form import HostForm

            self.app.push_screen(HostForm(snapshot.host), self._go_to_new)

    def action_examine_hosts(self) -> None:
        """Check everything that the chosen hosts need, as a task."""
        chosen = self.chosen_hosts()
        if chosen:
            from tui.jobs.doctor import examine

            examine(self.realms, chosen)
            self.after_change()

    def action_set_up_pools(self) -> None:
        """Go through the wizard that sets pools up."""
        chosen = self.chosen_hosts()
        if chosen and self._may_change() and (realm := one_realm(self.realms, chosen)) is not None:
            self.realms.navigation.open_pool_setup(realm, [snapshot.name for snapshot in chosen])

    def action_plan_drain(self) -> None:
        """Show the plan that empties the host that is looked at."""
        snapshot = self.host_under_cursor()
        if snapshot is not None:
            self.realms.navigation.open_drain_plan(snapshot.name)

    def action_findings(self) -> None:
        """List what was found at all hosts."""
        from tui.screens.hosts.findings import FindingsScreen

        self.app.push_screen(FindingsScreen())

    def action_test_host(self) -> None:
        """Connect to the chosen hosts once, and report."""
        chosen = sorted(self.chosen_hosts(), key=lambda snapshot: natural(snapshot.name))
        if not chosen:
            return
        if not self.realms.session.is_live:
            self.realms.tell("A saved fleet has no live hosts to test.", "warning")
            return
        from tui.screens.hosts.connection_test import ProbeDialog

        self.app.push_screen(ProbeDialog([snapshot.host for snapshot in chosen]))
