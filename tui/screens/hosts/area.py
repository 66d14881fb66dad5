"""The area of hosts: all of them in a table, the chosen one in detail below."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.fleet.fleet import Fleet, HostSnapshot
from core.operations.tasks.task import TaskView
from tui.commands import Command, bindings
from tui.render.costs.headroom import in_words
from tui.render.hosts.detail import HostDetail
from tui.render.hosts.findings_table import checkup_note
from tui.render.hosts.table import HOST_COLUMNS, figures, host_rows
from tui.render.rows import RowKey
from tui.screens.area import AreaScreen
from tui.screens.hosts.actions import HOST_KEYS, HostActions
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

BESIDE_NOTE = 6
"""Columns of the lower border that are no remark."""


class HostsScreen(HostActions, AreaScreen):
    """Hosts with their state, use and cost; what is done to them applies to the marked ones."""

    KEYS: ClassVar[tuple[Command, ...]] = HOST_KEYS
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "hosts.tcss"
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - an instance variable by its declaration
        (0, "-short"),
        (30, "-normal"),
        (48, "-tall"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._awaited: RowKey | None = None
        """A host that was added, or renamed, and will come with one of the next fleets."""
        self._checkups_shown = 0

    def compose_body(self) -> ComposeResult:
        """Lay out the table and the panel."""
        can_add = self.realms.session.is_writable
        empty = "No hosts yet. Press a to add the first." if can_add else "No hosts."
        yield self.grid(HOST_COLUMNS, "hosts", heading="Hosts", empty=empty)
        yield Panel(id="host")

    def show_fleet(self, fleet: Fleet) -> None:
        """Show all hosts, and the one under the cursor in detail."""
        grid = self.query_one(Grid)
        configuration, checkups = self.realms.session.configuration, self.realms.checkups
        self._checkups_shown = checkups.generation
        grid.set_rows(host_rows(fleet, configuration, self.realms.fits(fleet), checkups))
        self._write_note()
        if self._awaited is not None and grid.go_to(self._awaited):
            self._awaited = None
        self._show_detail()

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show what the doctor found meanwhile."""
        del views
        fleet = self.realms.fleet
        if fleet is not None and self.realms.checkups.generation != self._checkups_shown:
            self.show_fleet(fleet)

    def on_resize(self) -> None:
        """Explain only columns that are shown in the new width."""
        self.call_after_refresh(self._write_note)

    @on(Grid.Arranged)
    def _write_note(self) -> None:
        fleet, grid = self.realms.fleet, self.query_one(Grid)
        notes = []
        if fleet is not None and (found := checkup_note(fleet, self.realms.checkups)):
            notes.append(found)
        if grid.shows("fits"):
            notes.append(f"FITS: more VMs of {in_words(self.realms.request)}")
        dash = " \N{BOX DRAWINGS LIGHT HORIZONTAL} "
        if len(dash.join(notes)) > grid.size.width - BESIDE_NOTE:
            notes = notes[:1]
        grid.set_note(dash.join(notes))

    @on(Grid.Moved)
    def _show_detail(self) -> None:
        panel = self.query_one(Panel)
        snapshot = self.host_under_cursor()
        fleet = self.realms.fleet
        panel.display = snapshot is not None
        if snapshot is None or fleet is None:
            return
        configuration = self.realms.session.configuration
        checkup = self.realms.checkups.of(snapshot.host)
        seen = figures(snapshot, fleet.taken, configuration)
        detail = HostDetail(seen, fleet.taken, configuration, checkup=checkup, request=self.realms.request)
        panel.show(detail.title(), detail.lines)

    @on(Grid.Chosen)
    def open_host(self, event: Grid.Chosen) -> None:
        """Go into the host: its VMs, its pools, its cost."""
        from tui.screens.hosts.detail import HostScreen

        self.app.push_screen(HostScreen(str(event.key)))

    def chosen_hosts(self) -> tuple[HostSnapshot, ...]:
        """Return the marked hosts, or the one under the cursor."""
        return self.hosts_named(self.query_one(Grid).chosen())

    def host_under_cursor(self) -> HostSnapshot | None:
        """Return the host under the cursor."""
        named = self.hosts_named((self.query_one(Grid).cursor_key,))
        return named[0] if named else None

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a host, as soon as it is there."""
        self._awaited = None if self.query_one(Grid).go_to(key) else key

    def after_change(self) -> None:
        """Take the marks off: what they were for is done."""
        self.query_one(Grid).clear_marks()
