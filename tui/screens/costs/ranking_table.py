"""The two tables of the cost explorer: hosts that can take the VM, and hosts that can't."""

from collections.abc import Sequence

from tui.render.rows import Column
from tui.screens.costs.host_detail import CloseUpPanel
from tui.state.settings import Sort
from tui.widgets.grid import Grid
from tui.widgets.grid_model import GridModel

BY_TOTAL = Sort("total")


class HostTable(Grid):
    """A table of hosts; left and right turn to another curve while there is nothing to scroll."""

    def action_wide(self) -> None:
        """Show every column, or only those that fit."""
        super().action_wide()
        self.set_class(self.wide, "-wide")

    def use_columns(self, columns: Sequence[Column], sort: Sort | None) -> None:
        """Have these columns from now on; rows come with the next `set_rows`, the filter stays."""
        before, self.model = self.model, GridModel(columns)
        known = sort is not None and any(column.key == sort.column for column in columns)
        self.model.sort_by(sort if known else BY_TOTAL)
        self.model.filter_by(before.filter.text)
        self._repaint()

    def action_aside(self, by: int) -> None:
        """Scroll a wide table, or turn to another curve."""
        if self.wide:
            super().action_aside(by)
        else:
            self.screen.query_one(CloseUpPanel).turn(1 if by > 0 else -1)
