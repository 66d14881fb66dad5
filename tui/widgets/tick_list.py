"""A list to tick things in: each row says by a letter, not by its colour alone, whether it is ticked."""

from typing import TypeVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import SelectionList
from textual.widgets.option_list import OptionDoesNotExist

T = TypeVar("T")


class TickList(SelectionList[T]):
    """Textual's list of selections with `[x]` and `[ ]` before its rows."""

    DEFAULT_CSS = """
    TickList {
        height: auto; border: none; padding: 0; background: $surface;
        & > .option-list--option-highlighted { background: $cursor-blurred; color: $foreground; text-style: none; }
        &:focus { background-tint: transparent 0%; border: none; }
        &:focus > .option-list--option-highlighted { background: $cursor; color: $foreground; text-style: none; }
        & > .selection-list--button { background: $surface; color: $muted; }
        & > .selection-list--button-highlighted { background: $cursor; color: $muted; }
        & > .selection-list--button-selected { background: $surface; color: $accent; text-style: bold; }
        & > .selection-list--button-selected-highlighted { background: $cursor; color: $accent; text-style: bold; }
        &:ansi, &:nocolor {
            & > .option-list--option-highlighted { background: $cursor-blurred; text-style: underline; }
            &:focus > .option-list--option-highlighted { background: $cursor; text-style: reverse; }
        }
    }
    """

    def render_line(self, y: int) -> Strip:
        """Draw a row with its tick."""
        strip = super().render_line(y)
        segments = list(strip)
        try:
            option = self.get_option_at_index(self.scroll_offset.y + y)
        except OptionDoesNotExist:
            return strip
        if len(segments) < 4:
            return strip
        style = segments[1].style
        mark = "x" if option.value in self.selected else " "
        ticked = [Segment("[", style), Segment(mark, style), Segment("]", style)]
        return Strip([*ticked, *segments[3:]], strip.cell_length)
