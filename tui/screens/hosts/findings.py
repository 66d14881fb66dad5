"""All that the doctor found, of all hosts: a place within the area of hosts."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.fleet.fleet import Fleet
from core.operations.tasks.task import TaskView
from tui.commands import Command, bindings
from tui.render.cells import Tone
from tui.render.hosts.findings_table import FINDING_COLUMNS, HERE, Found, all_found, examined, finding_rows, found_lines
from tui.render.rows import RowKey
from tui.screens.area import AreaScreen
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel


class FindingsScreen(AreaScreen):
    """Findings sorted by severity; the one under the cursor in full below, with how to mend it."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("d", "examine_all", "Doctor", "Examine all connected hosts.", footer=True),
        Command("c", "copy_mend", "Copy fix", "Copy the fix to the clipboard (OSC 52).", footer=True),
        Command("o", "toggle_ok", "Show OK", "Show or hide passed checks.", footer=True),
    )
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "findings.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._with_ok = False
        self._found: dict[RowKey, Found] = {}
        self._shown: tuple[object, ...] = ()

    @property
    def place(self) -> tuple[str, ...]:
        """Within the hosts."""
        return ("Findings",)

    def compose_body(self) -> ComposeResult:
        """Lay out the table and the panel."""
        yield self.grid(FINDING_COLUMNS, "findings", heading="Findings", empty="No findings.")
        yield Panel(id="finding")

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one(Grid).focus()

    def show_fleet(self, fleet: Fleet) -> None:
        """Show what was found, where anything is new."""
        checkups = self.realms.checkups
        hosts = tuple(snapshot.host for snapshot in fleet.hosts)
        state = (checkups.generation, hosts, self._with_ok)
        if state == self._shown:
            return
        self._shown = state
        grid = self.query_one(Grid)
        found = all_found(fleet, checkups)
        self._found = {each.key: each for each in found}
        names = list(examined(fleet, checkups))
        running = sum(checkups.is_running(host.name) for host in hosts)
        note = f"{len(names)} of {len(hosts)} hosts examined" + (f", {running} being examined" if running else "")
        grid.set_note(note)
        grid.empty = "No problems; o shows passed checks." if names else _NEVER
        grid.refresh()
        grid.set_rows(finding_rows(found, with_ok=self._with_ok))
        self._show_detail()

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show what was found meanwhile."""
        del views
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    @on(Grid.Moved)
    def _show_detail(self) -> None:
        panel = self.query_one(Panel)
        found = self._found.get(self.query_one(Grid).cursor_key)
        panel.display = found is not None
        if found is not None:
            host = found.checkup.host
            title = [(found.finding.host or HERE, Tone.STRONG)]
            title += [(f"  {host.uri}", Tone.MUTED)] if host is not None else []
            panel.show(tuple(title), lambda width, height: found_lines(found, width)[:height])

    @on(Grid.Chosen)
    def open_host(self) -> None:
        """Go to the host."""
        found = self._found.get(self.query_one(Grid).cursor_key)
        if found is not None and found.finding.host:
            self.realms.navigation.open_host(found.finding.host)

    def action_examine_all(self) -> None:
        """Examine all connected hosts."""
        fleet = self.realms.fleet
        if fleet is not None:
            from tui.jobs.doctor import examine

            examine(self.realms, [snapshot for snapshot in fleet.hosts if snapshot.host.state.connects])

    def action_copy_mend(self) -> None:
        """Copy how to mend what is under the cursor."""
        found = self._found.get(self.query_one(Grid).cursor_key)
        if found is None or not found.finding.mend:
            self.realms.tell("Nothing to fix here.")
            return
        self.app.copy_to_clipboard(found.finding.mend)
        self.realms.tell("Copied to the clipboard (OSC 52).")

    def action_toggle_ok(self) -> None:
        """Show what is well, or hide it."""
        self._with_ok = not self._with_ok
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)


_NEVER = "No host examined yet. Press d to examine all."
