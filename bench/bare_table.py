"""The peer: Textual's own DataTable with 500 rows and nothing behind it, the floor of any program of this kind."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer, Header


class BareTable(App[None]):
    """A header, a table, a footer."""

    def compose(self) -> ComposeResult:
        """Lay them out."""
        yield Header()
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table once."""
        table = self.query_one(DataTable)
        table.add_columns(*(f"column {number}" for number in range(8)))
        for row in range(500):
            table.add_row(*(f"row-{row}-{column}" for column in range(8)), key=str(row))


if __name__ == "__main__":
    BareTable().run()
