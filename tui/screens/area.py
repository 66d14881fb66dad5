"""What every area and every place within one has: the line above, the keys below, and the fleet."""

from collections.abc import Sequence
from typing import ClassVar, Protocol, runtime_checkable

from textual.app import ComposeResult
from textual.screen import Screen

from core.fleet.fleet import Fleet
from core.operations.tasks.task import TaskView
from tui.commands import Command, bindings
from tui.render.rows import Column, RowKey
from tui.screens.background import BackgroundWork
from tui.widgets.bars import FooterLine, HeaderLine
from tui.widgets.grid import Grid

BACK = Command("escape", "leave", "Back", "Lift the filter or the marks; go back.")


@runtime_checkable
class Following(Protocol):
    """A screen that is told whenever the fleet or a task changed while it is in front."""

    def show_fleet(self, fleet: Fleet) -> None:
        """Show the newest fleet."""

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show the tasks as they stand now."""


class AreaScreen(Screen[None], BackgroundWork):
    """A full screen of the application. Subclasses give KEYS, `compose_body`, `show_fleet` and `place`.

    `show_fleet` is called with the newest fleet when the screen comes to the front and whenever anything changed while
    it is in front.
    """

    KEYS: ClassVar[tuple[Command, ...]] = ()
    BINDINGS: ClassVar = bindings((BACK,))

    @property
    def place(self) -> tuple[str, ...]:
        """Where one is: the words of the line above, from the outermost in."""
        return ()

    def compose(self) -> ComposeResult:
        """Lay out the two lines and what is between them."""
        yield HeaderLine()
        yield from self.compose_body()
        yield FooterLine()

    def compose_body(self) -> ComposeResult:
        """Return the screen's own widgets."""
        yield from ()

    def grid(self, columns: Sequence[Column], name: str, *, heading: str, empty: str) -> Grid:
        """Make a table that is sorted and as wide as the user left it; `name` is its id, and what it is kept by."""
        settings = self.realms.settings
        sort, wide = settings.sorts.get(name), name in settings.wide
        return Grid(columns, heading=heading, empty=empty, sort=sort, wide=wide, id=name)

    def on_grid_arranged(self, message: Grid.Arranged) -> None:
        """Remember how the user arranged a table."""
        grid, settings = message.grid, self.realms.settings
        if grid.id is None:
            return
        if grid.model.sort is not None:
            settings.sorts[grid.id] = grid.model.sort
        (settings.wide.add if grid.wide else settings.wide.discard)(grid.id)
        settings.save()

    def show_fleet(self, fleet: Fleet) -> None:
        """Show the newest fleet."""

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show the tasks as they stand now."""

    def go_to_row(self, key: RowKey) -> None:
        """Put the screen's cursor on a row, where it has such a row."""

    def show_trouble(self, why: str) -> None:
        """Say why there is no fleet to show."""
        for grid in self.query(Grid):
            grid.fail(why)

    def on_mount(self) -> None:
        """Follow what has the focus: the keys below are those of the focused table too."""
        self.watch(self, "focused", self._write_footer, init=False)

    def on_screen_resume(self) -> None:
        """Catch up with what changed while another screen was in front."""
        self.show_lines()
        self.show_tasks(self.realms.session.tasks.views())
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)
        elif self.realms.trouble:
            self.show_trouble(self.realms.trouble)

    def show_lines(self) -> None:
        """Write the line above, with what is to be warned of, and the keys below."""
        place, realms = (*self.realms.place, *self.place), self.realms
        self.query_one(HeaderLine).show(place, realms.summary(), realms.warning)
        self._write_footer()

    def _write_footer(self) -> None:
        if not self.is_mounted:
            return
        focused = self.focused
        own = [command for command in self.KEYS if command.footer]
        if isinstance(focused, Grid):
            own += [command for command in focused.KEYS if command.action == "filter"]
        own += [command for command in self.realms.app_commands if command.footer]
        if len(self.app.screen_stack) > 1:
            own = [*(command for command in own if command.action != "leave_or_quit"), BACK]
        self.query_one(FooterLine).show([(command, self.allows(command)) for command in own])

    def allows(self, command: Command) -> bool:
        """Return whether a command can be done here and now."""
        return not command.changes or self.realms.session.is_writable

    def action_leave(self) -> None:
        """Lift the focused table's filter or marks, or else go back."""
        if isinstance(self.focused, Grid) and self.focused.clear():
            return
        self.go_back()

    def go_back(self) -> None:
        """Leave this place; an area has nothing behind it."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
