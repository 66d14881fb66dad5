"""The list of a cost function's parameters, and the line that a value is typed in."""

from __future__ import annotations

from typing import ClassVar, Protocol, cast, runtime_checkable

from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets import Input

from tui.commands import Command, bindings
from tui.widgets.grid import Grid


@runtime_checkable
class Editing(Protocol):
    """What the list and the line belong to."""

    table: ParameterTable

    def type_value(self) -> None:
        """Go to the line, with the present value there."""

    def step(self, direction: int) -> None:
        """Give the parameter under the cursor its next round value."""

    def revert(self) -> None:
        """Take back what was changed of the parameter under the cursor."""

    def end_typing(self, *, keep: bool, go_back: bool = True) -> bool:
        """Take what is typed or leave the value as it was; False where it can't be taken and is to be mended."""


def _editor(node: DOMNode) -> Editing:
    return next(cast("Editing", other) for other in node.ancestors if isinstance(other, Editing))


class ParameterTable(Grid):
    """The list of parameters: + and - take the next round value, Enter types one, Delete takes it back."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("enter,e", "type", "Type", "Edit the value, as in the configuration.", shown="Enter"),
        Command("plus,equals_sign", "step(1)", "More", "The next larger round value.", shown="+"),
        Command("minus", "step(-1)", "Less", "The next smaller round value.", shown="-"),
        Command("delete,backspace", "revert", "Reset", "Reset this parameter to the configured value."),
        *(command for command in Grid.KEYS if command.action not in ("choose", "mark", "mark_range", "mark_all")),
    )
    BINDINGS: ClassVar = bindings(KEYS)

    def action_type(self) -> None:
        """Type a value."""
        _editor(self).type_value()

    def action_step(self, direction: int) -> None:
        """Take the next round value."""
        _editor(self).step(direction)

    def action_revert(self) -> None:
        """Take back what was changed of the parameter under the cursor."""
        _editor(self).revert()

    def action_choose(self) -> None:
        """Type a value, on a double click."""
        _editor(self).type_value()


class ValueInput(Input):
    """The line that a value is typed in: Esc leaves it as it was, up and down go on to the neighbour."""

    BINDINGS: ClassVar = [
        Binding("escape", "cancel", show=False),
        Binding("up", "neighbour(-1)", show=False),
        Binding("down", "neighbour(1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(compact=True, select_on_focus=True, id="value")
        self.cursor_blink = False

    def action_cancel(self) -> None:
        """Leave the value as it was."""
        _editor(self).end_typing(keep=False)

    def action_neighbour(self, by: int) -> None:
        """Take the value, and go to the next parameter or the one before."""
        if _editor(self).end_typing(keep=True):
            _editor(self).table.action_move(by)
            _editor(self).type_value()
