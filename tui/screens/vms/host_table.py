"""The table of hosts that a VM could go to: one of them is chosen, or the choice is left to placement."""

from typing import ClassVar

from tui.commands import Command
from tui.render.vms.host_ranking import BEST, HOST_CHOICE_COLUMNS, RankedHosts, choice_rows
from tui.widgets.grid import Grid
from tui.widgets.grid_keys import GRID_KEYS

_NOT_HERE = ("mark", "mark_range", "mark_all", "sort_menu")


class HostChoice(Grid):
    """Hosts in the order of placement. Marks and sorting mean nothing here: space chooses, as Enter does."""

    KEYS: ClassVar[tuple[Command, ...]] = tuple(command for command in GRID_KEYS if command.action not in _NOT_HERE)

    def __init__(self, heading: str, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(HOST_CHOICE_COLUMNS, heading=heading, empty="No hosts yet.", id=id)

    def show_choice(self, choice: RankedHosts) -> None:
        """Show the hosts as placement judges them now."""
        self.set_rows(choice_rows(choice))

    @property
    def host_under_cursor(self) -> str | None:
        """The host under the cursor; None on the row of the best."""
        key = self.cursor_key
        return key if isinstance(key, str) and key != BEST else None

    def action_mark(self) -> None:
        """Choose the row."""
        self.action_choose()

    def action_mark_range(self) -> None:
        """Mark nothing: one host is chosen."""

    def action_mark_all(self) -> None:
        """Mark nothing: one host is chosen."""

    def action_sort_menu(self) -> None:
        """Keep the order of placement."""
